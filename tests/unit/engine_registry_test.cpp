// Promise: each change of an endpoint is kept and told to the runtime when its call returns, two
// changes at once lose neither, what the secret gives is changed by nobody else, keys can be
// exchanged, and an endpoint whose key is missing is held back and not lost.
#include "engine/registry.hpp"

#include "base/bytes.hpp"
#include "endpoint_shelf.hpp"
#include "fakes/manual_clock.hpp"
#include "fakes/recording_runtime.hpp"
#include "fakes/sim_random.hpp"
#include "model/signature.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <utility>

namespace dispatcher {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kSecretUrl = "https://hooks.example.com/T0/hunter2";

std::string key_of(char byte) {
  return to_base64(std::string(kSealKeyBytes, byte));
}

KeyRing ring_of(const std::vector<std::string>& keys) {
  return *KeyRing::make(keys);
}

EndpointDraft draft_of(std::string url) {
  EndpointDraft draft;
  draft.secrets.url = std::move(url);
  draft.secrets.headers = {{"X-Key", "hunter3"}};
  return draft;
}

SecretEndpoints one_from_secret(const std::string& url) {
  SecretEndpoints from_secret;
  Endpoint endpoint;
  endpoint.id = secret_endpoint_id(url);
  endpoint.url = *parse_webhook_url(url);
  from_secret.endpoints = {endpoint};
  from_secret.url_hashes = {sha256(url)};
  from_secret.urls = {url};
  return from_secret;
}

class Registry : public testing::Test {
 protected:
  Registry() {
    EXPECT_TRUE(load({}, {key_of('a')}));
    runtime.sets = 0;
  }

  template <class T>
  T await(boost::asio::awaitable<T> work) {
    boost::asio::io_context loop;
    std::optional<T> result;
    boost::asio::co_spawn(loop, std::move(work), [&](const std::exception_ptr& bug, T value) {
      EXPECT_EQ(bug, nullptr);
      result.emplace(std::move(value));
    });
    loop.run();
    return *std::move(result);
  }

  bool load(SecretEndpoints from_secret, const std::vector<std::string>& keys) {
    return await(registry.load(std::move(from_secret), ring_of(keys))).has_value();
  }

  std::string created_id(std::string url = std::string{kSecretUrl}) {
    return await(registry.create(draft_of(std::move(url)), EndpointStart::now))->view->endpoint.id;
  }

  EndpointViewPtr found(const std::string& id) { return *await(registry.find(id)); }

  std::vector<std::string> lines;
  Log log{LogLevel::debug, LogFormat::json,
          [this](std::string_view line) { lines.emplace_back(line); }};
  EndpointShelf store;
  fakes::RecordingRuntime runtime;
  fakes::ManualClock clock;
  fakes::SimRandom random{1};
  int background_calls = 0;
  EndpointRegistry registry{
      RegistryPorts{store, runtime, clock, random, log, [this] { ++background_calls; }},
      DeliveryDefaults{}};
};

TEST_F(Registry, a_new_endpoint_is_kept_sealed_and_told_to_the_runtime) {
  const auto created =
      await(registry.create(draft_of(std::string{kSecretUrl}), EndpointStart::now));
  ASSERT_TRUE(created.has_value());
  EXPECT_TRUE(created->signing_secret.starts_with("whsec_"));
  ASSERT_EQ(store.records.size(), 1U);
  const EndpointRecord& record = store.records.front();
  EXPECT_EQ(record.target, "https://hooks.example.com");
  EXPECT_EQ((record.settings + record.sealed + record.target).find("hunter"), std::string::npos);
  const Endpoint* told = runtime.find(record.id);
  ASSERT_NE(told, nullptr);
  EXPECT_EQ(told->url.target, "/T0/hunter2");
  EXPECT_EQ(told->headers.front().value, "hunter3");
  EXPECT_EQ(*parse_signing_secret(created->signing_secret), told->signing_keys.front().bytes);
  EXPECT_EQ(background_calls, 0);
  (void)await(registry.create(draft_of(std::string{kSecretUrl}), EndpointStart::pending));
  EXPECT_EQ(background_calls, 1);
}

TEST_F(Registry, a_change_is_made_on_the_latest_draft_and_loses_nobody_elses) {
  const std::string id = created_id();
  int saves = 0;
  store.before_save = [&] {
    if (++saves == 1) {  // the engine disables it at the same moment
      EndpointRecord* record = store.record(id);
      record->state = EndpointState::disabled;
      record->state_reason = "status 410";
      ++record->revision;
    }
  };
  const auto changed =
      await(registry.change(id, [](EndpointDraft& draft) { draft.settings.description = "new"; }));
  ASSERT_TRUE(changed.has_value());
  EXPECT_EQ((*changed)->description, "new");
  EXPECT_EQ((*changed)->endpoint.state, EndpointState::disabled);
  EXPECT_EQ((*changed)->state_reason, "status 410");
  EXPECT_EQ(saves, 2);
}

TEST_F(Registry, a_url_that_leaves_the_secret_gets_nothing_from_before_the_store_forgets_it) {
  const std::string other = "https://hooks.example.com/T0/other";
  ASSERT_TRUE(load(one_from_secret(std::string{kSecretUrl}), {key_of('a')}));
  const std::string id = secret_endpoint_id(kSecretUrl);
  EndpointState told = EndpointState::active;
  store.before_configure = [&] { told = runtime.find(id)->state; };
  ASSERT_TRUE(load(one_from_secret(std::string{kSecretUrl}), {key_of('a')}));
  EXPECT_EQ(told, EndpointState::active);
  // Another's change meanwhile does not let it go.
  const std::string made = created_id();
  store.before_configure = [&] {
    EXPECT_EQ(runtime.caught_up_with, runtime.sets);
    (void)await(registry.pause(made));
    told = runtime.find(id)->state;
  };
  store.failure = ErrorKind::retry_later;
  EXPECT_FALSE(load(one_from_secret(other), {key_of('a')}));
  EXPECT_EQ(runtime.find(id)->state, EndpointState::active);
  store.failure.reset();
  ASSERT_TRUE(load(one_from_secret(other), {key_of('a')}));
  EXPECT_EQ(told, EndpointState::paused);
  EXPECT_EQ(runtime.find(secret_endpoint_id(other))->state, EndpointState::active);
}

TEST_F(Registry, only_a_resume_ends_that_an_endpoint_is_disabled) {
  const std::string id = created_id();
  EndpointRecord* record = store.record(id);
  record->state = EndpointState::disabled;
  record->state_reason = "410 Gone";
  ++record->revision;
  const auto paused = await(registry.pause(id));
  ASSERT_FALSE(paused.has_value());
  EXPECT_EQ(paused.error().kind, ErrorKind::refused);
  EXPECT_EQ(paused.error().message,
            "Endpoint " + id + " cannot be paused, it is disabled: resume it first");
  EXPECT_EQ(found(id)->endpoint.state, EndpointState::disabled);
  EXPECT_EQ(found(id)->state_reason, "410 Gone");
  EXPECT_TRUE(await(registry.resume(id)).has_value());
  EXPECT_TRUE(await(registry.pause(id)).has_value());
}

TEST_F(Registry, a_read_that_began_earlier_undoes_nothing) {
  const std::string id = created_id();
  const std::string other = created_id();
  const auto earlier = store.records;
  (void)await(registry.pause(id));
  (void)await(registry.remove(other, false, {}));
  store.earlier_records = earlier;
  const auto views = await(registry.list());
  ASSERT_EQ(views->size(), 1U);
  EXPECT_EQ(views->front()->endpoint.state, EndpointState::paused);
  store.earlier_records.reset();
  (void)created_id();
  EXPECT_EQ(runtime.find(id)->state, EndpointState::paused);
  EXPECT_EQ(runtime.find(other), nullptr);
}

TEST_F(Registry, a_change_that_others_always_overtake_is_a_conflict) {
  const std::string id = created_id();
  store.before_save = [&] { ++store.record(id)->revision; };
  const auto changed = await(registry.pause(id));
  ASSERT_FALSE(changed.has_value());
  EXPECT_EQ(changed.error().kind, ErrorKind::conflict);
}

TEST_F(Registry, what_the_store_cannot_do_changes_nothing) {
  const std::string id = created_id();
  const int sets = runtime.sets;
  store.failure = ErrorKind::retry_later;
  EXPECT_EQ(await(registry.pause(id)).error().kind, ErrorKind::retry_later);
  EXPECT_EQ(await(registry.create(draft_of("https://a.test/"), EndpointStart::now)).error().kind,
            ErrorKind::retry_later);
  EXPECT_EQ(await(registry.list()).error().kind, ErrorKind::retry_later);
  EXPECT_EQ(runtime.sets, sets);
}

TEST_F(Registry, a_paused_endpoint_is_paused_for_the_runtime_and_resumes) {
  const std::string id = created_id();
  EXPECT_EQ((*await(registry.pause(id)))->endpoint.state, EndpointState::paused);
  EXPECT_EQ(runtime.find(id)->state, EndpointState::paused);
  store.record(id)->state = EndpointState::disabled;
  store.record(id)->state_reason = "status 410";
  ++store.record(id)->revision;
  const auto resumed = await(registry.resume(id));
  EXPECT_EQ((*resumed)->endpoint.state, EndpointState::active);
  EXPECT_EQ((*resumed)->state_reason, std::nullopt);
  EXPECT_EQ(runtime.find(id)->state, EndpointState::active);
  EXPECT_EQ(runtime.resumed, std::vector{runtime.find(id)->number}) << "what a 429 asked for, too";
}

TEST_F(Registry, unknown_endpoints_are_not_found) {
  EXPECT_EQ(await(registry.find("ep_none")).error().message, "Endpoint with ID ep_none not found");
  EXPECT_EQ(await(registry.pause("ep_none")).error().kind, ErrorKind::not_found);
  EXPECT_EQ(await(registry.test("ep_none")).error().kind, ErrorKind::not_found);
  EXPECT_EQ(await(registry.remove("ep_none", true, {})).error().kind, ErrorKind::not_found);
}

TEST_F(Registry, the_old_signing_key_signs_on_for_the_overlap) {
  const std::string id = created_id();
  const std::string before = runtime.find(id)->signing_keys.front().bytes;
  const auto rotated = await(registry.rotate_secret(id, 1h));
  ASSERT_TRUE(rotated.has_value());
  EXPECT_EQ(rotated->previous_until, clock.wall() + 1h);
  const auto& keys = runtime.find(id)->signing_keys;
  ASSERT_EQ(keys.size(), 2U);
  EXPECT_EQ(keys[0].bytes, *parse_signing_secret(rotated->signing_secret));
  EXPECT_EQ(keys[1].bytes, before);
  EXPECT_EQ(keys[1].until, clock.wall() + 1h);
  EXPECT_EQ(await(registry.rotate_secret(id, 0s))->previous_until, std::nullopt);
}

TEST_F(Registry, a_removed_endpoint_leaves_the_runtime_and_stays_away) {
  const std::string id = created_id();
  store.has_waiting = true;
  const auto refused = await(registry.remove(id, false, {}));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
  EXPECT_EQ(refused.error().message,
            "Endpoint " + id +
                " has 3 deliveries waiting and 1 in review: add ?waiting=discard to "
                "discard them");
  EXPECT_NE(runtime.find(id), nullptr);
  EXPECT_TRUE(await(registry.remove(id, true, {"key from 192.0.2.1", "gone"})).has_value());
  EXPECT_EQ(runtime.find(id), nullptr);
  EXPECT_EQ(store.removal_note.by, "key from 192.0.2.1");
  EXPECT_EQ(background_calls, 1);
  EXPECT_TRUE(await(registry.list())->empty());
}

TEST_F(Registry, what_the_secret_gives_can_be_paused_and_nothing_else) {
  ASSERT_TRUE(load(one_from_secret("https://a.test/x"), {key_of('a')}));
  const std::string id = secret_endpoint_id("https://a.test/x");
  EXPECT_EQ(found(id)->url, "https://a.test/x");
  EXPECT_EQ(found(id)->target, "https://a.test");
  const auto nothing = [](EndpointDraft&) {};
  EXPECT_EQ(await(registry.change(id, nothing)).error().kind, ErrorKind::refused);
  EXPECT_EQ(await(registry.rotate_secret(id, 1h)).error().kind, ErrorKind::refused);
  EXPECT_EQ(await(registry.remove(id, true, {})).error().kind, ErrorKind::refused);
  EXPECT_EQ((*await(registry.pause(id)))->endpoint.state, EndpointState::paused);
  EXPECT_EQ(runtime.find(id)->state, EndpointState::paused);
  // Reading the secret again does not resume it.
  ASSERT_TRUE(load(one_from_secret("https://a.test/x"), {key_of('a')}));
  EXPECT_EQ(runtime.find(id)->state, EndpointState::paused);
}

TEST_F(Registry, a_url_that_left_the_secret_is_a_disabled_endpoint_that_says_so) {
  ASSERT_TRUE(load(one_from_secret("https://a.test/x"), {key_of('a')}));
  ASSERT_TRUE(load({}, {key_of('a')}));
  const auto view = found(secret_endpoint_id("https://a.test/x"));
  EXPECT_EQ(view->endpoint.state, EndpointState::disabled);
  EXPECT_EQ(view->state_reason, "its URL is no longer in the secret");
  EXPECT_TRUE(runtime.endpoints.empty());
  EXPECT_EQ(await(registry.resume(view->endpoint.id)).error().kind, ErrorKind::refused);
}

TEST_F(Registry, an_endpoint_whose_key_is_missing_is_held_back_until_the_key_is_there) {
  const std::string id = created_id();
  ASSERT_TRUE(load({}, {key_of('b')}));
  const auto view = found(id);
  EXPECT_FALSE(view->is_usable);
  EXPECT_EQ(view->endpoint.state, EndpointState::disabled);
  EXPECT_NE(view->state_reason->find("encryption key is missing"), std::string::npos);
  EXPECT_EQ(view->target, "https://hooks.example.com");
  EXPECT_EQ(store.record(id)->state, EndpointState::active);  // it is not the endpoint's fault
  EXPECT_EQ(runtime.find(id), nullptr);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines.front().find(id), std::string::npos);
  for (const auto& refused : {await(registry.pause(id)), await(registry.resume(id)),
                              await(registry.change(id, [](EndpointDraft&) {}))}) {
    EXPECT_EQ(refused.error().kind, ErrorKind::refused);
  }
  EXPECT_EQ(await(registry.test(id)).error().kind, ErrorKind::refused);
  EXPECT_FALSE(*await(registry.renew_seals()));
  ASSERT_TRUE(load({}, {key_of('b'), key_of('a')}));
  EXPECT_EQ(runtime.find(id)->url.target, "/T0/hunter2");
  EXPECT_EQ(found(id)->state_reason, std::nullopt);
}

TEST_F(Registry, what_an_older_key_sealed_is_sealed_anew_under_the_first) {
  std::vector<std::string> ids;
  for (int i = 0; i < 120; ++i) {
    ids.push_back(created_id("https://a.test/" + std::to_string(i)));
  }
  ASSERT_TRUE(load({}, {key_of('b'), key_of('a')}));
  int steps = 1;
  while (*await(registry.renew_seals())) {
    ++steps;
  }
  EXPECT_EQ(steps, 3);  // in short steps
  ASSERT_TRUE(load({}, {key_of('b')}));
  EXPECT_EQ(runtime.endpoints.size(), 120U);
  for (const std::string& id : ids) {
    EXPECT_TRUE(found(id)->is_usable);
  }
}

TEST_F(Registry, a_change_during_the_renewal_is_kept) {
  const std::string id = created_id();
  ASSERT_TRUE(load({}, {key_of('b'), key_of('a')}));
  int saves = 0;
  store.before_save = [&] {
    if (++saves == 1) {
      store.record(id)->state = EndpointState::paused;
      ++store.record(id)->revision;
    }
  };
  while (*await(registry.renew_seals())) {
  }
  EXPECT_EQ(saves, 2);
  ASSERT_TRUE(load({}, {key_of('b')}));
  EXPECT_EQ(runtime.find(id)->state, EndpointState::paused);
}

TEST_F(Registry, without_a_key_no_endpoint_is_kept) {
  ASSERT_TRUE(load({}, {}));
  const auto created = await(registry.create(draft_of("https://a.test/"), EndpointStart::now));
  ASSERT_FALSE(created.has_value());
  EXPECT_EQ(created.error().kind, ErrorKind::refused);
  EXPECT_NE(created.error().message.find("encryption_keys"), std::string::npos);
  EXPECT_TRUE(store.records.empty());
}

TEST_F(Registry, a_sealed_text_of_another_endpoint_does_not_open) {
  const std::string one = created_id("https://one.test/");
  const std::string two = created_id("https://two.test/");
  store.record(one)->sealed = store.record(two)->sealed;
  ++store.record(one)->revision;
  const auto view = found(one);
  EXPECT_FALSE(view->is_usable);
  EXPECT_TRUE(view->url.empty());
  EXPECT_NE(view->state_reason->find("altered"), std::string::npos);
}

TEST_F(Registry, a_test_goes_to_the_endpoint_whatever_its_state) {
  const std::string id = created_id();
  (void)await(registry.pause(id));
  runtime.test_answer->attempt.status = 204;
  const auto tested = await(registry.test(id));
  ASSERT_TRUE(tested.has_value());
  EXPECT_EQ(tested->exchange->attempt.status, 204);
  ASSERT_EQ(runtime.tested.size(), 1U);
  EXPECT_EQ(runtime.tested.front().url.target, "/T0/hunter2");
}

}  // namespace
}  // namespace dispatcher
