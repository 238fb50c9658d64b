#include "hosts/whole_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

namespace dispatcher {
namespace {

constexpr ::mode_t kNewFileMode = 0666;  // and the process's mask

Error cannot_write(std::string_view path, std::string_view why) {
  return make_error(ErrorKind::refused, fmt::format("cannot write the file {}: {}", path, why));
}

}  // namespace

Result<WholeFile> WholeFile::make(const std::string& path) {
  std::error_code fault;
  const auto status = std::filesystem::status(path, fault);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    // Taking its place would remove a device, or fail on a directory at the very end.
    return cannot_write(path, "it is there, and is no regular file");
  }
  // Of a link, the file that it leads to is replaced.
  const auto resolved = std::filesystem::weakly_canonical(path, fault);
  const std::string target = fault ? path : resolved.string();
  std::string part = fmt::format("{}.part-{}", target, ::getpid());
  // In the place of a file, with its mode: what others could not read they cannot read now.
  const bool is_there = std::filesystem::exists(status);
  const auto mode = is_there
                        ? static_cast<::mode_t>(status.permissions() & std::filesystem::perms::all)
                        : kNewFileMode;
  const int descriptor = ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (descriptor < 0) {
    return cannot_write(path, std::strerror(errno));
  }
  WholeFile file{descriptor, target, std::move(part)};
  if (is_there && ::fchmod(descriptor, mode) != 0) {  // what the process's mask took away
    return file.failed();
  }
  return file;
}

WholeFile::WholeFile(WholeFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      path_(std::move(other.path_)),
      part_(std::move(other.part_)) {}

WholeFile::~WholeFile() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
    ::unlink(part_.c_str());
  }
}

Error WholeFile::failed() const {
  return cannot_write(path_, std::strerror(errno));
}

Result<void> WholeFile::write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(descriptor_, text.data(), text.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return failed();
    }
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Result<void> WholeFile::finish() {
  if (::fsync(descriptor_) != 0 || std::rename(part_.c_str(), path_.c_str()) != 0) {
    return failed();
  }
  ::close(std::exchange(descriptor_, -1));
  return {};
}

}  // namespace dispatcher
