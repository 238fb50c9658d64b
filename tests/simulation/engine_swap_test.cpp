// Promise: when another URL takes the place of one in the secret, what waits and what was in review
// goes to the new URL; nothing goes to the old one any more, however slow the store is.
#include "simulation/engine_world.hpp"

#include "engine/maintenance.hpp"
#include "engine/registry.hpp"

#include <gtest/gtest.h>
#include <boost/asio/detached.hpp>

namespace dispatcher::simulation {
namespace {

using namespace std::chrono_literals;

// Every answer of the store is long on its way.
class SlowAnswers : public fakes::StoreFaults {
 public:
  boost::asio::awaitable<Result<void>> before(fakes::StoreOperation /*operation*/) override {
    co_return Result<void>{};
  }
  boost::asio::awaitable<void> after(fakes::StoreOperation operation) override {
    if (operation == fakes::StoreOperation::configure && on_configured) {
      on_configured();
    }
    if (world != nullptr) {
      fakes::SimTimer timer{*world};
      co_await timer.wait_until(world->clock().monotonic() + 20ms);
    }
  }

  fakes::SimWorld* world = nullptr;
  std::function<void()> on_configured;
};

SecretEndpoints secret_of(const std::string& host) {
  const std::string url = "https://" + host + ".example/secret-path";
  SecretEndpoints secret;
  Endpoint& endpoint = secret.endpoints.emplace_back();
  endpoint.id = secret_endpoint_id(url);
  endpoint.url = *parse_webhook_url(url);
  endpoint.concurrency = 2;
  secret.url_hashes.push_back(sha256(url));
  secret.urls.push_back(url);
  return secret;
}

TEST(EngineSwap, review_and_backlog_go_to_the_new_url_alone) {
  SlowAnswers slow;
  EngineWorld world{64, &slow};
  world.http.takes = 1ms;
  world.http.answers["old.example"] = Answer{404, {}, ""};
  world.start();
  Maintenance maintenance{world.store, world.world.clock(), world.timers, world.log, {}};
  EndpointRegistry registry{
      RegistryPorts{world.store, *world.runtime, world.world.clock(), world.random, world.log,
                    [&maintenance] { maintenance.wake(); }},
      DeliveryDefaults{}};
  const auto load = [&](const std::string& host) {
    auto loading = registry.load(secret_of(host), KeyRing{});
    world.await(std::move(loading), [](const auto& loaded) { ASSERT_TRUE(loaded.has_value()); });
  };
  load("old");
  world.ingest("order", 3);
  world.run_for(1s);
  ASSERT_EQ(world.http.sent_to("old.example"), 3U);
  // Some wait as well, and are being delivered, two at a time, while the URL is exchanged.
  world.ingest("order", 30);
  world.run_for(5ms);
  slow.world = &world.world;
  std::size_t at_commit = 0;
  slow.on_configured = [&] { at_commit = world.http.sent_to("old.example"); };
  boost::asio::co_spawn(world.loop, maintenance.run(), boost::asio::detached);
  load("new");
  world.run_for(60s);
  const std::size_t sent_to_old = world.http.sent_to("old.example");
  EXPECT_EQ(sent_to_old, at_commit);
  EXPECT_LT(sent_to_old, 20U);
  EXPECT_EQ(world.http.sent_to("new.example"), 33U);
  maintenance.stop();
  world.engine->stop();
  world.run_for(1s);
}

}  // namespace
}  // namespace dispatcher::simulation
