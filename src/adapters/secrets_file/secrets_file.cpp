#include "adapters/secrets_file/secrets_file.hpp"

#include "base/bytes.hpp"
#include "ports/secret_json.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

namespace dispatcher {
namespace {

// AWS Secrets Manager allows 64 KiB.
constexpr std::size_t kMaxFileBytes = 1024 * 1024;

// Closes itself.
class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  [[nodiscard]] int get() const { return descriptor_; }
  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }

 private:
  int descriptor_;
};

Error failed(ErrorKind kind, std::string_view doing, const std::string& path, int code) {
  return make_error(
      kind, fmt::format("cannot {} {}: {}", doing, path, std::generic_category().message(code)));
}

Result<std::string> read_all(const File& file, const std::string& path) {
  std::string content;
  std::array<char, 4096> block{};
  while (true) {
    const auto got = ::read(file.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return failed(ErrorKind::invalid, "read the secret file", path, errno);
    }
    if (got == 0) {
      return content;
    }
    content.append(block.data(), static_cast<std::size_t>(got));
    if (content.size() > kMaxFileBytes) {
      return make_error(ErrorKind::invalid,
                        fmt::format("cannot read the secret file {}: it has more than {} bytes",
                                    path, kMaxFileBytes));
    }
  }
}

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
  }
  return ::fsync(descriptor) == 0;
}

// 256 bits.
std::string random_bytes(Random& random) {
  std::string bytes;
  for (int i = 0; i < 4; ++i) {
    const std::uint64_t word = random.next();
    for (unsigned shift = 0; shift < 64; shift += 8) {
      bytes.push_back(static_cast<char>(word >> shift & 0xFFU));
    }
  }
  return bytes;
}

// Puts `from` at `to` unless something is there; false when it is.
Result<bool> move_if_absent(const std::string& from, const std::string& to) {
  int code =
      ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0 ? 0 : errno;
  if (code == EINVAL || code == ENOSYS) {  // a file system that cannot: a link can
    code = ::link(from.c_str(), to.c_str()) == 0 ? 0 : errno;
    ::unlink(from.c_str());
  }
  if (code == 0) {
    return true;
  }
  ::unlink(from.c_str());
  if (code == EEXIST) {
    return false;
  }
  return failed(ErrorKind::retry_later, "make the secret file", to, code);
}

void sync_directory(const std::string& directory) {
  const File handle{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (handle.is_open()) {
    // Where a directory cannot be synced, the file may be lost with the power, and is made anew.
    (void)::fsync(handle.get());
  }
}

}  // namespace

Result<SecretBundle> SecretsFile::read_now() {
  const File file{::open(path_.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file.is_open()) {
    Error error = failed(ErrorKind::invalid, "read the secret file", path_, errno);
    error.message += " (set SECRETS_FILE, or --data to the directory of `dispatcher serve`)";
    return error;
  }
  struct stat status {};
  const bool is_open_to_others =
      ::fstat(file.get(), &status) == 0 && (status.st_mode & (S_IROTH | S_IWOTH)) != 0;
  if (is_open_to_others && !std::exchange(has_warned_, true)) {
    log_.warning("others on this machine may read the secret file; make it private (chmod 600)",
                 {{"file", path_}});
  }
  const auto content = read_all(file, path_);
  if (!content) {
    return content.error();
  }
  return parse_secrets(*content, "the secret file " + path_, required_);
}

boost::asio::awaitable<Result<SecretBundle>> SecretsFile::read(
    std::optional<MonoTime> /*deadline*/) {
  // A small local file: not worth a thread of its own.
  co_return read_now();
}

Result<bool> make_secrets_file(const std::string& directory, Random& random) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    return failed(ErrorKind::retry_later, "make the directory", directory, error.value());
  }
  const std::string path = (std::filesystem::path{directory} / "secrets.json").string();
  if (std::filesystem::exists(path, error)) {
    return false;
  }
  const std::string temporary = fmt::format("{}.{:016x}", path, random.next());
  {
    const File file{
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR)};
    const std::string content = fmt::format(
        "{{\n  \"zapier_api_key\": \"{}\",\n  \"jwt_secret\": \"{}\",\n"
        "  \"encryption_keys\": [\"{}\"]\n}}\n",
        to_base64url(random_bytes(random)), to_base64url(random_bytes(random)),
        to_base64(random_bytes(random)));
    if (!file.is_open() || !write_all(file.get(), content)) {
      const int code = errno;
      ::unlink(temporary.c_str());
      return failed(ErrorKind::retry_later, "write the secret file", temporary, code);
    }
  }
  auto made = move_if_absent(temporary, path);
  sync_directory(directory);
  return made;
}

}  // namespace dispatcher
