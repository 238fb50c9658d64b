// A self-signed certificate for a receiver on this machine, to try things with.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"

#include <string>
#include <vector>

namespace dispatcher {

struct CertificateFiles {
  std::string certificate;  // PEM; also what a client trusts (`--ca-file`)
  std::string key;          // PEM, mode 0600
};

// `DIR/cert.pem` and `DIR/key.pem`, P-256, valid for a year, for these names (host names or
// addresses). What is there is kept when it belongs together, is valid for another day at `now` and
// covers the names; otherwise it is made anew. Makes the directory. `retry_later`: a file cannot be
// written or read.
[[nodiscard]] Result<CertificateFiles> make_certificate(const std::string& directory, WallTime now,
                                                        const std::vector<std::string>& names = {
                                                            "localhost", "127.0.0.1", "::1"});

}  // namespace dispatcher
