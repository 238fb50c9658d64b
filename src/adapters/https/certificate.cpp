#include "adapters/https/certificate.hpp"

#include "adapters/https/address_rules.hpp"
#include "adapters/https/tls.hpp"
#include "base/check.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace dispatcher {
namespace {

constexpr std::chrono::seconds kValidity = std::chrono::days{365};
// One that ends sooner is made anew. Also how far it reaches back, for clocks that are behind.
constexpr std::chrono::seconds kMargin = std::chrono::days{1};
constexpr mode_t kKeyMode = 0600;
constexpr mode_t kCertificateMode = 0644;

using KeyPtr = std::unique_ptr<EVP_PKEY, FreedBy<EVP_PKEY_free>>;
using CertificatePtr = std::unique_ptr<X509, FreedBy<X509_free>>;
using BioPtr = std::unique_ptr<BIO, FreedBy<BIO_free_all>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, FreedBy<X509_EXTENSION_free>>;

Error cannot(const std::string& what, const std::string& path) {
  return make_error(ErrorKind::retry_later,
                    "cannot " + what + " " + path + ": " + std::strerror(errno));
}

std::time_t seconds_of(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

std::string read_file(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

BioPtr bio_of(const std::string& text) {
  return BioPtr{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

bool covers(X509* certificate, const std::string& name) {
  return parse_ip_address(name) ? X509_check_ip_asc(certificate, name.c_str(), 0) == 1
                                : X509_check_host(certificate, name.c_str(), 0, 0, nullptr) == 1;
}

bool is_private(const std::string& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0 && (found.st_mode & 077U) == 0;
}

bool is_usable(const CertificateFiles& files, WallTime now, const std::vector<std::string>& names) {
  if (!is_private(files.key)) {
    return false;
  }
  const std::string certificate_text = read_file(files.certificate);
  const std::string key_text = read_file(files.key);
  const CertificatePtr certificate{
      PEM_read_bio_X509(bio_of(certificate_text).get(), nullptr, nullptr, nullptr)};
  const KeyPtr key{PEM_read_bio_PrivateKey(bio_of(key_text).get(), nullptr, nullptr, nullptr)};
  ERR_clear_error();
  if (!certificate || !key || X509_check_private_key(certificate.get(), key.get()) != 1) {
    ERR_clear_error();
    return false;
  }
  std::time_t from = seconds_of(now);
  std::time_t until = seconds_of(now + kMargin);
  if (X509_cmp_time(X509_get0_notBefore(certificate.get()), &from) > 0 ||
      X509_cmp_time(X509_get0_notAfter(certificate.get()), &until) < 0) {
    return false;
  }
  for (const std::string& name : names) {
    if (!covers(certificate.get(), name)) {
      return false;
    }
  }
  return true;
}

void add_extension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const ExtensionPtr extension{X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str())};
  DISPATCHER_CHECK(extension);
  DISPATCHER_CHECK(X509_add_ext(certificate, extension.get(), -1) == 1);
}

std::string alternative_names(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) {
    list += list.empty() ? "" : ",";
    list += (parse_ip_address(name) ? "IP:" : "DNS:") + name;
  }
  return list;
}

// A certificate of its own authority: what trusts it trusts nothing else but what its key signs.
CertificatePtr make_self_signed(EVP_PKEY* key, WallTime now,
                                const std::vector<std::string>& names) {
  CertificatePtr certificate{X509_new()};
  X509* made = certificate.get();
  std::uint64_t serial = 0;
  DISPATCHER_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1);
  X509_set_version(made, X509_VERSION_3);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(made), serial >> 1U);
  ASN1_TIME_set(X509_getm_notBefore(made), seconds_of(now - kMargin));
  ASN1_TIME_set(X509_getm_notAfter(made), seconds_of(now + kValidity));
  X509_NAME* name = X509_get_subject_name(made);
  const std::string common = "dispatcher " + names.front();
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common.c_str()), -1, -1, 0);
  X509_set_issuer_name(made, name);
  X509_set_pubkey(made, key);
  add_extension(made, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add_extension(made, NID_key_usage, "critical,digitalSignature,keyCertSign");
  add_extension(made, NID_ext_key_usage, "serverAuth");
  add_extension(made, NID_subject_key_identifier, "hash");
  add_extension(made, NID_subject_alt_name, alternative_names(names));
  DISPATCHER_CHECK(X509_sign(made, key, EVP_sha256()) > 0);
  return certificate;
}

template <class Write>
std::string pem_of(Write write) {
  const BioPtr bio{BIO_new(BIO_s_mem())};
  DISPATCHER_CHECK(write(bio.get()) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

// Whole or not at all, and never readable by others while it is written.
Result<void> write_file(const std::string& path, const std::string& text, mode_t mode) {
  const std::string temporary = path + ".new";
  ::unlink(temporary.c_str());  // of an earlier attempt; when it stays, opening says why
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) {
    return cannot("create", temporary);
  }
  const bool is_written =
      ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const bool is_closed = ::close(fd) == 0;
  if (!is_written || !is_closed || ::rename(temporary.c_str(), path.c_str()) != 0) {
    return cannot("write", path);
  }
  return {};
}

}  // namespace

Result<CertificateFiles> make_certificate(const std::string& directory, WallTime now,
                                          const std::vector<std::string>& names) {
  if (names.empty()) {
    return make_error(ErrorKind::invalid, "a certificate needs a name");
  }
  for (const std::string& name : names) {  // also what would end an entry of the list
    if (classify_host(name).kind == HostKind::invalid) {
      return make_error(ErrorKind::invalid,
                        "cannot make a certificate for \"" + name + "\": not a host name");
    }
  }
  CertificateFiles files{directory + "/cert.pem", directory + "/key.pem"};
  if (is_usable(files, now, names)) {
    return files;
  }
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed) {
    return make_error(ErrorKind::retry_later,
                      "cannot create directory " + directory + ": " + failed.message());
  }
  const KeyPtr key{EVP_EC_gen("P-256")};
  DISPATCHER_CHECK(key);
  const CertificatePtr certificate = make_self_signed(key.get(), now, names);
  const std::string key_text = pem_of([&key](BIO* bio) {
    return PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  const std::string certificate_text =
      pem_of([&certificate](BIO* bio) { return PEM_write_bio_X509(bio, certificate.get()); });
  if (auto written = write_file(files.key, key_text, kKeyMode); !written) {
    return written.error();
  }
  if (auto written = write_file(files.certificate, certificate_text, kCertificateMode); !written) {
    return written.error();
  }
  return files;
}

}  // namespace dispatcher
