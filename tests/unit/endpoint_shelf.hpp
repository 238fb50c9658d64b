// A stub store that keeps endpoints as the port says, and lets a test come between two calls: for
// what is built on that. What stores do is tests/conformance.
#pragma once

#include "api_stub_store.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

namespace dispatcher {

class EndpointShelf : public StubStore {
 public:
  std::vector<EndpointRecord> records;
  // Called before a record is saved, for somebody else's change to come first.
  std::function<void()> before_save;
  std::function<void()> before_configure;
  // What the next reads of all endpoints answer: a read that began before what came since.
  std::optional<std::vector<EndpointRecord>> earlier_records;
  bool has_waiting = false;  // every endpoint has deliveries that wait
  std::vector<std::string> removed_ids;
  ReleaseNote removal_note;
  // What the next steps of a release answer, and what they were asked.
  struct AskedStep {
    EventQuery query;
    std::optional<std::int64_t> after;
    std::size_t max_events = 0;
    ReleaseAction action = ReleaseAction::replay;
    ReleaseNote note;
    bool is_trial = false;
  };
  std::vector<ReleaseStep> steps;
  std::size_t good_steps = SIZE_MAX;  // those after them fail
  std::vector<AskedStep> asked;
  bool has_event = true;
  std::optional<ReleaseNote> released_with;
  std::optional<ReleaseAction> released_as;
  std::vector<Release> known_releases;

  [[nodiscard]] EndpointRecord* record(std::string_view id) {
    const auto found = std::find_if(records.begin(), records.end(),
                                    [id](const EndpointRecord& one) { return one.id == id; });
    return found == records.end() ? nullptr : &*found;
  }

  Call<std::vector<Endpoint>> configure_endpoints(std::vector<Endpoint> given,
                                                  std::vector<Sha256Digest> /*hashes*/) override {
    if (before_configure) {
      before_configure();
    }
    if (failure) {
      co_return give(std::move(given));
    }
    for (EndpointRecord& one : records) {
      const bool is_given = std::any_of(given.begin(), given.end(), [&](const Endpoint& endpoint) {
        return endpoint.id == one.id;
      });
      if (one.origin == EndpointOrigin::secret && !is_given) {
        one.state = EndpointState::disabled;
      }
    }
    for (Endpoint& endpoint : given) {
      EndpointRecord* known = record(endpoint.id);
      if (known == nullptr) {
        known = &records.emplace_back();
        known->number = static_cast<EndpointNumber>(records.size());
        known->id = endpoint.id;
        known->origin = EndpointOrigin::secret;
        known->target = endpoint.url.display();
      }
      if (known->state == EndpointState::disabled) {
        known->state = EndpointState::active;
      }
      ++known->revision;
      endpoint.number = known->number;
      endpoint.state = known->state;
    }
    co_return give(std::move(given));
  }
  Call<std::vector<EndpointRecord>> endpoints() override {
    co_return give(earlier_records ? *earlier_records : records);
  }
  Call<EndpointRecord> create_endpoint(EndpointRecord made, EndpointStart /*start*/) override {
    if (failure) {
      co_return give(std::move(made));
    }
    made.number = static_cast<EndpointNumber>(records.size() + 1);
    made.revision = 1;
    records.push_back(made);
    co_return made;
  }
  Call<EndpointRecord> save_endpoint(EndpointRecord changed) override {
    if (before_save) {
      before_save();
    }
    if (failure) {
      co_return give(std::move(changed));
    }
    EndpointRecord* known = record(changed.id);
    if (known == nullptr) {
      co_return make_error(ErrorKind::not_found, "no such endpoint");
    }
    if (known->revision != changed.revision) {
      co_return make_error(ErrorKind::conflict, "another revision");
    }
    ++changed.revision;
    *known = changed;
    co_return changed;
  }
  Call<void> remove_endpoint(std::string id, bool discards_waiting, ReleaseNote note) override {
    if (has_waiting && !discards_waiting) {
      co_return make_error(ErrorKind::conflict, "deliveries wait");
    }
    removed_ids.push_back(id);
    removal_note = std::move(note);
    std::erase_if(records, [&](const EndpointRecord& one) { return one.id == id; });
    co_return Result<void>{};
  }
  Call<ReleaseStep> release_step(EventQuery query, std::optional<std::int64_t> after,
                                 std::size_t max_events, ReleaseAction action,
                                 ReleaseNote note) override {
    return take_step({std::move(query), after, max_events, action, std::move(note), false});
  }
  Call<ReleaseStep> try_release_step(EventQuery query, std::optional<std::int64_t> after,
                                     std::size_t max_events, ReleaseAction action) override {
    return take_step({std::move(query), after, max_events, action, {}, true});
  }
  Call<ReleaseStep> take_step(AskedStep step_asked) {
    const ReleaseStep step = asked.size() < steps.size() ? steps[asked.size()] : ReleaseStep{};
    asked.push_back(std::move(step_asked));
    if (asked.size() > good_steps) {
      co_return make_error(ErrorKind::retry_later, "the disk is full");
    }
    co_return give(step);
  }
  Call<std::int64_t> release(EventId /*id*/, std::optional<std::string> endpoint_id,
                             ReleaseAction action, ReleaseNote note) override {
    if (!has_event || endpoint_id == "ep_other") {
      co_return make_error(ErrorKind::not_found, "no such delivery");
    }
    released_with = std::move(note);
    released_as = action;
    co_return give(std::int64_t{2});
  }
  Call<EventView> event(EventId id) override {
    if (!has_event) {
      co_return make_error(ErrorKind::not_found, "no such event");
    }
    co_return co_await StubStore::event(id);
  }
  Call<std::vector<Release>> releases(EventId /*id*/) override { co_return give(known_releases); }
  Call<std::vector<EndpointCounts>> endpoint_counts(std::vector<EndpointNumber> numbers) override {
    std::vector<EndpointCounts> counts(numbers.size());
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      counts[i].number = numbers[i];
      counts[i].waiting = has_waiting ? 3 : 0;
      counts[i].review = has_waiting ? 1 : 0;
    }
    co_return give(std::move(counts));
  }
};

}  // namespace dispatcher
