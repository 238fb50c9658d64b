// Promises: over an API that keeps nothing, a process delivers to no endpoint again what it took,
// and does not try again what it rejected; what failed before lets go first what has not been
// tried; what such memory takes is bounded, and it holds for no other endpoint and no longer than
// it must.
#include "adapters/http_inbox/inbox_memory.hpp"

#include "http_inbox/inbox_fixture.hpp"

namespace dispatcher {
namespace {

using namespace test;

EventId id_of(std::uint64_t number) {
  return *parse_uuid(fmt::format("00000000-0000-4000-8000-{:012x}", number));
}

// Two endpoints over an API without leases; `next_run` keeps only what a warm process keeps.
class PlainRuns : public HttpInboxTest {
 protected:
  PlainRuns() : HttpInboxTest(2) { api.has_leases = false; }

  void next_run() { restart({endpoint(1), endpoint(2)}, 100); }

  std::vector<ClaimedDelivery> claim_both() {
    auto answer = await(inbox->claim({{1, 10}, {2, 10}}, kMegabyte));
    return answer ? answer->deliveries : std::vector<ClaimedDelivery>{};
  }
};

TEST_F(PlainRuns, what_one_endpoint_took_goes_in_the_next_run_to_the_other_alone) {
  api.add();
  auto claimed = claim_both();
  ASSERT_EQ(claimed.size(), 2U);
  EXPECT_TRUE(deliver(claimed[0]));
  EXPECT_TRUE(fail_round(claimed[1], std::chrono::minutes{5}));
  next_run();
  claimed = claim_both();
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(claimed[0].endpoint, 2U);
  EXPECT_TRUE(deliver(claimed[0]));
  EXPECT_EQ(inbox->stats().acknowledged, 1);
}

TEST_F(PlainRuns, an_acknowledgement_that_was_lost_is_made_up_for_without_delivering_again) {
  api.add();
  api.faults["ack"] = {0};
  for (const ClaimedDelivery& claimed : claim_both()) {
    (void)deliver(claimed);
  }
  EXPECT_EQ(inbox->stats().acknowledged, 0);
  next_run();
  EXPECT_TRUE(claim_both().empty());
  EXPECT_EQ(inbox->stats().acknowledged, 1);
}

TEST_F(PlainRuns, what_failed_in_an_earlier_run_comes_behind_what_has_not_been_tried) {
  const EventId failed = api.add();
  const EventId untried = api.add();
  for (const ClaimedDelivery& claimed : claim_both()) {
    if (claimed.event->id == failed) {
      EXPECT_TRUE(fail_round(claimed, std::chrono::minutes{5}));
    }
  }
  next_run();
  const auto claimed = claim_both();
  ASSERT_EQ(claimed.size(), 4U);
  EXPECT_EQ(claimed[0].event->id, untried);
  EXPECT_EQ(claimed[1].event->id, failed);
}

TEST_F(PlainRuns, what_every_endpoint_rejected_is_left_alone_and_counts_for_nothing) {
  api.add();
  for (const ClaimedDelivery& claimed : claim_both()) {
    EXPECT_TRUE(reject(claimed));
  }
  next_run();
  EXPECT_TRUE(claim_both().empty());
  EXPECT_EQ(inbox->stats().events, 0);
  EXPECT_TRUE(api.calls_to("/ack").empty());
}

TEST_F(PlainRuns,
       what_was_acknowledged_and_is_still_shown_is_left_alone_for_as_long_as_an_index_lags) {
  const auto event = api.add();
  for (const ClaimedDelivery& claimed : claim_both()) {
    EXPECT_TRUE(deliver(claimed));
  }
  api.at(event).is_pending = true;
  next_run();
  EXPECT_TRUE(claim_both().empty());
  clock.advance(InboxMemory::kIndexLag + seconds{1});
  next_run();
  EXPECT_EQ(claim_both().size(), 2U);  // somebody has made it pending again
}

TEST(InboxMemory, keeps_apart_events_and_endpoints) {
  InboxMemory memory;
  memory.note_delivered(id_of(1), "a");
  memory.note_rejected(id_of(1), "b");
  const auto known = memory.known(id_of(1));
  ASSERT_EQ(known.size(), 2U);
  EXPECT_TRUE(known[0].is_delivered && !known[0].is_rejected);
  EXPECT_TRUE(known[1].is_rejected && !known[1].is_delivered);
  EXPECT_TRUE(memory.known(id_of(2)).empty());
}

TEST(InboxMemory, forgets_the_oldest_when_it_is_full) {
  InboxMemory memory;
  for (std::uint64_t number = 0; number <= InboxMemory::kMaxEvents; ++number) {
    memory.note_rejected(id_of(number), "a");
  }
  EXPECT_EQ(memory.size(), InboxMemory::kMaxEvents);
  EXPECT_TRUE(memory.known(id_of(0)).empty());
  EXPECT_FALSE(memory.known(id_of(1)).empty());
}

}  // namespace
}  // namespace dispatcher
