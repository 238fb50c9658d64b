// As mutation_test.cpp, for what holds of each endpoint: its breaker, its rate, its state, its URL
// and its keys. What is broken is what the engine is told, or what the store keeps of it.
#include "simulation/mutation.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace dispatcher::simulation {
namespace {

using fakes::MemoryStore;

Breakage with_each_endpoint(std::function<void(Endpoint&)> change) {
  Breakage breakage;
  breakage.endpoints = [change = std::move(change)](std::vector<Endpoint>& endpoints) {
    for (Endpoint& endpoint : endpoints) {
      change(endpoint);
    }
  };
  return breakage;
}

// Another path each time: the engine takes it for another receiver, and forgets the one before.
Breakage that_forgets_receivers() {
  int number = 0;
  return with_each_endpoint([number](Endpoint& endpoint) mutable {
    endpoint.url.target = "/" + std::to_string(++number);
  });
}

TEST(Mutation, a_breaker_that_is_forgotten_is_found) {
  EXPECT_TRUE(is_found(that_forgets_receivers(), "sent though its endpoint's breaker was open"));
}

TEST(Mutation, a_429_that_is_forgotten_is_found) {
  EXPECT_TRUE(is_found(that_forgets_receivers(), "sent to an endpoint that a 429 had paused"));
}

// What changes nothing of a delivery's retries was a probe: it is made to be its last attempt.
struct LetsProbesUseUpRetries : MemoryStore {
  using MemoryStore::MemoryStore;
  Result<void> settle_now(Settlement settlement) override {
    const auto* again = std::get_if<Again>(&settlement.decision);
    const auto row = disk().events.find(settlement.event_id);
    if (again != nullptr && row != disk().events.end() &&
        settlement.attempt.outcome == Outcome::retryable) {
      const auto& progress = row->second.deliveries.at(settlement.endpoint).progress;
      if (progress.retries_used == again->retries_used && progress.step == again->step) {
        settlement.decision = SentToReview{ReviewReason::exhausted};
      }
    }
    return MemoryStore::settle_now(std::move(settlement));
  }
};

TEST(Mutation, a_probe_that_uses_up_retries_is_found) {
  EXPECT_TRUE(
      is_found(with_store<LetsProbesUseUpRetries>(), "in review (exhausted) without a cause"));
}

TEST(Mutation, a_rate_that_is_too_high_is_found) {
  const auto breakage = with_each_endpoint([](Endpoint& endpoint) {
    if (endpoint.rate_per_second) {
      *endpoint.rate_per_second *= 2;
    }
  });
  EXPECT_TRUE(is_found(breakage, "sent more often than its endpoint's rate"));
}

TEST(Mutation, a_paused_endpoint_that_is_sent_something_is_found) {
  const auto breakage =
      with_each_endpoint([](Endpoint& endpoint) { endpoint.state = EndpointState::active; });
  EXPECT_TRUE(is_found(breakage, "sent to an endpoint that is paused"));
}

TEST(Mutation, a_410_that_disables_nothing_is_found) {
  const auto breakage = with_each_endpoint(
      [](Endpoint& endpoint) { endpoint.retry.statuses.also_retryable = {410}; });
  EXPECT_TRUE(is_found(breakage, "sent to an endpoint that a 410 had disabled"));
}

TEST(Mutation, a_url_that_is_changed_too_late_is_found) {
  const auto breakage = with_each_endpoint(
      [](Endpoint& endpoint) { endpoint.url.host = endpoint.url.host.substr(0, 1) + ".example"; });
  EXPECT_TRUE(is_found(breakage, "sent to a URL that its endpoint no longer has"));
}

TEST(Mutation, a_key_that_is_rotated_too_late_is_found) {
  const auto breakage = with_each_endpoint([](Endpoint& endpoint) {
    endpoint.signing_keys = {{"the first key", std::nullopt}};
  });
  EXPECT_TRUE(is_found(breakage, "sent without the signature of a key"));
}

// Nothing becomes due again by itself: an endpoint that heals would never learn of it.
struct ForgetsWhatIsDue : MemoryStore {
  using MemoryStore::MemoryStore;
  Result<ClaimAnswer> claim_now(std::vector<ClaimRequest> requests, std::size_t bytes) override {
    auto answer = MemoryStore::claim_now(std::move(requests), bytes);
    if (answer) {
      for (LaneDue& lane : answer->lanes) {
        lane.next_due.reset();
      }
    }
    return answer;
  }
};

TEST(Mutation, an_endpoint_that_heals_and_is_not_tried_is_found) {
  EXPECT_TRUE(is_found(with_store<ForgetsWhatIsDue>(), "it hangs"));
}

// A list of endpoints that was read before a 410 is taken for a later one.
TEST(Mutation, a_stale_list_that_undoes_a_410_is_found) {
  const auto breakage = with_each_endpoint([](Endpoint& endpoint) { endpoint.revision = 1 << 30; });
  EXPECT_TRUE(is_found(breakage, "sent to an endpoint that a 410 had disabled", 4'000));
}

struct RemovesNothing : MemoryStore {
  using MemoryStore::MemoryStore;
  Result<void> remove_now(const std::string& /*id*/, bool /*discards_waiting*/,
                          const ReleaseNote& /*note*/) override {
    return {};
  }
};

TEST(Mutation, a_removed_endpoint_that_is_sent_something_is_found) {
  EXPECT_TRUE(is_found(with_store<RemovesNothing>(), "sent to an endpoint that was removed"));
}

struct RemovesAndDeniesIt : MemoryStore {
  using MemoryStore::MemoryStore;
  Result<void> remove_now(const std::string& id, bool /*discards_waiting*/,
                          const ReleaseNote& note) override {
    (void)MemoryStore::remove_now(id, true, note);
    return make_error(ErrorKind::retry_later, "broken on purpose");
  }
};

TEST(Mutation, an_endpoint_that_nobody_removed_and_is_gone_is_found) {
  EXPECT_TRUE(is_found(with_store<RemovesAndDeniesIt>(), "gone though nobody removed it"));
}

struct KeepsWhatWaits : MemoryStore {
  using MemoryStore::MemoryStore;
  Result<void> remove_now(const std::string& id, bool discards_waiting,
                          const ReleaseNote& note) override {
    const auto removed = MemoryStore::remove_now(id, discards_waiting, note);
    for (fakes::MemoryEndpoint& endpoint : disk_to_change().endpoints) {
      endpoint.discard_note.reset();
    }
    return removed;
  }
};

TEST(Mutation, what_waits_for_a_removed_endpoint_for_ever_is_found) {
  EXPECT_TRUE(is_found(with_store<KeepsWhatWaits>(), ", which was removed"));
}

struct ForgetsBacklogs : MemoryStore {
  using MemoryStore::MemoryStore;
  Result<ClaimAnswer> claim_now(std::vector<ClaimRequest> requests, std::size_t bytes) override {
    for (fakes::MemoryEndpoint& endpoint : disk_to_change().endpoints) {
      endpoint.wants_backlog = false;
    }
    return MemoryStore::claim_now(std::move(requests), bytes);
  }
};

TEST(Mutation, a_backlog_that_is_not_routed_is_found) {
  EXPECT_TRUE(is_found(with_store<ForgetsBacklogs>(), "not routed to an endpoint that wants it"));
}

}  // namespace
}  // namespace dispatcher::simulation
