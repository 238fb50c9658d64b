// The directory that a store lives in: made, kept to ourselves, and locked while it is in use.
#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <string>

namespace dispatcher::sqlite {

[[nodiscard]] std::filesystem::path database_path(const std::filesystem::path& directory);

// Makes the directory (mode 0700) where it does not exist, and the directories above it.
[[nodiscard]] Result<void> prepare_directory(const std::filesystem::path& directory);

// Makes the file, empty, with mode 0600 when there is none: SQLite gives the files beside it the
// same mode.
[[nodiscard]] Result<void> prepare_file(const std::filesystem::path& file);

// Has a file's or directory's content on disk.
[[nodiscard]] Result<void> sync_path(const std::filesystem::path& path);

// Holds `DIRECTORY/lock`, which has the holder's process id; the system lets go of it when the
// process ends, however it ends.
class DirectoryLock {
 public:
  // `refused`, naming the other process, when it is held.
  [[nodiscard]] static Result<DirectoryLock> take(const std::filesystem::path& directory);

  DirectoryLock(DirectoryLock&& other) noexcept;
  DirectoryLock& operator=(DirectoryLock&& other) noexcept;
  ~DirectoryLock();

 private:
  explicit DirectoryLock(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
};

}  // namespace dispatcher::sqlite
