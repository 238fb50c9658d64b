// Many calls at once, a bounded number at a time.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <functional>

namespace dispatcher {

// `call(i)` for every i below `count`, `at_a_time` of them under way; returns when all have ended.
[[nodiscard]] boost::asio::awaitable<void> for_each_concurrently(
    std::size_t count, std::size_t at_a_time,
    std::function<boost::asio::awaitable<void>(std::size_t)> call);

}  // namespace dispatcher
