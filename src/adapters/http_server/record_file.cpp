#include "adapters/http_server/record_file.hpp"

#include "base/bytes.hpp"
#include "base/json_text.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

namespace dispatcher {
namespace {

std::string lower(std::string_view text) {
  std::string out{text};
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return out;
}

// JSON text is UTF-8; what a header holds besides is shown as a question mark.
std::string as_utf8(std::string text) {
  if (!is_valid_utf8(text)) {
    std::replace_if(
        text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; }, '?');
  }
  return text;
}

void append_headers(std::string& line, const std::vector<HttpHeader>& headers) {
  std::map<std::string, std::string> joined;
  for (const HttpHeader& header : headers) {
    std::string& value = joined[lower(header.name)];
    value += (value.empty() ? "" : ", ") + as_utf8(header.value);
  }
  line += R"(,"headers":{)";
  for (const auto& [name, value] : joined) {
    line += line.back() == '{' ? "" : ",";
    append_json_string(line, name);
    line.push_back(':');
    append_json_string(line, value);
  }
  line.push_back('}');
}

}  // namespace

std::string record_line(const Record& record) {
  std::string line = R"({"id":)";
  if (record.id.empty()) {
    line += "null";
  } else {
    append_json_string(line, as_utf8(std::string{record.id}));
  }
  line += R"(,"time":")";
  append_timestamp(line, record.time);
  line += R"(","method":)";
  append_json_string(line, record.head.method);
  line += R"(,"path":)";
  append_json_string(line, as_utf8(record.head.path));
  line += R"(,"status":)" + std::to_string(record.status);
  append_headers(line, record.head.headers);
  const bool is_text = is_valid_utf8(record.body);
  line += is_text ? R"(,"body":)" : R"(,"body_base64":)";
  append_json_string(line, is_text ? std::string{record.body} : to_base64(record.body));
  line.push_back('}');
  return line;
}

Result<RecordFile> RecordFile::open(const std::string& path) {
  OwnedDescriptor file{::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600)};
  if (file.get() < 0) {
    return make_error(ErrorKind::refused, "cannot open the record file " + path + ": " +
                                              std::strerror(errno) + " (set --record)");
  }
  return RecordFile{std::move(file), path};
}

Result<void> RecordFile::append(const Record& record) {
  std::string line = record_line(record);
  line.push_back('\n');
  const ssize_t written = ::write(file_.get(), line.data(), line.size());
  if (written < 0 || static_cast<std::size_t>(written) != line.size()) {
    return make_error(ErrorKind::retry_later,
                      "cannot write the record file " + path_ + ": " +
                          (written < 0 ? std::strerror(errno) : "the disk is full"));
  }
  return {};
}

}  // namespace dispatcher
