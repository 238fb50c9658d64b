// A checker is worth what it catches: each test here breaks one thing on purpose, and the
// simulation must say so, in the words of the promise that was broken.
#include "simulation/mutation.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace dispatcher::simulation {
namespace {

using fakes::MemoryDelivery;
using fakes::MemoryEvent;
using fakes::MemoryStore;
using std::chrono::seconds;

TEST(Mutation, without_a_fault_of_ours_nothing_is_found) {
  EXPECT_EQ(found_with({}), "");
}

// -- the store

struct LosesEvents : MemoryStore {
  using MemoryStore::MemoryStore;
  Result<AppendAnswer> append_now(AppendRequest request) override {
    auto answer = MemoryStore::append_now(std::move(request));
    if (answer && !answer->is_replay && ++appended % 20 == 0) {
      const EventId id = answer->events.at(0).id;
      disk_to_change().by_sequence.erase(disk_to_change().events.at(id).sequence);
      disk_to_change().events.erase(id);
    }
    return answer;
  }
  int appended = 0;
};

TEST(Mutation, a_lost_event_is_found) {
  EXPECT_TRUE(is_found(with_store<LosesEvents>(), "lost: an event was answered"));
}

// It answers before what it was given is durable.
struct ForgetsTheLastInACrash : MemoryStore {
  using MemoryStore::MemoryStore;
  Result<AppendAnswer> append_now(AppendRequest request) override {
    auto answer = MemoryStore::append_now(std::move(request));
    if (answer) {
      last = answer->events.at(0).id;
    }
    return answer;
  }
  Result<ClaimAnswer> claim_now(std::vector<ClaimRequest> requests, std::size_t bytes) override {
    if (is_first_claim_of_life()) {
      if (const auto row = disk_to_change().events.extract(last)) {
        disk_to_change().by_sequence.erase(row.mapped().sequence);
      }
    }
    return MemoryStore::claim_now(std::move(requests), bytes);
  }
  void on_due(DueHint hint) override {
    is_new_life = true;  // an engine listens as it starts
    MemoryStore::on_due(std::move(hint));
  }
  bool is_first_claim_of_life() { return std::exchange(is_new_life, false); }
  EventId last;
  bool is_new_life = false;
};

TEST(Mutation, an_answer_before_the_write_is_durable_is_found) {
  EXPECT_TRUE(is_found(with_store<ForgetsTheLastInACrash>(), "lost: an event was answered"));
}

struct ForgetsAttempts : MemoryStore {
  using MemoryStore::MemoryStore;
  Result<void> settle_now(Settlement settlement) override {
    if (std::holds_alternative<Delivered>(settlement.decision) && ++successes % 10 == 0) {
      return {};
    }
    return MemoryStore::settle_now(std::move(settlement));
  }
  int successes = 0;
};

TEST(Mutation, a_settle_that_records_nothing_is_found) {
  // The event waits for ever, since its delivery is neither recorded nor given back.
  EXPECT_TRUE(is_found(with_store<ForgetsAttempts>(), "it hangs"));
}

// What was claimed is not held.
struct ClaimsTwice : MemoryStore {
  using MemoryStore::MemoryStore;
  Result<ClaimAnswer> claim_now(std::vector<ClaimRequest> requests, std::size_t bytes) override {
    auto answer = MemoryStore::claim_now(std::move(requests), bytes);
    if (answer && answer->deliveries.size() == 1 && ++claims % 5 == 0) {
      answer->deliveries.push_back(answer->deliveries[0]);
    }
    return answer;
  }
  int claims = 0;
};

TEST(Mutation, a_delivery_claimed_twice_is_found) {
  EXPECT_TRUE(is_found(with_store<ClaimsTwice>(), "sent while an attempt of it was under way"));
}

struct ClaimsTooEarly : MemoryStore {
  using MemoryStore::MemoryStore;
  Result<void> settle_now(Settlement settlement) override {
    if (auto* again = std::get_if<Again>(&settlement.decision)) {
      again->at -= std::chrono::milliseconds{300};
    }
    return MemoryStore::settle_now(std::move(settlement));
  }
};

TEST(Mutation, a_retry_before_its_time_is_found) {
  EXPECT_TRUE(is_found(with_store<ClaimsTooEarly>(), "too early"));
}

struct ChangesPayloads : MemoryStore {
  using MemoryStore::MemoryStore;
  Result<ClaimAnswer> claim_now(std::vector<ClaimRequest> requests, std::size_t bytes) override {
    auto answer = MemoryStore::claim_now(std::move(requests), bytes);
    for (std::size_t i = 0; answer && i < answer->deliveries.size(); ++i) {
      auto& delivery = answer->deliveries[i];
      if (delivery.progress.attempts > 0) {  // 1.0e3 is the same number, and another text
        Event changed = *delivery.event;
        changed.payload = R"({"number":0,"spelling":1000})";
        delivery.event = std::make_shared<const Event>(std::move(changed));
      }
    }
    return answer;
  }
};

TEST(Mutation, a_body_that_changes_between_attempts_is_found) {
  EXPECT_TRUE(is_found(with_store<ChangesPayloads>(), "the body changed between attempts"));
}

struct IgnoresAcks : MemoryStore {
  using MemoryStore::MemoryStore;
  Result<AckAnswer> ack_now(const EventId& id, const std::optional<std::string>& token) override {
    if (!disk().events.contains(id)) {
      return MemoryStore::ack_now(id, token);
    }
    AckAnswer answer;
    answer.id = id;
    return answer;
  }
};

TEST(Mutation, an_ack_that_ends_nothing_is_found) {
  EXPECT_TRUE(is_found(with_store<IgnoresAcks>(), "sent though a consumer had acknowledged"));
}

struct IgnoresLeases : MemoryStore {
  using MemoryStore::MemoryStore;
  Result<ClaimAnswer> claim_now(std::vector<ClaimRequest> requests, std::size_t bytes) override {
    for (auto& [id, row] : disk_to_change().events) {
      row.lease_token.clear();
    }
    return MemoryStore::claim_now(std::move(requests), bytes);
  }
};

TEST(Mutation, an_engine_that_takes_what_a_consumer_leased_is_found) {
  EXPECT_TRUE(is_found(with_store<IgnoresLeases>(), "sent while a consumer held its lease"));
}

// Takes what is due, and tells nobody.
struct SwallowsClaims : MemoryStore {
  using MemoryStore::MemoryStore;
  Result<ClaimAnswer> claim_now(std::vector<ClaimRequest> requests, std::size_t bytes) override {
    auto answer = MemoryStore::claim_now(std::move(requests), bytes);
    if (answer && ++claims % 7 == 0) {
      answer->deliveries.clear();
    }
    return answer;
  }
  int claims = 0;
};

TEST(Mutation, a_delivery_that_nobody_takes_up_is_found) {
  EXPECT_TRUE(is_found(with_store<SwallowsClaims>(), "it hangs"));
}

struct SendsToReview : MemoryStore {
  using MemoryStore::MemoryStore;
  Result<void> settle_now(Settlement settlement) override {
    if (std::holds_alternative<Again>(settlement.decision) && ++failures % 10 == 0) {
      settlement.decision = SentToReview{ReviewReason::exhausted};
    }
    return MemoryStore::settle_now(std::move(settlement));
  }
  int failures = 0;
};

TEST(Mutation, a_review_without_a_cause_is_found) {
  EXPECT_TRUE(is_found(with_store<SendsToReview>(), "in review (exhausted) without a cause"));
}

struct ForgetsKeys : MemoryStore {
  using MemoryStore::MemoryStore;
  Result<AppendAnswer> append_now(AppendRequest request) override {
    request.idempotency.reset();
    return MemoryStore::append_now(std::move(request));
  }
};

TEST(Mutation, a_key_that_makes_two_events_is_found) {
  EXPECT_TRUE(is_found(with_store<ForgetsKeys>(), "an idempotency key made two events"));
}

// -- the clock, the network, the settings

struct SlowClock : Clock {
  explicit SlowClock(const Clock& right) : clock(right) {}
  WallTime wall() const override { return clock.wall() - seconds{2}; }
  MonoTime monotonic() const override { return clock.monotonic(); }
  const Clock& clock;
};

TEST(Mutation, an_engine_with_another_clock_than_the_store_is_found) {
  Breakage breakage;
  breakage.clock = [](const Clock& clock) { return std::make_unique<SlowClock>(clock); };
  EXPECT_TRUE(is_found(breakage, "an attempt is recorded that was not made"));
}

// Says 200 where nobody answered in time.
struct Optimist : HttpClient {
  explicit Optimist(HttpClient& honest) : client(honest) {}
  boost::asio::awaitable<Exchange> send(HttpRequest request) override {
    Exchange exchange = co_await client.send(std::move(request));
    const auto* failure = std::get_if<Failure>(&exchange.result);
    if (failure != nullptr && failure->kind == FailureKind::timeout) {
      Answer answer;
      answer.status = 200;
      exchange.result = std::move(answer);
    }
    co_return exchange;
  }
  void abort() override { client.abort(); }
  std::uint64_t connections_opened() const override { return client.connections_opened(); }
  HttpClient& client;
};

TEST(Mutation, a_success_that_no_receiver_gave_is_found) {
  Breakage breakage;
  breakage.http = [](HttpClient& client, Timers&, const Clock&) {
    return std::make_unique<Optimist>(client);
  };
  EXPECT_TRUE(is_found(breakage, "called delivered though no receiver took it") ||
              is_found(breakage, "an attempt is recorded that was not made"));
}

// Does not end what is under way.
struct Deaf : Optimist {
  using Optimist::Optimist;
  boost::asio::awaitable<Exchange> send(HttpRequest request) override {
    return client.send(std::move(request));
  }
  void abort() override {}
};

TEST(Mutation, a_stop_that_waits_for_a_hanging_receiver_is_found) {
  Breakage breakage;
  breakage.http = [](HttpClient& client, Timers&, const Clock&) {
    return std::make_unique<Deaf>(client);
  };
  EXPECT_TRUE(is_found(breakage, "a stop takes longer than it may"));
}

TEST(Mutation, more_requests_than_an_endpoint_allows_are_found) {
  Breakage breakage;
  breakage.endpoints = [](std::vector<Endpoint>& endpoints) {
    for (Endpoint& endpoint : endpoints) {
      ++endpoint.concurrency;
    }
  };
  EXPECT_TRUE(is_found(breakage, "requests at once to"));
}

TEST(Mutation, more_requests_than_are_allowed_in_all_are_found) {
  Breakage breakage;
  breakage.options = [](EngineOptions& options) { ++options.max_in_flight; };
  EXPECT_TRUE(is_found(breakage, "requests at once, and the most is"));
}

TEST(Mutation, a_shorter_backoff_is_found) {
  Breakage breakage;
  breakage.endpoints = [](std::vector<Endpoint>& endpoints) {
    for (Endpoint& endpoint : endpoints) {
      endpoint.retry.base = std::chrono::milliseconds{700};
    }
  };
  EXPECT_TRUE(is_found(breakage, "too early"));
}

TEST(Mutation, a_longer_timeout_is_found) {
  Breakage breakage;
  breakage.endpoints = [](std::vector<Endpoint>& endpoints) {
    for (Endpoint& endpoint : endpoints) {
      endpoint.timeout += seconds{1};
    }
  };
  EXPECT_TRUE(is_found(breakage, "more than its endpoint's timeout"));
}

TEST(Mutation, a_retry_of_what_was_rejected_is_found) {
  Breakage breakage;
  breakage.endpoints = [](std::vector<Endpoint>& endpoints) {
    for (Endpoint& endpoint : endpoints) {
      endpoint.retry.statuses.also_retryable = {400, 401, 404, 410, 422};
    }
  };
  EXPECT_TRUE(is_found(breakage, "sent again after an answer that is not retryable"));
}

TEST(Mutation, a_run_that_forgets_its_deadline_is_found) {
  Breakage breakage;
  breakage.options = [](EngineOptions& options) { options.deadline.reset(); };
  EXPECT_TRUE(is_found(breakage, "run"));
}

}  // namespace
}  // namespace dispatcher::simulation
