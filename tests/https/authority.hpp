// Certificates as no honest authority makes them, for receivers that show them.
#pragma once

#include "adapters/https/tls.hpp"
#include "https/imposter.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace dispatcher::test {

struct CertificateSpec {
  std::string name = "receiver";  // of the subject
  bool is_authority = false;
  std::string alternative_names = "IP:127.0.0.1,DNS:localhost";
  std::string key_usage = "critical,digitalSignature";
  std::string extended_key_usage = "serverAuth";
  std::chrono::seconds from = std::chrono::hours{-1};  // now
  std::chrono::seconds until = std::chrono::hours{1};
  const EVP_MD* digest = EVP_sha256();
  int rsa_bits = 0;  // 0: a P-256 key
};

// What an authority is made from.
[[nodiscard]] CertificateSpec authority_spec(const std::string& name);

// A certificate and its key. Kept while what it signs is made.
class Issued {
 public:
  // By `issuer`, or by itself without one.
  explicit Issued(const CertificateSpec& spec, const Issued* issuer = nullptr);

  // Writes the files `DIR/NAME-cert.pem`, with `chain` behind the certificate, and
  // `DIR/NAME-key.pem`. The server shows whatever it is given, weak or not.
  [[nodiscard]] ServerTls write_to(const std::string& directory,
                                   const std::vector<const Issued*>& chain = {}) const;

 private:
  std::string name_;
  std::unique_ptr<EVP_PKEY, FreedBy<EVP_PKEY_free>> key_;
  std::unique_ptr<X509, FreedBy<X509_free>> certificate_;
};

}  // namespace dispatcher::test
