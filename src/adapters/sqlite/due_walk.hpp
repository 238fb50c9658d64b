// A walk along what waits for one endpoint, oldest due first, from any place on.
#pragma once

#include "adapters/sqlite/connection.hpp"
#include "model/endpoint.hpp"

#include <cstdint>
#include <limits>
#include <optional>

namespace dispatcher::sqlite {

struct DueRow {
  std::int64_t due_us = 0;
  std::int64_t place = 0;
  friend auto operator<=>(const DueRow&, const DueRow&) = default;
};

inline constexpr DueRow kBeforeAllDue{std::numeric_limits<std::int64_t>::min(), 0};

// Two searches of the due index: for what is due at the same time as `from`, then for what is
// later. As one comparison of pairs, SQLite 3.40 reads all that is due at the same time from its
// beginning.
class DueWalk {
 public:
  // From `from` on, itself included. Nothing that waits may change while this lives.
  DueWalk(Connection& db, EndpointNumber endpoint, DueRow from);

  [[nodiscard]] std::optional<DueRow> next();

 private:
  Query same_time_;
  Query later_;
  bool is_later_ = false;
};

}  // namespace dispatcher::sqlite
