// Running a loop until one coroutine has its result: for what a program does before and after it
// serves.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <optional>
#include <utility>

namespace dispatcher {

template <class T>
[[nodiscard]] T await_on(boost::asio::io_context& loop, boost::asio::awaitable<T> work) {
  std::optional<T> result;
  boost::asio::co_spawn(loop, std::move(work), [&](const std::exception_ptr& bug, T value) {
    if (bug) {
      std::rethrow_exception(bug);
    }
    result.emplace(std::move(value));
  });
  loop.restart();
  while (!result) {
    loop.run_one();
  }
  loop.restart();
  return std::move(*result);
}

}  // namespace dispatcher
