#include "engine/maintenance.hpp"

#include <utility>

namespace dispatcher {
namespace {

// Between two steps when there is more to do: the store's other callers come first.
constexpr std::chrono::milliseconds kBetweenSteps{2};
// Between two looks when there was nothing to do.
constexpr std::chrono::seconds kBetweenLooks{10};

}  // namespace

boost::asio::awaitable<void> Maintenance::run() {
  while (!is_stopping_) {
    const auto has_more = co_await store_.maintain(policy_);
    if (!has_more && !std::exchange(has_failed_, true)) {
      log_.warning("the store's maintenance failed; trying again",
                   {{"error", has_more.error().message}});
    }
    if (has_more) {
      has_failed_ = false;
    }
    if (is_stopping_) {
      break;
    }
    const bool is_busy = has_more && *has_more;
    co_await wakeup_.wait_until(clock_.monotonic() +
                                (is_busy ? MonoTime::duration{kBetweenSteps} : kBetweenLooks));
  }
}

void Maintenance::wake() {
  wakeup_.wake();
}

void Maintenance::stop() {
  is_stopping_ = true;
  wakeup_.wake();
}

}  // namespace dispatcher
