// How a call of the memory store runs; for its own two units.
#pragma once

#include "fakes/memory_store.hpp"

namespace dispatcher::fakes {

template <class T, class Apply>
boost::asio::awaitable<Result<T>> MemoryStore::perform(StoreOperation operation, Apply apply) {
  if (faults_ != nullptr) {
    const auto granted = co_await faults_->before(operation);
    if (!granted) {
      co_return granted.error();
    }
  }
  auto answer = [&]() -> Result<T> {
    const std::lock_guard lock{mutex_};
    return apply();
  }();
  tell_what_became_due();
  if (faults_ != nullptr) {
    co_await faults_->after(operation);
  }
  co_return answer;
}

}  // namespace dispatcher::fakes
