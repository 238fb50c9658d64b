// What the writer knows by heart, read from the file: at the start, and after a rollback.
#include "adapters/sqlite/transaction.hpp"

namespace dispatcher::sqlite {
namespace {

constexpr const char* kLastSeq = "SELECT max(seq) FROM events";
constexpr const char* kLogTotals =
    "SELECT coalesce(max(number), 0), count(*), coalesce(sum(bytes), 0) FROM webhook_log";

}  // namespace

void load_state(Connection& db, WriterState& state) {
  state.routes = load_routes(db);
  state.next_seq = db.integer(kLastSeq) + 1;
  Query log = db.query(kLogTotals);
  if (log.step()) {
    state.webhook_log = {log.integer(0) + 1, log.integer(1), log.integer(2)};
  }
}

}  // namespace dispatcher::sqlite
