#include "https/authority.hpp"

#include "base/check.hpp"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <atomic>

namespace dispatcher::test {
namespace {

using BioPtr = std::unique_ptr<BIO, FreedBy<BIO_free_all>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, FreedBy<X509_EXTENSION_free>>;

void add(X509* certificate, X509* issuer, int nid, const std::string& value) {
  if (value.empty()) {
    return;
  }
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const ExtensionPtr extension{X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str())};
  DISPATCHER_CHECK(extension);
  DISPATCHER_CHECK(X509_add_ext(certificate, extension.get(), -1) == 1);
}

}  // namespace

CertificateSpec authority_spec(const std::string& name) {
  CertificateSpec spec;
  spec.name = name;
  spec.is_authority = true;
  spec.alternative_names.clear();
  spec.key_usage = "critical,keyCertSign";
  spec.extended_key_usage.clear();
  return spec;
}

Issued::Issued(const CertificateSpec& spec, const Issued* issuer)
    : name_(spec.name),
      key_(spec.rsa_bits > 0 ? EVP_RSA_gen(static_cast<unsigned>(spec.rsa_bits))
                             : EVP_EC_gen("P-256")),
      certificate_(X509_new()) {
  static std::atomic<long> serial{1};
  X509* made = certificate_.get();
  X509_set_version(made, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made), serial++);
  X509_gmtime_adj(X509_getm_notBefore(made), spec.from.count());
  X509_gmtime_adj(X509_getm_notAfter(made), spec.until.count());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(spec.name.c_str()), -1, -1, 0);
  const Issued& signer = issuer != nullptr ? *issuer : *this;
  X509_set_issuer_name(made, X509_get_subject_name(signer.certificate_.get()));
  X509_set_pubkey(made, key_.get());
  const auto extend = [&](int nid, const std::string& value) {
    add(made, signer.certificate_.get(), nid, value);
  };
  extend(NID_basic_constraints, spec.is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  extend(NID_key_usage, spec.key_usage);
  extend(NID_ext_key_usage, spec.extended_key_usage);
  extend(NID_subject_alt_name, spec.alternative_names);
  // They tell apart authorities of one name.
  extend(NID_subject_key_identifier, "hash");
  extend(NID_authority_key_identifier, "keyid");
  DISPATCHER_CHECK(X509_sign(made, signer.key_.get(), spec.digest) > 0);
}

ServerTls Issued::write_to(const std::string& directory,
                           const std::vector<const Issued*>& chain) const {
  ServerTls tls;
  tls.certificate = directory + "/" + name_ + "-cert.pem";
  tls.key = directory + "/" + name_ + "-key.pem";
  tls.security_level = 0;
  const BioPtr out{BIO_new_file(tls.certificate.c_str(), "w")};
  DISPATCHER_CHECK(PEM_write_bio_X509(out.get(), certificate_.get()) == 1);
  for (const Issued* one : chain) {
    DISPATCHER_CHECK(PEM_write_bio_X509(out.get(), one->certificate_.get()) == 1);
  }
  const BioPtr secret{BIO_new_file(tls.key.c_str(), "w")};
  DISPATCHER_CHECK(PEM_write_bio_PrivateKey(secret.get(), key_.get(), nullptr, nullptr, 0, nullptr,
                                            nullptr) == 1);
  return tls;
}

}  // namespace dispatcher::test
