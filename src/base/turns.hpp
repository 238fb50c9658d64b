// One at a time, for each key, in the order in which they came.
#pragma once

#include "base/check.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace dispatcher {

// Callable from any executor; outlives whoever waits.
template <class Key>
class Turns {
 public:
  // Waits until nobody else has the key's turn, and takes it. Whoever took one ends it.
  [[nodiscard]] boost::asio::awaitable<void> take(Key key) {
    if (try_take(key)) {
      co_return;
    }
    co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(
        [this](auto handler, Key wanted) {
          queue(std::move(wanted), resumption_of(std::move(handler)));
        },
        boost::asio::use_awaitable, std::move(key));
  }

  // The turn goes to who has waited longest.
  void end(const Key& key) {
    Resume resume;
    {
      const std::lock_guard lock{mutex_};
      const auto taken = waiting_.find(key);
      DISPATCHER_CHECK(taken != waiting_.end());
      if (taken->second.empty()) {
        waiting_.erase(taken);
        return;
      }
      resume = std::move(taken->second.front());
      taken->second.pop_front();
    }
    resume();
  }

 private:
  using Resume = std::function<void()>;

  // Goes on on the caller's executor, which does not run out of work meanwhile.
  template <class Handler>
  static Resume resumption_of(Handler handler) {
    const auto executor = boost::asio::get_associated_executor(handler);
    return [shared = std::make_shared<Handler>(std::move(handler)),
            guard = boost::asio::make_work_guard(executor)] {
      boost::asio::post(guard.get_executor(), [shared] { std::move (*shared)(); });
    };
  }

  bool try_take(const Key& key) {
    const std::lock_guard lock{mutex_};
    return waiting_.try_emplace(key).second;
  }

  void queue(Key key, Resume resume) {
    {
      const std::lock_guard lock{mutex_};
      const auto [taken, is_free] = waiting_.try_emplace(std::move(key));
      if (!is_free) {
        taken->second.push_back(std::move(resume));
        return;
      }
    }
    resume();  // it has become free just now
  }

  std::mutex mutex_;
  std::unordered_map<Key, std::deque<Resume>> waiting_;  // for the keys whose turn is taken
};

}  // namespace dispatcher
