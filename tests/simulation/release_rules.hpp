// Replays and discards, told from outside: what persons asked for, and what the store has on record
// of it. A release that is on record counts only if somebody asked for it.
#pragma once

#include "fakes/memory_store.hpp"

#include <map>
#include <optional>
#include <string>

namespace dispatcher::simulation {

// What one person's call asked for. What is absent does not narrow.
struct AskedRelease {
  ReleaseAction action = ReleaseAction::replay;
  std::optional<EventId> event;
  std::optional<std::string> endpoint_id;
  std::optional<std::string> type;
};

class ReleaseRules {
 public:
  // What the call has to say: by it the records are known.
  ReleaseNote on_asked(AskedRelease asked);
  void on_answered(const ReleaseNote& note, MonoTime now);

  // How many replays of the delivery are on record; of all of the event's without an endpoint.
  [[nodiscard]] static std::size_t replays(const fakes::MemoryEvent& row,
                                           const std::optional<std::string>& endpoint_id);
  // Where a person's discard is the last that is on record of the delivery: when it was answered,
  // as far as it was.
  struct Discard {
    std::optional<MonoTime> answered_at;
  };
  [[nodiscard]] std::optional<Discard> discard(const fakes::MemoryEvent& row,
                                               const std::string& endpoint_id) const;
  // Whether a discard of the event may have been applied at that time or later.
  [[nodiscard]] bool has_discard_since(const fakes::MemoryEvent& row, MonoTime since) const;
  // How many deliveries are on record as released by this call.
  [[nodiscard]] static std::int64_t released(const fakes::MemoryEvent& row,
                                             const ReleaseNote& note);
  // What is wrong with what is on record; empty when nothing is.
  [[nodiscard]] std::optional<std::string> fault_of(const fakes::MemoryEvent& row) const;

 private:
  struct Asked {
    AskedRelease what;
    std::optional<MonoTime> answered_at;
  };
  [[nodiscard]] bool is_asked_for(const fakes::MemoryEvent& row, const Release& release) const;

  std::map<std::string, Asked> asked_;  // by the note's text
};

}  // namespace dispatcher::simulation
