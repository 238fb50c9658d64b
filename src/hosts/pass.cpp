#include "hosts/pass.hpp"

#include "hosts/secret_endpoints.hpp"

#include <algorithm>
#include <utility>

namespace dispatcher {
namespace {

EngineOptions engine_options(const DeliveryConfig& delivery, SenderIdentity identity,
                             const PassTimes& times) {
  // A rate limit is no reason to leave anything: it holds an endpoint for less.
  constexpr std::chrono::seconds kLeastPatience{1};
  EngineOptions options;
  options.max_in_flight = delivery.max_in_flight;
  options.identity = std::move(identity);
  options.is_single_pass = true;
  options.deadline = times.deadline;
  if (!times.waits_for_retries) {
    options.pass_patience = kLeastPatience;
  }
  return options;
}

RunResult result_of(const EngineCounts& counts, const RunStats& stats) {
  RunResult result;
  result.total_events = stats.events;
  result.successful_deliveries = counts.successful;
  result.failed_deliveries = stats.deliveries - counts.successful;
  result.total_retries = counts.retries;
  result.total_time_of_successes = counts.successful_time;
  result.acknowledged = stats.acknowledged;
  return result;
}

}  // namespace

std::vector<std::string> keys_of_a_pass(const DeliveryConfig& delivery) {
  std::vector<std::string> keys{"zapier_api_key"};
  if (delivery.endpoints.empty()) {
    keys.emplace_back("zapier_webhook_url");
  }
  return keys;
}

Result<Recipients> make_recipients(const DeliveryConfig& delivery, const SecretBundle& secrets) {
  auto identity = sender_identity(secrets);
  if (!identity) {
    return identity.error();
  }
  auto made = make_endpoints(delivery, secrets);
  if (!made) {
    return made.error();
  }
  EndpointNumber number = kNoEndpoint;
  for (Endpoint& endpoint : made->endpoints) {
    endpoint.number = ++number;
  }
  return Recipients{std::move(made->endpoints), std::move(*identity)};
}

Pass::Pass(boost::asio::any_io_executor loop, PassParts parts, Recipients recipients,
           const DeliveryConfig& delivery, PassTimes times)
    : parts_(parts),
      started_(times.started),
      engine_(std::move(loop),
              EnginePorts{parts.inbox, parts.http, parts.clock, parts.timers, parts.random,
                          parts.metrics, parts.log},
              std::move(recipients.endpoints),
              engine_options(delivery, std::move(recipients.identity), times)) {}

boost::asio::awaitable<RunOutcome> Pass::run() {
  co_await engine_.run();
  co_await parts_.inbox.finish();
  publish(parts_.inbox.figures());
  RunOutcome outcome;
  outcome.failure = parts_.inbox.failure();
  outcome.result = result_of(engine_.counts(), parts_.inbox.stats());
  outcome.result.elapsed =
      std::chrono::duration_cast<std::chrono::microseconds>(parts_.clock.monotonic() - started_);
  co_return outcome;
}

void Pass::publish(const InboxFigures& figures) {
  parts_.metrics.add(Metric::events_expired, figures.expired);
  if (!figures.in_review) {
    return;
  }
  parts_.metrics.set(Metric::events_in_review, *figures.in_review);
  const WallTime now = parts_.clock.wall();
  const auto age = now - std::min(figures.oldest_pending.value_or(now), now);
  parts_.metrics.set(Metric::oldest_pending_age,
                     std::chrono::floor<std::chrono::seconds>(age).count());
}

void Pass::stop() {
  parts_.inbox.stop();
  engine_.stop();
}

void Pass::stop_now() {
  parts_.inbox.stop();
  engine_.stop_now();
}

}  // namespace dispatcher
