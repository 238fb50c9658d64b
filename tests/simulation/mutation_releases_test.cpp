// As mutation_test.cpp, for what persons replay, discard and delete.
#include "simulation/mutation.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <utility>

namespace dispatcher::simulation {
namespace {

using fakes::MemoryDelivery;
using fakes::MemoryEvent;
using fakes::MemoryStore;

// Breaks what a release does: `spoil` has it in its hands when it is done.
struct SpoilsReleases : MemoryStore {
  using MemoryStore::MemoryStore;
  std::int64_t release_deliveries(MemoryEvent& row, const EventQuery& query, ReleaseAction action,
                                  const ReleaseNote& note) override {
    const auto before = row;
    const auto released = MemoryStore::release_deliveries(row, query, action, note);
    if (released > 0) {
      spoil(row, before, action);
    }
    return released;
  }
  virtual void spoil(MemoryEvent& row, const MemoryEvent& before, ReleaseAction action) = 0;
};

struct ForgetsDiscards : SpoilsReleases {
  using SpoilsReleases::SpoilsReleases;
  void spoil(MemoryEvent& row, const MemoryEvent& before, ReleaseAction action) override {
    // Once for each event: what a removed endpoint leaves is discarded until nothing is left of it.
    if (action == ReleaseAction::discard && forgotten.insert(row.sequence).second) {
      row.deliveries = before.deliveries;
      row.status = before.status;
    }
  }

  std::set<std::int64_t> forgotten;
};

TEST(Mutation, a_discarded_delivery_that_is_sent_is_found) {
  EXPECT_TRUE(is_found(with_store<ForgetsDiscards>(), "sent though a person had discarded it"));
}

struct ForgetsReplays : SpoilsReleases {
  using SpoilsReleases::SpoilsReleases;
  void spoil(MemoryEvent& row, const MemoryEvent& before, ReleaseAction action) override {
    if (action == ReleaseAction::replay) {
      row.deliveries = before.deliveries;
      row.status = before.status;
    }
  }
};

TEST(Mutation, a_replay_that_sends_nothing_is_found) {
  EXPECT_TRUE(is_found(with_store<ForgetsReplays>(), "replayed, and no receiver took it since"));
}

struct NumbersAnew : SpoilsReleases {
  using SpoilsReleases::SpoilsReleases;
  void spoil(MemoryEvent& row, const MemoryEvent& before, ReleaseAction /*action*/) override {
    for (auto& [number, delivery] : row.deliveries) {
      if (delivery.state != before.deliveries.at(number).state) {
        delivery.progress.attempts = 0;
      }
    }
  }
};

TEST(Mutation, a_replay_that_numbers_its_attempts_anew_is_found) {
  EXPECT_TRUE(is_found(with_store<NumbersAnew>(), "attempts are not numbered"));
}

struct KeepsRetriesUsed : SpoilsReleases {
  using SpoilsReleases::SpoilsReleases;
  void spoil(MemoryEvent& row, const MemoryEvent& before, ReleaseAction /*action*/) override {
    for (auto& [number, delivery] : row.deliveries) {
      delivery.progress = before.deliveries.at(number).progress;
    }
  }
};

TEST(Mutation, a_replay_that_has_no_retries_of_its_own_is_found) {
  EXPECT_TRUE(is_found(with_store<KeepsRetriesUsed>(), "in review (exhausted) without a cause"));
}

struct LeavesTheStatus : SpoilsReleases {
  using SpoilsReleases::SpoilsReleases;
  void spoil(MemoryEvent& row, const MemoryEvent& before, ReleaseAction action) override {
    if (action == ReleaseAction::discard) {
      row.status = before.status;
    }
  }
};

TEST(Mutation, a_status_that_is_not_that_of_the_deliveries_is_found) {
  EXPECT_TRUE(is_found(with_store<LeavesTheStatus>(), "its status is not what its deliveries say"));
}

struct LosesRecords : SpoilsReleases {
  using SpoilsReleases::SpoilsReleases;
  void spoil(MemoryEvent& row, const MemoryEvent& before, ReleaseAction /*action*/) override {
    row.releases = before.releases;
  }
};

TEST(Mutation, a_release_that_is_not_on_record_is_found) {
  EXPECT_TRUE(is_found(with_store<LosesRecords>(), "deliveries are on record as released"));
}

struct NamesNobody : SpoilsReleases {
  using SpoilsReleases::SpoilsReleases;
  void spoil(MemoryEvent& row, const MemoryEvent& /*before*/, ReleaseAction /*action*/) override {
    row.releases.back().note.by.clear();
  }
};

TEST(Mutation, a_release_that_names_nobody_is_found) {
  EXPECT_TRUE(is_found(with_store<NamesNobody>(), "released though nobody asked"));
}

struct ReleasesToAll : MemoryStore {
  using MemoryStore::MemoryStore;
  std::int64_t release_deliveries(MemoryEvent& row, const EventQuery& /*query*/,
                                  ReleaseAction action, const ReleaseNote& note) override {
    return MemoryStore::release_deliveries(row, {}, action, note);
  }
};

TEST(Mutation, a_release_of_more_than_was_asked_for_is_found) {
  EXPECT_TRUE(is_found(with_store<ReleasesToAll>(), "released though nobody asked"));
}

struct ReplaysWhatIsInFlight : MemoryStore {
  using MemoryStore::MemoryStore;
  std::int64_t release_deliveries(MemoryEvent& row, const EventQuery& query, ReleaseAction action,
                                  const ReleaseNote& note) override {
    if (action == ReleaseAction::replay) {
      forget_claims_of(row.event->id);
      for (auto& [number, delivery] : row.deliveries) {
        delivery.due = std::min(delivery.due, row.event->created_at);
      }
    }
    return MemoryStore::release_deliveries(row, query, action, note);
  }
};

TEST(Mutation, a_replay_of_what_is_in_flight_is_found) {
  EXPECT_TRUE(
      is_found(with_store<ReplaysWhatIsInFlight>(), "sent while an attempt of it was under way"));
}

// An attempt that ends after its event was deleted writes the event again.
struct RevivesWhatWasDeleted : MemoryStore {
  using MemoryStore::MemoryStore;
  Result<void> erase_now(const EventId& id) override {
    if (const auto row = disk().events.find(id); row != disk().events.end()) {
      deleted.insert_or_assign(id, row->second);
    }
    return MemoryStore::erase_now(id);
  }
  Result<void> settle_now(Settlement settlement) override {
    if (const auto row = deleted.extract(settlement.event_id)) {
      disk_to_change().by_sequence.emplace(row.mapped().sequence, row.key());
      disk_to_change().events.emplace(row.key(), row.mapped());
    }
    return MemoryStore::settle_now(std::move(settlement));
  }
  std::map<EventId, MemoryEvent> deleted;
};

TEST(Mutation, a_deleted_event_that_comes_back_is_found) {
  EXPECT_TRUE(is_found(with_store<RevivesWhatWasDeleted>(), "there again though it was deleted") ||
              is_found(with_store<RevivesWhatWasDeleted>(), "sent though it was deleted"));
}

struct DeletesNothing : MemoryStore {
  using MemoryStore::MemoryStore;
  Result<void> erase_now(const EventId& id) override {
    return disk().events.contains(id) ? Result<void>{} : MemoryStore::erase_now(id);
  }
};

TEST(Mutation, a_deleted_event_that_is_sent_is_found) {
  EXPECT_TRUE(is_found(with_store<DeletesNothing>(), "sent though it was deleted"));
}

struct DiscardsByItself : MemoryStore {
  using MemoryStore::MemoryStore;
  Result<void> settle_now(Settlement settlement) override {
    const auto settled = MemoryStore::settle_now(settlement);
    const auto row = disk_to_change().events.find(settlement.event_id);
    if (settled && row != disk_to_change().events.end()) {
      MemoryDelivery& delivery = row->second.deliveries.at(settlement.endpoint);
      if (delivery.state == DeliveryState::review) {
        delivery.state = DeliveryState::discarded;
      }
    }
    return settled;
  }
};

TEST(Mutation, a_discard_by_nobody_is_found) {
  EXPECT_TRUE(is_found(with_store<DiscardsByItself>(), "discarded though nobody"));
}

}  // namespace
}  // namespace dispatcher::simulation
