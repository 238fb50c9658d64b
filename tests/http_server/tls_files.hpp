// A certificate for 127.0.0.1 and its key, made anew, in a directory that goes with it.
#pragma once

#include <filesystem>
#include <string>

namespace dispatcher::testing {

class TlsFiles {
 public:
  TlsFiles();
  ~TlsFiles();
  TlsFiles(const TlsFiles&) = delete;
  TlsFiles& operator=(const TlsFiles&) = delete;

  [[nodiscard]] std::string certificate() const { return (directory_ / "cert.pem").string(); }
  [[nodiscard]] std::string key() const { return (directory_ / "key.pem").string(); }
  // The path of a file of so many zeros.
  [[nodiscard]] std::string zeros(std::size_t bytes) const;

 private:
  std::filesystem::path directory_;
};

}  // namespace dispatcher::testing
