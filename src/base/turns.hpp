// One at a time, for each key.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <unordered_map>

namespace dispatcher {

// Belongs to one loop; outlives its callers.
template <class Key>
class Turns {
 public:
  // Waits until nobody else has the key's turn, and takes it. Whoever took one ends it.
  [[nodiscard]] boost::asio::awaitable<void> take(Key key) {
    const auto executor = co_await boost::asio::this_coro::executor;
    while (true) {
      const auto other = taken_.find(key);
      if (other == taken_.end()) {
        break;
      }
      const auto its_end = other->second;
      boost::system::error_code ignored;  // that it was cancelled is what is waited for
      co_await its_end->async_wait(
          boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
    }
    taken_.emplace(key, std::make_shared<boost::asio::steady_timer>(
                            executor, boost::asio::steady_timer::time_point::max()));
  }

  void end(const Key& key) {
    const auto mine = taken_.find(key);
    const auto its_end = mine->second;
    taken_.erase(mine);
    its_end->cancel();
  }

 private:
  std::unordered_map<Key, std::shared_ptr<boost::asio::steady_timer>> taken_;
};

}  // namespace dispatcher
