// How the calls of the SQLite store get to its threads; for the store's own units.
#pragma once

#include "adapters/sqlite/operation.hpp"
#include "adapters/sqlite/store.hpp"

namespace dispatcher {

template <class T, class Work>
boost::asio::awaitable<Result<T>> SqliteStore::write(sqlite::Admission admission, std::size_t bytes,
                                                     Work work, sqlite::Effect effect) {
  return sqlite::submit<T, sqlite::Transaction>(*writer_, admission, bytes, std::move(work),
                                                effect);
}

template <class T, class Work>
boost::asio::awaitable<Result<T>> SqliteStore::read(Work work, sqlite::Admission admission) {
  return sqlite::submit<T, const sqlite::Reading>(*readers_, admission, 0, std::move(work));
}

}  // namespace dispatcher
