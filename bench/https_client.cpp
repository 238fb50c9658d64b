// What a request of the HTTPS client costs: POSTs of 418 bytes on kept connections, to a receiver
// that answers at once (bench/https_client.py starts nginx as one, and wrk beside it).
//
//   https_client URL CA_FILE [CONNECTIONS [SECONDS]]
#include "adapters/https/https_client.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace dispatcher {
namespace {

constexpr std::size_t kBodyBytes = 418;  // docs/design/targets: a receiver's usual payload

class SteadyClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall() const override {
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  }
  [[nodiscard]] MonoTime monotonic() const override { return std::chrono::steady_clock::now(); }
};

struct Figures {
  long requests = 0;
  long failed = 0;
};

boost::asio::awaitable<void> send_until(HttpsClient* client, HttpRequest model, MonoTime end,
                                        Figures* figures) {
  for (;;) {
    const MonoTime now = std::chrono::steady_clock::now();
    if (now >= end) {
      co_return;
    }
    HttpRequest request = model;
    request.deadline = now + std::chrono::seconds{30};
    const Exchange exchange = co_await client->send(std::move(request));
    const auto* answer = std::get_if<Answer>(&exchange.result);
    ++figures->requests;
    figures->failed += answer == nullptr || answer->status / 100 != 2 ? 1 : 0;
  }
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

int run(const char* url, const char* ca_file, int connections, int seconds) {
  const auto parsed = parse_webhook_url(url);
  if (!parsed) {
    std::fprintf(stderr, "not a URL: %s\n", url);
    return 2;
  }
  HttpsOptions options;
  options.ca_files = {ca_file};
  options.allow_targets = parse_allow_targets("https://127.0.0.0/8").value();
  const SteadyClock clock;
  boost::asio::io_context loop{1};
  auto client = HttpsClient::make(loop.get_executor(), clock, options);
  if (!client) {
    std::fprintf(stderr, "%s\n", client.error().message.c_str());
    return 2;
  }
  HttpRequest model;
  model.url = *parsed;
  model.pool = "bench";
  model.max_idle_connections = static_cast<std::size_t>(connections);
  model.headers = {{"Content-Type", "application/json"},
                   {"User-Agent", "EventDispatcher/bench"},
                   {"webhook-id", "01890a5d-ac96-774b-bcce-b302099a8057"}};
  model.body = std::string(kBodyBytes, 'x');
  Figures figures;
  const double cpu_before = cpu_seconds();
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < connections; ++i) {
    boost::asio::co_spawn(
        loop, send_until(client->get(), model, begun + std::chrono::seconds{seconds}, &figures),
        boost::asio::detached);
  }
  loop.run_until(begun + std::chrono::seconds{seconds});
  const double cpu = cpu_seconds() - cpu_before;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  const auto requests = static_cast<double>(figures.requests);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf(
      "%.0f req/s, %.2f us CPU per request, %ld requests, %ld failed, %lu connections, "
      "%ld KB at most\n",
      requests / took.count(), cpu / requests * 1e6, figures.requests, figures.failed,
      static_cast<unsigned long>((*client)->connections_opened()), usage.ru_maxrss);
  return figures.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace dispatcher

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: https_client URL CA_FILE [CONNECTIONS [SECONDS]]\n");
    return 2;
  }
  return dispatcher::run(argv[1], argv[2], argc > 3 ? std::atoi(argv[3]) : 64,
                         argc > 4 ? std::atoi(argv[4]) : 5);
}
