#include "adapters/sqlite/store_files.hpp"

#include "adapters/sqlite/connection.hpp"
#include "adapters/sqlite/data_directory.hpp"
#include "adapters/sqlite/schema.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace dispatcher {
namespace {

namespace fs = std::filesystem;
using sqlite::Access;
using sqlite::Connection;

// Pages copied at a time, between two reports of progress: 4 MiB.
constexpr int kPagesPerStep = 1'024;
constexpr int kCacheKib = 2'048;

Error refused(std::string message) {
  return make_error(ErrorKind::refused, std::move(message));
}

fs::path beside(const fs::path& file, const char* ending) {
  return fs::path{file.string() + ending};
}

void remove_quietly(const fs::path& file) {
  std::error_code ignored;  // a left-over is not worth an error of its own
  fs::remove(file, ignored);
}

// Removes a half-written file, unless it was kept.
class Draft {
 public:
  explicit Draft(fs::path path) : path_(std::move(path)) { clean(); }
  ~Draft() { clean(); }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  [[nodiscard]] const fs::path& path() const { return path_; }

  // Puts it, whole and on disk, in the place of `file`.
  [[nodiscard]] Result<void> move_to(const fs::path& file) {
    if (auto synced = sqlite::sync_path(path_); !synced) {
      return synced;
    }
    if (std::rename(path_.c_str(), file.c_str()) != 0) {
      return make_error(ErrorKind::retry_later,
                        fmt::format("cannot rename {} to {}: {}", path_.string(), file.string(),
                                    std::strerror(errno)));
    }
    return sqlite::sync_path(fs::absolute(file).parent_path());
  }

 private:
  void clean() {
    remove_quietly(path_);
    remove_quietly(beside(path_, "-journal"));
    remove_quietly(beside(path_, "-wal"));
    remove_quietly(beside(path_, "-shm"));
  }

  fs::path path_;
};

Result<std::unique_ptr<Connection>> open_existing(const fs::path& file) {
  std::error_code code;
  if (!fs::exists(file, code)) {
    return make_error(ErrorKind::not_found,
                      fmt::format("there is no store at {} (see --data)", file.string()));
  }
  return Connection::open(file.string(), Access::read_write, kCacheKib);
}

Error copy_failure(Connection& to, int code) {
  return sqlite::describe_failure(code, "write", to.path(), sqlite3_errstr(code));
}

// Copies all pages as they are at one moment: the read transaction holds it, however long it takes.
Result<void> copy_pages(Connection& from, Connection& to, const StoreFileProgress& progress) {
  from.execute("BEGIN");
  (void)from.integer("SELECT count(*) FROM sqlite_schema");
  if (from.failure()) {
    return *from.failure();
  }
  sqlite3_backup* backup = sqlite3_backup_init(to.handle(), "main", from.handle(), "main");
  if (backup == nullptr) {
    return copy_failure(to, sqlite3_extended_errcode(to.handle()));
  }
  int code = SQLITE_OK;
  while (code == SQLITE_OK) {
    code = sqlite3_backup_step(backup, kPagesPerStep);
    if (progress) {
      const int pages = sqlite3_backup_pagecount(backup);
      progress(pages - sqlite3_backup_remaining(backup), pages);
    }
  }
  // What a step reported, finish reports again.
  (void)sqlite3_backup_finish(backup);
  from.execute("COMMIT");
  if (code != SQLITE_DONE) {
    return copy_failure(to, code);
  }
  return {};
}

// Writes what `from` has to `draft` as a single file.
Result<StoreFileReport> copy_store(Connection& from, const Draft& draft,
                                   const StoreFileProgress& progress) {
  if (auto prepared = sqlite::prepare_file(draft.path()); !prepared) {
    return prepared.error();
  }
  auto opened = Connection::open(draft.path().string(), Access::read_write, kCacheKib);
  if (!opened) {
    return opened.error();
  }
  Connection& to = **opened;
  // The draft is synced once, before it gets its name.
  to.execute("PRAGMA synchronous=OFF");
  if (auto copied = copy_pages(from, to, progress); !copied) {
    return copied.error();
  }
  // The copy says that it has a WAL beside it: a backup has not.
  to.execute("PRAGMA journal_mode=DELETE");
  StoreFileReport report;
  report.events = to.integer(
      "SELECT coalesce(sum(open + review + delivered + failed), 0) "
      "FROM day_counts");
  if (to.failure()) {
    return *to.failure();
  }
  std::error_code code;
  report.bytes = static_cast<std::int64_t>(fs::file_size(draft.path(), code));
  return report;
}

Result<void> require_sound(Connection& db) {
  sqlite::Query answer = db.query("PRAGMA integrity_check(1)");
  const std::string finding = answer.step() ? answer.text(0) : std::string{};
  if (db.failure()) {
    return *db.failure();
  }
  if (finding != "ok") {
    return refused(fmt::format("cannot restore {}: it is damaged: {} (use another backup)",
                               db.path(), finding));
  }
  return {};
}

// Has nothing left beside the store that will be replaced: SQLite would apply a WAL that it finds
// to whatever file has the name.
Result<void> clear_wal(const fs::path& file) {
  std::error_code code;
  if (fs::exists(file, code)) {
    auto old = Connection::open(file.string(), Access::read_write, kCacheKib);
    if (old) {
      (*old)->execute("PRAGMA wal_checkpoint(TRUNCATE)");
      // One that is damaged is replaced all the same.
      (*old)->clear_failure();
    }
  }
  remove_quietly(beside(file, "-wal"));
  remove_quietly(beside(file, "-shm"));
  if (fs::exists(beside(file, "-wal"), code)) {
    return refused(fmt::format("cannot remove {}-wal (see who owns it)", file.string()));
  }
  return {};
}

}  // namespace

Result<StoreFileReport> backup_store(const fs::path& directory, const fs::path& file,
                                     const StoreFileProgress& progress) {
  std::error_code code;
  if (fs::exists(file, code)) {
    return refused(
        fmt::format("cannot back up to {}: it exists (choose another name)", file.string()));
  }
  auto from = open_existing(sqlite::database_path(directory));
  if (!from) {
    return from.error();
  }
  if (auto known = sqlite::require_schema(**from, sqlite::kFirstSchemaVersion); !known) {
    return known.error();
  }
  Draft draft{beside(file, ".part")};
  auto report = copy_store(**from, draft, progress);
  if (!report) {
    return report.error();
  }
  if (auto moved = draft.move_to(file); !moved) {
    return moved.error();
  }
  return report;
}

Result<StoreFileReport> restore_store(const fs::path& file, const fs::path& directory,
                                      RestoreMode mode, const StoreFileProgress& progress) {
  auto from = open_existing(file);
  if (!from) {
    return from.error();
  }
  if (auto known = sqlite::require_schema(**from, sqlite::kFirstSchemaVersion); !known) {
    return known.error();
  }
  if (auto sound = require_sound(**from); !sound) {
    return sound.error();
  }
  if (auto prepared = sqlite::prepare_directory(directory); !prepared) {
    return prepared.error();
  }
  const auto lock = sqlite::DirectoryLock::take(directory);
  if (!lock) {
    return lock.error();
  }
  const fs::path target = sqlite::database_path(directory);
  std::error_code code;
  if (mode == RestoreMode::into_empty && fs::exists(target, code)) {
    return refused(
        fmt::format("cannot restore into {}: it has a store (replace it with --replace, "
                    "or choose another with --data)",
                    directory.string()));
  }
  Draft draft{beside(target, ".part")};
  auto report = copy_store(**from, draft, progress);
  if (!report) {
    return report.error();
  }
  if (auto cleared = clear_wal(target); !cleared) {
    return cleared.error();
  }
  if (auto moved = draft.move_to(target); !moved) {
    return moved.error();
  }
  return report;
}

}  // namespace dispatcher
