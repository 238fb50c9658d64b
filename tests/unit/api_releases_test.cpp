// Promise: a replay or discard acts on what its filter says and on nothing else, in short steps,
// within its limit; a dry run acts on nothing; and who asked for it is kept.
#include "api_fixture.hpp"

namespace dispatcher {
namespace {

constexpr std::string_view kId = "01890a5d-ac96-774b-bcce-b302099a8057";

class ApiReleases : public ApiFixture {
 protected:
  ServerAnswer post(std::string path, std::string body = {}) {
    return serve(head_of("POST", std::move(path)), std::move(body));
  }
};

TEST_F(ApiReleases, a_release_goes_on_from_step_to_step_to_the_end) {
  store.steps = {{200, 300, 77}, {0, 0, 99}, {5, 6, {}}};
  const ServerAnswer answer =
      post("/replay",
           R"({"filter":{"state":"review","reason":"rejected","endpoint_id":"ep_1","type":"a",)"
           R"("source":"b","from":"2025-01-01","to":"2025-02-01T00:00:00Z"},"note":"fixed"})");
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.body, R"({"matched":205,"replayed":306})");
  ASSERT_EQ(store.asked.size(), 3U);
  EXPECT_EQ(store.asked[0].after, std::nullopt);
  EXPECT_EQ(store.asked[1].after, 77);
  EXPECT_EQ(store.asked[2].after, 99);
  const EventQuery& query = store.asked[0].query;
  EXPECT_EQ(query.state, DeliveryState::review);
  EXPECT_EQ(query.reason, ReviewReason::rejected);
  EXPECT_EQ(query.endpoint_id, "ep_1");
  EXPECT_EQ(query.type, "a");
  EXPECT_EQ(query.source, "b");
  EXPECT_EQ(query.from, parse_timestamp("2025-01-01"));
  EXPECT_EQ(query.to, parse_timestamp("2025-02-01"));
  EXPECT_EQ(store.asked[0].note.by, "the-api-... from 192.0.2.1");
  EXPECT_EQ(store.asked[0].note.note, "fixed");
  EXPECT_EQ(store.asked[0].action, ReleaseAction::replay);
}

TEST_F(ApiReleases, a_discard_is_one) {
  store.steps = {{3, 2, {}}};
  EXPECT_EQ(post("/discard", R"({"filter":{"status":"pending"}})").body,
            R"({"matched":3,"discarded":2})");
  EXPECT_EQ(store.asked.at(0).action, ReleaseAction::discard);
}

TEST_F(ApiReleases, no_more_events_than_the_limit_are_released) {
  store.steps = {{200, 200, 1}, {50, 50, 2}, {9, 9, 3}};
  EXPECT_EQ(post("/discard", R"({"filter":{"state":"review"},"limit":250})").body,
            R"({"matched":250,"discarded":250})");
  ASSERT_EQ(store.asked.size(), 2U);
  EXPECT_EQ(store.asked[1].max_events, 50U);
}

TEST_F(ApiReleases, what_was_done_is_said_when_a_later_step_fails) {
  store.steps = {{200, 300, 77}, {50, 60, 99}};
  store.good_steps = 2;
  const ServerAnswer part = post("/discard", R"({"filter":{"state":"review"},"limit":900})");
  EXPECT_EQ(part.status, 202);
  EXPECT_EQ(part.body, R"({"matched":250,"discarded":360,"incomplete":true})");
}

TEST_F(ApiReleases, a_release_that_did_nothing_may_be_asked_for_again) {
  store.steps = {{0, 0, 77}};
  store.good_steps = 1;
  const ServerAnswer none = post("/discard", R"({"filter":{"state":"review"}})");
  EXPECT_EQ(none.status, 503);
  EXPECT_EQ(header_of(none, "retry-after"), "1");
}

TEST_F(ApiReleases, a_dry_run_says_what_would_be_done_and_changes_nothing) {
  store.steps = {{200, 300, 77}, {5, 6, {}}, {7, 9, 88}};
  EXPECT_EQ(post("/replay", R"({"filter":{"state":"review"},"dry_run":true})").body,
            R"({"matched":205,"replayed":0,"deliveries":306})");
  EXPECT_EQ(post("/discard", R"({"filter":{"state":"review"},"dry_run":true,"limit":7})").body,
            R"({"matched":7,"discarded":0,"deliveries":9})");
  ASSERT_EQ(store.asked.size(), 3U);
  EXPECT_EQ(store.asked[1].after, 77);
  EXPECT_EQ(store.asked[1].action, ReleaseAction::replay);
  EXPECT_EQ(store.asked[2].max_events, 7U);
  EXPECT_EQ(store.asked[2].action, ReleaseAction::discard);
  EXPECT_TRUE(std::ranges::all_of(store.asked, &EndpointShelf::AskedStep::is_trial));
}

TEST_F(ApiReleases, a_dry_run_that_saw_a_part_says_nothing_of_the_whole) {
  store.steps = {{200, 300, 77}};
  store.good_steps = 1;
  EXPECT_EQ(post("/replay", R"({"filter":{"state":"review"},"dry_run":true})").status, 503);
}

TEST_F(ApiReleases, a_filter_that_would_match_everything_or_has_a_slip_is_refused) {
  const auto refusal = [&](const std::string& body) {
    const ServerAnswer answer = post("/replay", body);
    EXPECT_EQ(answer.status, 422) << body;
    EXPECT_TRUE(store.asked.empty()) << body;
    return answer.body;
  };
  for (const std::string body :
       {"", "{}", R"({"filter":{}})", R"({"filter":{"state":null}})", R"({"filter":null})",
        R"({"filter":"state=review"})", R"({"filter":{"stat":"review"}})",
        R"({"filter":{"state":"review","tpye":"a"}})", R"({"filter":{"state":"in review"}})",
        R"({"filter":{"state":7}})", R"({"filter":{"from":"yesterday"}})",
        R"({"filter":{"state":"review"},"dryrun":true})",
        R"({"filter":{"state":"review"},"dry_run":"yes"})",
        R"({"filter":{"state":"review"},"limit":0})", R"({"filter":{"order":"asc"}})"}) {
    (void)refusal(body);
  }
  EXPECT_NE(refusal(R"({"filter":{"stat":"review"}})")
                .find(R"("extra_forbidden","loc":["body","filter","stat"])"),
            std::string::npos);
  EXPECT_NE(refusal(R"({"filter":{"state":"x"}})")
                .find(R"("literal_error","loc":["body","filter","state"])"),
            std::string::npos);
  EXPECT_NE(refusal(R"({"filter":{}})").find(R"("value_error","loc":["body","filter"])"),
            std::string::npos);
}

TEST_F(ApiReleases, a_note_has_at_most_a_thousand_characters) {
  const auto with_note = [](std::size_t length) {
    std::string note;
    for (std::size_t i = 0; i < length; ++i) {
      note += "ü";
    }
    return R"({"filter":{"state":"review"},"note":")" + note + R"("})";
  };
  EXPECT_EQ(post("/replay", with_note(1000)).status, 202);
  EXPECT_EQ(post("/replay", with_note(1001)).status, 422);
}

TEST_F(ApiReleases, one_event_is_replayed_with_a_note_or_without_a_body) {
  const std::string path = "/events/" + std::string{kId} + "/replay";
  const ServerAnswer plain = post(path);
  EXPECT_EQ(plain.status, 202);
  EXPECT_EQ(plain.body, R"({"id":")" + std::string{kId} + R"(","replayed":2})");
  EXPECT_EQ(store.released_with->by, "the-api-... from 192.0.2.1");
  EXPECT_EQ(store.released_as, ReleaseAction::replay);
  (void)post(path, R"({"endpoint_id":"ep_1","note":"why"})");
  EXPECT_EQ(store.released_with->note, "why");
  EXPECT_EQ(post(path, R"({"endpoint_id":7})").status, 422);
  EXPECT_EQ(post(path, R"({"endpoint":"ep_1"})").status, 422);
}

TEST_F(ApiReleases, one_event_is_discarded_with_a_note_or_without_a_body) {
  const std::string path = "/events/" + std::string{kId} + "/discard";
  const ServerAnswer plain = post(path);
  EXPECT_EQ(plain.status, 202);
  EXPECT_EQ(plain.body, R"({"id":")" + std::string{kId} + R"(","discarded":2})");
  EXPECT_EQ(store.released_as, ReleaseAction::discard);
  (void)post(path, R"({"endpoint_id":"ep_1","note":"why"})");
  EXPECT_EQ(store.released_with->note, "why");
  EXPECT_EQ(post(path, R"({"filter":{"state":"review"}})").status, 422);
  EXPECT_EQ(post(path, R"({"dry_run":true})").status, 422);
}

TEST_F(ApiReleases, what_is_not_there_is_told_apart) {
  for (const std::string action : {"/replay", "/discard"}) {
    store.has_event = true;
    const std::string path = "/events/" + std::string{kId} + action;
    EXPECT_EQ(
        post(path, R"({"endpoint_id":"ep_other"})").body,
        R"({"detail":"Event )" + std::string{kId} + R"( has no delivery to endpoint ep_other"})");
    store.has_event = false;
    for (const std::string body : {"{}", R"({"endpoint_id":"ep_other"})"}) {
      EXPECT_EQ(post(path, body).body,
                R"({"detail":"Event with ID )" + std::string{kId} + R"( not found"})");
    }
    EXPECT_EQ(post("/events/nonsense" + action).status, 404);
  }
}

TEST_F(ApiReleases, an_event_shows_its_releases_when_there_are_any) {
  const std::string path = "/events/" + std::string{kId};
  EXPECT_TRUE(serve(head_of("GET", path)).body.ends_with(R"("deliveries":[]})"));
  store.known_releases = {{"ep_1", ReleaseAction::discard, clock.wall(), {"me", "a \"note\""}}};
  EXPECT_TRUE(serve(head_of("GET", path))
                  .body.ends_with(R"("deliveries":[],"releases":[{"endpoint_id":"ep_1",)"
                                  R"("action":"discard","at":"2026-01-01T00:00:00.000000Z",)"
                                  R"("by":"me","note":"a \"note\""}]})"));
}

}  // namespace
}  // namespace dispatcher
