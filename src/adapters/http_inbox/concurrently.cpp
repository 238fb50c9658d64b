#include "adapters/http_inbox/concurrently.hpp"

#include "base/signal.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <exception>
#include <memory>

namespace dispatcher {
namespace {

struct Shared {
  Shared(const boost::asio::any_io_executor& executor, std::size_t calls,
         std::function<boost::asio::awaitable<void>(std::size_t)> function)
      : count(calls), call(std::move(function)), done(executor) {}

  std::size_t count;
  std::function<boost::asio::awaitable<void>(std::size_t)> call;
  Signal done;  // cancelled when the last worker ends
  std::size_t next = 0;
  std::size_t workers = 0;
};

boost::asio::awaitable<void> work(std::shared_ptr<Shared> shared) {
  while (shared->next < shared->count) {
    const std::size_t mine = shared->next++;
    co_await shared->call(mine);
  }
}

}  // namespace

boost::asio::awaitable<void> for_each_concurrently(
    std::size_t count, std::size_t at_a_time,
    std::function<boost::asio::awaitable<void>(std::size_t)> call) {
  if (count == 0) {
    co_return;
  }
  const auto executor = co_await boost::asio::this_coro::executor;
  const auto shared = std::make_shared<Shared>(executor, count, std::move(call));
  shared->workers = std::min(count, at_a_time);
  const std::size_t workers = shared->workers;
  for (std::size_t i = 0; i < workers; ++i) {
    boost::asio::co_spawn(executor, work(shared), [shared](const std::exception_ptr& bug) {
      if (bug) {
        std::rethrow_exception(bug);
      }
      if (--shared->workers == 0) {
        shared->done.cancel();
      }
    });
  }
  while (shared->workers > 0) {
    co_await shared->done.wait();
  }
}

}  // namespace dispatcher
