#include "hosts/serve.hpp"

#include <unistd.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <csignal>
#include <thread>
#include <utility>

namespace dispatcher {
namespace {

namespace asio = boost::asio;

// How often the secret is read again without being asked.
constexpr std::chrono::hours kSecretInterval{1};

void rethrow_bug(const std::exception_ptr& bug) {
  if (bug) {
    std::rethrow_exception(bug);
  }
}

// What of a service happens on the engine's loop.
class Serving {
 public:
  Serving(const ServeConfig& config, ServeParts parts)
      : config_(config), parts_(std::move(parts)), reload_timer_(parts_.timers.make()) {}

  void run() {
    asio::co_spawn(parts_.loop, deliver(), rethrow_bug);
    asio::co_spawn(parts_.loop, parts_.maintenance.run(), rethrow_bug);
    asio::co_spawn(parts_.loop, heed_signals(), rethrow_bug);
    asio::co_spawn(parts_.loop, reload_now_and_then(), rethrow_bug);
    asio::co_spawn(parts_.loop, renew_seals(), rethrow_bug);
    parts_.loop_work.reset();
    parts_.loop.run();
    if (server_stopper_.joinable()) {
      server_stopper_.join();
    }
  }

 private:
  asio::awaitable<void> deliver() {
    co_await parts_.engine.run();
    begin_stop("the engine has ended");  // by itself only when the store is gone
    boost::system::error_code ignored;
    parts_.signals.cancel(ignored);  // nothing is left to be told
    parts_.http.abort();             // kept connections would keep the loop running
  }

  asio::awaitable<void> heed_signals() {
    while (true) {
      boost::system::error_code error;
      const int signal =
          co_await parts_.signals.async_wait(asio::redirect_error(asio::use_awaitable, error));
      if (error) {
        co_return;
      }
      if (signal == SIGHUP) {
        ask_for_reload();
      } else if (is_stopping_) {
        parts_.log.warning("stopping at once: asked a second time");
        // What is in flight may be delivered again; everything recorded is on disk.
        ::_exit(0);
      } else {
        begin_stop(signal == SIGTERM ? "SIGTERM" : "SIGINT");
      }
    }
  }

  void begin_stop(std::string_view why) {
    if (is_stopping_) {
      return;
    }
    is_stopping_ = true;
    parts_.log.info("stopping: attempts under way may finish",
                    {{"why", why}, {"in_flight", parts_.engine.in_flight()}});
    parts_.engine.stop();
    parts_.maintenance.stop();
    reload_timer_->cancel();
    server_stopper_ = std::thread{parts_.stop_server};
  }

  asio::awaitable<void> reload_now_and_then() {
    while (!is_stopping_) {
      const MonoTime next = parts_.clock.monotonic() + kSecretInterval;
      const bool is_due = co_await reload_timer_->wait_until(next);
      if (is_due) {
        ask_for_reload();
      }
    }
  }

  // Reads the secret beside everything else: a signal is heeded meanwhile. One reading at a time,
  // and one more when it was asked for meanwhile, so that what was read last is what stays.
  void ask_for_reload() {
    is_reload_wanted_ = true;
    if (!std::exchange(is_reloading_, true)) {
      asio::co_spawn(parts_.loop, reload_while_wanted(), rethrow_bug);
    }
  }

  asio::awaitable<void> reload_while_wanted() {
    while (!is_stopping_ && std::exchange(is_reload_wanted_, false)) {
      co_await reload();
    }
    is_reloading_ = false;
  }

  // What cannot be read or used leaves everything as it is.
  asio::awaitable<void> reload() {
    parts_.secrets.forget();
    auto secrets = co_await parts_.secrets.read({});
    if (is_stopping_) {
      co_return;
    }
    if (!secrets) {
      parts_.log.error("the secret cannot be read again; the one before stays in use",
                       {{"error", secrets.error().message}});
      co_return;
    }
    auto identity = sender_identity(*secrets);
    if (!identity) {
      report_unusable(identity.error());
      co_return;
    }
    const auto endpoints = co_await load_endpoints(parts_.endpoints, config_.delivery, *secrets);
    if (!endpoints) {
      report_unusable(endpoints.error());
      co_return;
    }
    parts_.api.set_secrets(with_command_line(std::move(*secrets), config_.delivery));
    parts_.engine.set_identity(std::move(*identity));
    parts_.maintenance.wake();
    parts_.log.info("the secret was read again", {{"endpoints", *endpoints}});
    asio::co_spawn(parts_.loop, renew_seals(), rethrow_bug);
  }

  void report_unusable(const Error& error) {
    parts_.log.error("the secret's endpoints cannot be used; those before stay in use",
                     {{"error", error.message}});
  }

  // What an older key sealed is sealed anew, so that the older key can be taken away.
  asio::awaitable<void> renew_seals() {
    bool is_more = true;
    while (is_more && !is_stopping_) {
      const auto renewed = co_await parts_.endpoints.renew_seals();
      if (!renewed) {
        parts_.log.warning(
            "endpoints could not be sealed under the first of encryption_keys; keep "
            "the older ones, it is tried again when the secret is read again",
            {{"error", renewed.error().message}});
        co_return;
      }
      is_more = *renewed;
    }
  }

  const ServeConfig& config_;
  ServeParts parts_;
  std::unique_ptr<Timer> reload_timer_;
  std::thread server_stopper_;
  bool is_stopping_ = false;
  bool is_reloading_ = false;
  bool is_reload_wanted_ = false;
};

}  // namespace

asio::awaitable<Result<std::size_t>> load_endpoints(EndpointRegistry& registry,
                                                    const DeliveryConfig& delivery,
                                                    const SecretBundle& secrets) {
  auto made = make_endpoints(delivery, secrets);
  if (!made) {
    co_return made.error();
  }
  auto keys = KeyRing::make(secrets.encryption_keys);
  if (!keys) {
    co_return keys.error();
  }
  co_return co_await registry.load(std::move(*made), std::move(*keys));
}

void serve_until_stopped(const ServeConfig& config, ServeParts parts) {
  Serving{config, std::move(parts)}.run();
}

}  // namespace dispatcher
