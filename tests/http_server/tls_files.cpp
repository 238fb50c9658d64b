#include "http_server/tls_files.hpp"

#include <stdlib.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace dispatcher::testing {

TlsFiles::TlsFiles() {
  std::string name = (std::filesystem::temp_directory_path() / "http_server_XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw std::runtime_error("cannot make a directory");
  }
  directory_ = name;
  const std::string command =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
      "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1,DNS:localhost -keyout '" +
      key() + "' -out '" + certificate() + "' 2>/dev/null";
  if (std::system(command.c_str()) != 0) {
    throw std::runtime_error("openssl cannot make a certificate");
  }
}

std::string TlsFiles::zeros(std::size_t bytes) const {
  const std::filesystem::path path = directory_ / "zeros";
  std::ofstream{path}.close();
  std::filesystem::resize_file(path, bytes);
  return path.string();
}

TlsFiles::~TlsFiles() {
  std::filesystem::remove_all(directory_);
}

}  // namespace dispatcher::testing
