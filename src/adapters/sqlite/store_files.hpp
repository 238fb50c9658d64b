// What the command line does with a store's files: `dispatcher store backup|check|restore`.
// Blocking; callable from any thread. None of them needs a SqliteStore, and the first two work
// while another process serves from the directory.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace dispatcher {

struct StoreFileReport {
  std::int64_t bytes = 0;   // of the file that was written
  std::int64_t events = 0;  // in it
};

// Called after every few megabytes.
using StoreFileProgress = std::function<void(std::int64_t pages_done, std::int64_t pages_in_all)>;

// Writes the store in `directory`, as it is at one moment, to the new file `file` (mode 0600): a
// single file, on disk when this returns, or not there at all. `not_found`: there is no store.
// `refused`: `file` exists. `retry_later`: disk full, I/O error.
[[nodiscard]] Result<StoreFileReport> backup_store(const std::filesystem::path& directory,
                                                   const std::filesystem::path& file,
                                                   const StoreFileProgress& progress = {});

struct StoreCheck {
  std::int64_t events = 0;
  std::vector<std::string> findings;  // a sentence each; empty: the store is sound
};

// Looks at every page, and at what the store promises itself: that counters equal a count, that
// what is pending has a delivery that holds it open, and the like.
[[nodiscard]] Result<StoreCheck> check_store(const std::filesystem::path& directory);

enum class RestoreMode { into_empty, replace };

// Makes `file` the store in `directory`, at once or not at all, after having looked at every page
// of it. `refused`: it is not a sound store of ours, another process uses the directory, or it has
// a store and `replace` was not asked for.
[[nodiscard]] Result<StoreFileReport> restore_store(const std::filesystem::path& file,
                                                    const std::filesystem::path& directory,
                                                    RestoreMode mode,
                                                    const StoreFileProgress& progress = {});

}  // namespace dispatcher
