#include "adapters/sqlite/connection.hpp"

#include "base/check.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

namespace dispatcher::sqlite {
namespace {

// SQLite counts every allocation under a lock unless it is told not to before its first use; nobody
// reads those counts here.
void configure_library() {
  static const int code = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  // Somebody used SQLite before: it works as well, a little slower.
  (void)code;
}

}  // namespace

Error describe_failure(int code, std::string_view doing, const std::string& path,
                       std::string_view detail) {
  const auto say = [&](ErrorKind kind, std::string_view what) {
    return make_error(kind, fmt::format("cannot {} store {}: {}", doing, path, what));
  };
  switch (code & 0xFF) {
    case SQLITE_FULL:
      return say(ErrorKind::retry_later,
                 "the disk is full (free some space, or move the data directory)");
    case SQLITE_NOTADB:
      return say(ErrorKind::refused,
                 "it is not a database (restore a backup, or choose another data directory)");
    case SQLITE_CORRUPT:
      return say(ErrorKind::refused,
                 "the file is damaged (see `dispatcher store check`, and restore a backup)");
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      return say(ErrorKind::retry_later,
                 fmt::format("{} (see who owns the file and its directory)", detail));
    case SQLITE_IOERR:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
    case SQLITE_INTERRUPT: return say(ErrorKind::retry_later, detail);
    case SQLITE_CONSTRAINT: return say(ErrorKind::conflict, detail);
    case SQLITE_TOOBIG: return say(ErrorKind::invalid, detail);
    default: return say(ErrorKind::refused, detail);
  }
}

// -- Query

Query::~Query() {
  if (statement_ != nullptr) {
    // The failure of a step is noted by the step; reset only repeats it.
    (void)sqlite3_reset(statement_);
  }
}

bool Query::step() {
  if (connection_->failure()) {
    return false;
  }
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) {
    return true;
  }
  if (code != SQLITE_DONE) {
    connection_->note_failure(code);
  }
  return false;
}

bool Query::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::int64_t Query::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::optional<std::int64_t> Query::optional_integer(int column) const {
  return is_null(column) ? std::nullopt : std::optional{integer(column)};
}

std::string_view Query::bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return data == nullptr ? std::string_view{}
                         : std::string_view{static_cast<const char*>(data), size};
}

std::optional<std::string> Query::optional_text(int column) const {
  return is_null(column) ? std::nullopt : std::optional{text(column)};
}

Uuid Query::uuid(int column) const {
  const std::string_view blob = bytes(column);
  Uuid id;
  if (blob.size() == id.bytes.size()) {
    std::copy(blob.begin(), blob.end(), id.bytes.begin());
  }
  return id;
}

void Query::bind_one(int index, std::int64_t value) {
  sqlite3_bind_int64(statement_, index, value);
}

void Query::bind_one(int index, std::nullopt_t) {
  sqlite3_bind_null(statement_, index);
}

void Query::bind_one(int index, std::string_view text) {
  // A null pointer would bind NULL, where the text is empty.
  sqlite3_bind_text64(statement_, index, text.data() == nullptr ? "" : text.data(), text.size(),
                      SQLITE_STATIC, SQLITE_UTF8);
}

void Query::bind_one(int index, std::span<const std::uint8_t> blob) {
  sqlite3_bind_blob64(statement_, index, blob.data(), blob.size(), SQLITE_STATIC);
}

// -- Connection

Result<std::unique_ptr<Connection>> Connection::open(const std::string& path, Access access,
                                                     int cache_kib) {
  configure_library();
  sqlite3* handle = nullptr;
  const int mode = access == Access::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  const int code = sqlite3_open_v2(path.c_str(), &handle,
                                   mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  if (code != SQLITE_OK) {
    const char* detail = handle == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(handle);
    Error error = describe_failure(code, "open", path, detail);
    sqlite3_close(handle);
    return error;
  }
  std::unique_ptr<Connection> connection{new Connection{handle, path}};
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  connection->execute(fmt::format("PRAGMA cache_size=-{}", cache_kib).c_str());
  // Debian's default overwrites deleted content with zeros, which doubles the cost of a delete.
  connection->execute("PRAGMA secure_delete=OFF");
  if (connection->failure()) {
    return *connection->failure();
  }
  return connection;
}

Connection::~Connection() {
  for (const auto& [sql, statement] : statements_) {
    sqlite3_finalize(statement);
  }
  DISPATCHER_CHECK(sqlite3_close(handle_) == SQLITE_OK);
}

Query Connection::query(const char* sql) {
  sqlite3_stmt*& statement = statements_[sql];
  if (statement == nullptr && !failure_) {
    const int code =
        sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) {
      note_failure(code);
    }
  }
  DISPATCHER_CHECK(statement == nullptr || sqlite3_stmt_busy(statement) == 0);
  return Query{*this, statement};
}

void Connection::execute(const char* sql) {
  if (failure_) {
    return;
  }
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) {
    note_failure(code);
  }
}

std::int64_t Connection::integer(const char* sql) {
  Query found = query(sql);
  return found.step() ? found.integer(0) : 0;
}

void Connection::clear_failure() {
  failure_.reset();
  is_failure_of_one_ = false;
}

void Connection::note_failure(int code) {
  if (failure_) {
    return;
  }
  failure_ = describe_failure(code, "use", path_, sqlite3_errmsg(handle_));
  const int primary = code & 0xFF;
  is_failure_of_one_ = primary == SQLITE_CONSTRAINT || primary == SQLITE_TOOBIG;
}

bool Connection::is_in_transaction() const {
  return sqlite3_get_autocommit(handle_) == 0;
}

}  // namespace dispatcher::sqlite
