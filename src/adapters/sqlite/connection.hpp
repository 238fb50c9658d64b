// One connection to a SQLite file, its prepared statements, and the first failure that it met.
//
// Failures stick: after one, every statement of the connection does nothing and finds nothing
// until `clear_failure`. So a unit of work is written as if nothing could fail, and whoever runs it
// looks at `failure()` once, before anything of it is told to anybody.
#pragma once

#include "base/ids.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

struct sqlite3;
struct sqlite3_stmt;

namespace dispatcher::sqlite {

class Connection;

// How long a statement waits for what another connection has locked: those of other processes
// (`store backup`, `store check`) hold locks for moments.
inline constexpr int kBusyTimeoutMs = 5'000;

// One use of a prepared statement: bind, step, read; it is reset when this goes out of scope.
class Query {
 public:
  Query(Connection& connection, sqlite3_stmt* statement)
      : connection_(&connection), statement_(statement) {}
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  // Parameters in the order of the SQL text. What is bound must live until the last step.
  template <class... Values>
  Query& bind(const Values&... values) {
    (bind_one(++bound_, values), ...);
    return *this;
  }

  // True while there is a row. False at the end, and after a failure.
  [[nodiscard]] bool step();
  // For statements that answer no rows.
  void run() { (void)step(); }

  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::optional<std::int64_t> optional_integer(int column) const;
  // Valid until the next step.
  [[nodiscard]] std::string_view bytes(int column) const;
  [[nodiscard]] std::string text(int column) const { return std::string{bytes(column)}; }
  [[nodiscard]] std::optional<std::string> optional_text(int column) const;
  [[nodiscard]] Uuid uuid(int column) const;

 private:
  void bind_one(int index, std::int64_t value);
  void bind_one(int index, int value) { bind_one(index, static_cast<std::int64_t>(value)); }
  void bind_one(int index, std::uint32_t value) {
    bind_one(index, static_cast<std::int64_t>(value));
  }
  void bind_one(int index, std::nullopt_t);
  void bind_one(int index, std::string_view text);
  void bind_one(int index, const std::string& text) { bind_one(index, std::string_view{text}); }
  void bind_one(int index, const char* text) { bind_one(index, std::string_view{text}); }
  void bind_one(int index, std::span<const std::uint8_t> blob);
  void bind_one(int index, const Uuid& id) { bind_one(index, std::span{id.bytes}); }
  template <class T>
  void bind_one(int index, const std::optional<T>& value) {
    if (value) {
      bind_one(index, *value);
    } else {
      bind_one(index, std::nullopt);
    }
  }

  Connection* connection_;
  sqlite3_stmt* statement_;  // null after a failure to prepare
  int bound_ = 0;
};

enum class Access { read_write, read_only };

// Used by one thread at a time.
class Connection {
 public:
  // `cache_kib` bounds the page cache.
  [[nodiscard]] static Result<std::unique_ptr<Connection>> open(const std::string& path,
                                                                Access access, int cache_kib);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // `sql` is a literal: the prepared statement is kept under its address. Not to be used again
  // while a Query of it lives.
  [[nodiscard]] Query query(const char* sql);
  // Statements that answer no rows; not kept.
  void execute(const char* sql);
  // The first column of the first row.
  [[nodiscard]] std::int64_t integer(const char* sql);

  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }
  // True when the failure is in what one caller asked for, so that others may succeed without it.
  [[nodiscard]] bool is_failure_of_one() const { return is_failure_of_one_; }
  void clear_failure();
  // Records the failure `code` of SQLite, unless there is one.
  void note_failure(int code);

  // True outside of any transaction: SQLite itself rolls back after some failures.
  [[nodiscard]] bool is_in_transaction() const;
  [[nodiscard]] sqlite3* handle() { return handle_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  Connection(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}

  sqlite3* handle_;
  std::string path_;
  std::unordered_map<const char*, sqlite3_stmt*> statements_;
  std::optional<Error> failure_;
  bool is_failure_of_one_ = false;
};

// What a failure of SQLite means to the store's callers; `doing` is `open`, `write to`, `read`.
[[nodiscard]] Error describe_failure(int code, std::string_view doing, const std::string& path,
                                     std::string_view detail);

}  // namespace dispatcher::sqlite
