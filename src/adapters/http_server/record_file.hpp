// Where a receiver writes down what came: one JSON object a line.
#pragma once

#include "adapters/http_server/owned_descriptor.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "ports/http_service.hpp"

#include <string>
#include <string_view>

namespace dispatcher {

struct Record {
  std::string_view id;  // empty: null
  WallTime time{};
  int status = 0;
  const RequestHead& head;
  std::string_view body;
};

// Without its line break. Repeated headers are joined by a comma and a space.
[[nodiscard]] std::string record_line(const Record& record);

class RecordFile {
 public:
  // Made when it is not there, appended to when it is. `refused`: it cannot be opened.
  [[nodiscard]] static Result<RecordFile> open(const std::string& path);

  // A whole line in one write: a reader, or a kill, meets whole lines only. `retry_later`: it could
  // not be written. Not for several threads at once.
  [[nodiscard]] Result<void> append(const Record& record);

 private:
  explicit RecordFile(OwnedDescriptor file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {}

  OwnedDescriptor file_;
  std::string path_;
};

}  // namespace dispatcher
