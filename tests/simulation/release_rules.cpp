#include "simulation/release_rules.hpp"

#include <algorithm>

namespace dispatcher::simulation {
namespace {

constexpr const char* kPerson = "a person";

}  // namespace

ReleaseNote ReleaseRules::on_asked(AskedRelease asked) {
  ReleaseNote note{kPerson, "release " + std::to_string(asked_.size() + 1)};
  asked_.emplace(note.note, Asked{std::move(asked), std::nullopt});
  return note;
}

void ReleaseRules::on_answered(const ReleaseNote& note, MonoTime now) {
  asked_.at(note.note).answered_at = now;
}

std::size_t ReleaseRules::replays(const fakes::MemoryEvent& row,
                                  const std::optional<std::string>& endpoint_id) {
  return static_cast<std::size_t>(std::ranges::count_if(row.releases, [&](const Release& one) {
    return one.action == ReleaseAction::replay && (!endpoint_id || one.endpoint_id == *endpoint_id);
  }));
}

std::optional<ReleaseRules::Discard> ReleaseRules::discard(const fakes::MemoryEvent& row,
                                                           const std::string& endpoint_id) const {
  const Release* last = nullptr;
  for (const Release& one : row.releases) {
    last = one.endpoint_id == endpoint_id ? &one : last;
  }
  if (last == nullptr || last->action != ReleaseAction::discard) {
    return std::nullopt;
  }
  const auto asked = asked_.find(last->note.note);
  return Discard{asked == asked_.end() ? std::nullopt : asked->second.answered_at};
}

bool ReleaseRules::has_discard_since(const fakes::MemoryEvent& row, MonoTime since) const {
  return std::ranges::any_of(row.releases, [&](const Release& one) {
    const auto asked = asked_.find(one.note.note);
    return one.action == ReleaseAction::discard && asked != asked_.end() &&
           (!asked->second.answered_at || *asked->second.answered_at >= since);
  });
}

std::int64_t ReleaseRules::released(const fakes::MemoryEvent& row, const ReleaseNote& note) {
  return std::ranges::count_if(row.releases,
                               [&note](const Release& one) { return one.note.note == note.note; });
}

std::optional<std::string> ReleaseRules::fault_of(const fakes::MemoryEvent& row) const {
  const bool is_right = std::ranges::all_of(
      row.releases, [&](const Release& release) { return is_asked_for(row, release); });
  return is_right ? std::nullopt
                  : std::optional{"released though nobody asked: " + to_string(row.event->id)};
}

bool ReleaseRules::is_asked_for(const fakes::MemoryEvent& row, const Release& release) const {
  const auto asked = asked_.find(release.note.note);
  if (asked == asked_.end() || release.note.by != kPerson) {
    return false;
  }
  const AskedRelease& what = asked->second.what;
  return what.action == release.action && (!what.event || *what.event == row.event->id) &&
         (!what.endpoint_id || *what.endpoint_id == release.endpoint_id) &&
         (!what.type || *what.type == row.event->type);
}

}  // namespace dispatcher::simulation
