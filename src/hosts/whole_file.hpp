// A file that is there when it is whole, or not at all.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace dispatcher {

// Writes beside the file, under another name, and takes its place at the end. A process that is
// killed leaves that other name behind (`FILE.part-PID`).
class WholeFile {
 public:
  // `refused`: it cannot be made, or is there already as something else than a file.
  [[nodiscard]] static Result<WholeFile> make(const std::string& path);
  ~WholeFile();
  WholeFile(WholeFile&& other) noexcept;
  WholeFile& operator=(WholeFile&&) = delete;

  [[nodiscard]] Result<void> write(std::string_view text);
  // Now it is there, on disk, in the place of one that was there before.
  [[nodiscard]] Result<void> finish();

 private:
  WholeFile(int descriptor, std::string path, std::string part)
      : descriptor_(descriptor), path_(std::move(path)), part_(std::move(part)) {}

  [[nodiscard]] Error failed() const;  // as errno says

  int descriptor_;  // -1: it is no longer this object's
  std::string path_;
  std::string part_;
};

}  // namespace dispatcher
