#include "adapters/sqlite/data_directory.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dispatcher::sqlite {
namespace {

constexpr mode_t kDirectoryMode = 0700;
constexpr mode_t kFileMode = 0600;

Error cannot(std::string_view what, const std::filesystem::path& path, int code,
             std::string_view advice) {
  const bool is_transient = code == ENOSPC || code == EIO || code == EMFILE || code == ENFILE;
  return make_error(
      is_transient ? ErrorKind::retry_later : ErrorKind::refused,
      fmt::format("cannot {} {}: {} ({})", what, path.string(), std::strerror(code), advice));
}

std::string holder_of(int descriptor) {
  std::array<char, 24> text{};
  const ssize_t size = pread(descriptor, text.data(), text.size(), 0);
  const std::string_view seen{text.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
  return std::string{seen.substr(0, seen.find('\n'))};
}

}  // namespace

std::filesystem::path database_path(const std::filesystem::path& directory) {
  return directory / "events.db";
}

Result<void> prepare_directory(const std::filesystem::path& directory) {
  std::error_code code;
  const auto absolute = std::filesystem::absolute(directory, code).lexically_normal();
  const auto parent =
      (absolute.filename().empty() ? absolute.parent_path() : absolute).parent_path();
  std::filesystem::create_directories(parent, code);
  if (mkdir(directory.c_str(), kDirectoryMode) == 0) {
    return sync_path(parent);
  }
  if (errno != EEXIST) {
    return cannot("make data directory", directory, errno, "choose another with --data");
  }
  if (!std::filesystem::is_directory(directory, code)) {
    return cannot("use data directory", directory, ENOTDIR, "choose another with --data");
  }
  return {};
}

Result<void> prepare_file(const std::filesystem::path& file) {
  const int descriptor = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode);
  if (descriptor < 0) {
    return cannot("open store", file, errno, "see who owns the file and its directory");
  }
  close(descriptor);
  return {};
}

Result<void> sync_path(const std::filesystem::path& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return cannot("open", path, errno, "see who owns it");
  }
  const int code = fsync(descriptor) == 0 ? 0 : errno;
  close(descriptor);
  if (code != 0) {
    return cannot("sync", path, code, "see the state of the disk");
  }
  return {};
}

Result<DirectoryLock> DirectoryLock::take(const std::filesystem::path& directory) {
  const auto file = directory / "lock";
  const int descriptor = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode);
  if (descriptor < 0) {
    return cannot("write to data directory", directory, errno,
                  "see who owns it, or choose another with --data");
  }
  DirectoryLock lock{descriptor};
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return cannot("lock", file, errno, "choose a data directory on a local disk");
    }
    return make_error(ErrorKind::refused,
                      fmt::format("cannot open data directory {}: process {} uses it (stop that "
                                  "process, or choose another with --data)",
                                  directory.string(), holder_of(descriptor)));
  }
  const std::string holder = fmt::format("{}\n", getpid());
  // Only for the message above: a lock without a name in it locks as well.
  (void)!ftruncate(descriptor, 0);
  (void)!pwrite(descriptor, holder.data(), holder.size(), 0);
  return lock;
}

DirectoryLock::DirectoryLock(DirectoryLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

DirectoryLock& DirectoryLock::operator=(DirectoryLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

DirectoryLock::~DirectoryLock() {
  if (descriptor_ >= 0) {
    close(descriptor_);
  }
}

}  // namespace dispatcher::sqlite
