#include "adapters/secrets_file/secrets_file.hpp"

#include "base/bytes.hpp"
#include "model/url_list.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

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
constexpr std::size_t kEncryptionKeyBytes = 32;

Error wrong(std::string_view key, const std::string& file, std::string_view what) {
  return make_error(ErrorKind::invalid, fmt::format("{}: {} (in {})", key, what, file));
}

std::string_view kind_of(const boost::json::value& value) {
  switch (value.kind()) {
    case boost::json::kind::null: return "null";
    case boost::json::kind::bool_: return "a boolean";
    case boost::json::kind::int64:
    case boost::json::kind::uint64:
    case boost::json::kind::double_: return "a number";
    case boost::json::kind::string: return "a text";
    case boost::json::kind::array: return "a list";
    case boost::json::kind::object: return "an object";
  }
  return "unknown";
}

std::string text_of(const boost::json::value& value) {
  const auto& text = value.get_string();
  return {text.data(), text.size()};
}

// What a key has: a text or a list of texts. Absent, null and empty are the same.
Result<std::vector<std::string>> read_texts(const boost::json::object& object, std::string_view key,
                                            const std::string& file) {
  std::vector<std::string> texts;
  const auto* value = object.if_contains({key.data(), key.size()});
  if (value == nullptr || value->is_null()) {
    return texts;
  }
  if (value->is_string()) {
    if (!value->get_string().empty()) {
      texts.push_back(text_of(*value));
    }
    return texts;
  }
  if (!value->is_array()) {
    return wrong(key, file, fmt::format("is {}, not a text or a list of texts", kind_of(*value)));
  }
  for (const auto& element : value->get_array()) {
    if (!element.is_string() || element.get_string().empty()) {
      return wrong(key, file, "has an entry that is not a text, or is empty");
    }
    texts.push_back(text_of(element));
  }
  return texts;
}

// Of the keys required, the first that is absent.
Result<void> check_required(const boost::json::object& object,
                            const std::vector<std::string>& required, const std::string& file) {
  for (const std::string& key : required) {
    const auto texts = read_texts(object, key, file);
    if (!texts) {
      return texts.error();
    }
    if (texts->empty()) {
      return wrong(key, file, "is missing or empty; add it");
    }
  }
  return {};
}

std::vector<std::string> split_urls(const std::vector<std::string>& texts) {
  std::vector<std::string> urls;
  for (const std::string& text : texts) {
    auto some = split_url_list(text);
    std::move(some.begin(), some.end(), std::back_inserter(urls));
  }
  return urls;
}

Result<SecretBundle> read_bundle(const boost::json::object& object, const std::string& file) {
  SecretBundle bundle;
  std::vector<std::string> webhook_secrets;
  struct Place {
    std::string_view key;
    std::vector<std::string>* texts;
  };
  for (const Place place :
       {Place{"zapier_api_key", &bundle.api_keys},
        Place{"zapier_webhook_url", &bundle.webhook_urls}, Place{"jwt_secret", &bundle.jwt_secrets},
        Place{"zapier_webhook_secret", &webhook_secrets},
        Place{"encryption_keys", &bundle.encryption_keys}}) {
    auto texts = read_texts(object, place.key, file);
    if (!texts) {
      return texts.error();
    }
    *place.texts = std::move(*texts);
  }
  if (webhook_secrets.size() > 1) {
    return wrong("zapier_webhook_secret", file, "is a list; give one text");
  }
  for (const std::string& key : bundle.encryption_keys) {
    const auto bytes = from_base64(key);
    if (!bytes || bytes->size() != kEncryptionKeyBytes) {
      return wrong("encryption_keys", file, "has an entry that is not 32 bytes in base64");
    }
  }
  bundle.webhook_urls = split_urls(bundle.webhook_urls);
  bundle.webhook_secret = webhook_secrets.empty() ? std::string{} : webhook_secrets.front();
  return bundle;
}

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

Result<SecretBundle> parse_secrets(std::string_view json, const std::string& file,
                                   const std::vector<std::string>& required) {
  boost::json::error_code error;
  const auto value = boost::json::parse({json.data(), json.size()}, error);
  if (error || !value.is_object()) {
    return make_error(ErrorKind::invalid, fmt::format("the secret file {} is not a JSON object{}",
                                                      file, error ? ": " + error.message() : ""));
  }
  const auto complete = check_required(value.get_object(), required, file);
  if (!complete) {
    return complete.error();
  }
  return read_bundle(value.get_object(), file);
}

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
  return parse_secrets(*content, path_, required_);
}

boost::asio::awaitable<Result<SecretBundle>> SecretsFile::read() {
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
  const auto made = move_if_absent(temporary, path);
  sync_directory(directory);
  return made;
}

}  // namespace dispatcher
