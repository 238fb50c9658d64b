#include "engine/lane.hpp"

#include "base/check.hpp"

#include <algorithm>

namespace dispatcher {
namespace {

std::optional<WallTime> earlier(std::optional<WallTime> left, std::optional<WallTime> right) {
  if (!left || !right) {
    return left ? left : right;
  }
  return std::min(*left, *right);
}

}  // namespace

void Lane::hint(WallTime due) {
  next_due = earlier(next_due, due);
  for (OpenQuestion& question : questions_) {
    question.hinted = earlier(question.hinted, due);
  }
}

DueQuestion Lane::ask() {
  questions_.push_back({++last_question_, std::nullopt});
  return {last_question_};
}

void Lane::answer(DueQuestion question, const LaneDue* said) {
  const auto asked = std::ranges::find(questions_, question.number, &OpenQuestion::number);
  DISPATCHER_CHECK(asked != questions_.end());
  if (said != nullptr) {
    next_due = earlier(said->next_due, asked->hinted);
  }
  *asked = questions_.back();
  questions_.pop_back();
}

std::size_t Lane::may_begin(MonoTime now, std::size_t freed) const {
  const bool is_open = is_active() && !has_left;
  if (!is_open || now < paused_until || !breaker.may_begin(now)) {
    return 0;
  }
  const std::size_t tokens = rate.available(now);
  const std::size_t most = std::min(free_slots(freed), tokens - std::min(tokens, reserved));
  return breaker.state() == BreakerState::closed ? most : std::min<std::size_t>(most, 1);
}

MonoTime Lane::held_until(MonoTime now) const {
  return std::max(paused_until, rate.available_at(reserved + 1, now));
}

}  // namespace dispatcher
