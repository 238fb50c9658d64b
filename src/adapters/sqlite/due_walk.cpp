#include "adapters/sqlite/due_walk.hpp"

namespace dispatcher::sqlite {
namespace {

#define FROM_DUE                                                                        \
  "SELECT due_us, place FROM deliveries INDEXED BY deliveries_due WHERE state = 0 AND " \
  "endpoint = ? AND "
constexpr const char* kSameTime = FROM_DUE "due_us = ? AND place >= ? ORDER BY place";
constexpr const char* kLater = FROM_DUE "due_us > ? ORDER BY due_us, place";
#undef FROM_DUE

}  // namespace

DueWalk::DueWalk(Connection& db, EndpointNumber endpoint, DueRow from)
    : same_time_(db.query(kSameTime)), later_(db.query(kLater)) {
  same_time_.bind(endpoint, from.due_us, from.place);
  later_.bind(endpoint, from.due_us);
}

std::optional<DueRow> DueWalk::next() {
  if (!is_later_) {
    if (same_time_.step()) {
      return DueRow{same_time_.integer(0), same_time_.integer(1)};
    }
    is_later_ = true;
  }
  if (later_.step()) {
    return DueRow{later_.integer(0), later_.integer(1)};
  }
  return std::nullopt;
}

}  // namespace dispatcher::sqlite
