#include "adapters/https/trusted_bundle.hpp"

#include <openssl/asn1.h>
#include <openssl/evp.h>

#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

namespace dispatcher {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kBeginCertificate = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view kEndCertificate = "-----END CERTIFICATE-----";

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  if (!file) {
    return std::nullopt;
  }
  std::string content{std::istreambuf_iterator<char>{file}, {}};
  return file.bad() ? std::nullopt : std::optional{std::move(content)};
}

struct FreeDecoder {
  void operator()(EVP_ENCODE_CTX* decoder) const { EVP_ENCODE_CTX_free(decoder); }
};

// The bytes between two lines of a PEM file; empty when they are not base64.
std::vector<unsigned char> decode(std::string_view text) {
  const std::unique_ptr<EVP_ENCODE_CTX, FreeDecoder> decoder{EVP_ENCODE_CTX_new()};
  std::vector<unsigned char> bytes(text.size());
  int count = 0;
  int rest = 0;
  EVP_DecodeInit(decoder.get());
  const bool is_good = EVP_DecodeUpdate(decoder.get(), bytes.data(), &count,
                                        reinterpret_cast<const unsigned char*>(text.data()),
                                        static_cast<int>(text.size())) >= 0 &&
                       EVP_DecodeFinal(decoder.get(), bytes.data() + count, &rest) == 1;
  bytes.resize(is_good ? static_cast<std::size_t>(count + rest) : 0);
  return bytes;
}

// Walks DER: each call steps over an element, or into one.
class DerWalk {
 public:
  explicit DerWalk(const std::vector<unsigned char>& der)
      : at_(der.data()), end_(der.data() + der.size()) {}

  [[nodiscard]] bool step_into(int tag) {
    const auto element = peek();
    if (!element || element->tag != tag || element->tag_class != V_ASN1_UNIVERSAL) {
      return false;
    }
    at_ = element->content;
    return true;
  }
  [[nodiscard]] bool step_over() {
    const auto element = peek();
    if (!element) {
      return false;
    }
    at_ = element->content + element->length;
    return true;
  }
  [[nodiscard]] bool is_at(int tag, int tag_class) const {
    const auto element = peek();
    return element && element->tag == tag && element->tag_class == tag_class;
  }
  [[nodiscard]] const unsigned char* at() const { return at_; }
  [[nodiscard]] long left() const { return end_ - at_; }

 private:
  struct Element {
    const unsigned char* content;
    long length;
    int tag;
    int tag_class;
  };

  [[nodiscard]] std::optional<Element> peek() const {
    Element element{at_, 0, 0, 0};
    const int flags = ASN1_get_object(&element.content, &element.length, &element.tag,
                                      &element.tag_class, left());
    // 0x80: an error; the lowest bit: an indefinite length, which DER does not have.
    if ((static_cast<unsigned>(flags) & 0x81U) != 0) {
      return std::nullopt;
    }
    return element;
  }

  const unsigned char* at_;
  const unsigned char* end_;
};

// The hash by which names are compared: of their canonical form. RFC 5280, 4.1: a certificate has a
// body of version (explicit, may be left out), serial number, algorithm, issuer, validity, subject.
std::optional<unsigned long> subject_hash(const std::vector<unsigned char>& certificate) {
  DerWalk walk{certificate};
  if (!walk.step_into(V_ASN1_SEQUENCE) || !walk.step_into(V_ASN1_SEQUENCE)) {
    return std::nullopt;
  }
  if (walk.is_at(0, V_ASN1_CONTEXT_SPECIFIC) && !walk.step_over()) {
    return std::nullopt;
  }
  for (int before_subject = 0; before_subject < 4; ++before_subject) {
    if (!walk.step_over()) {
      return std::nullopt;
    }
  }
  const unsigned char* at = walk.at();
  X509_NAME* name = d2i_X509_NAME(nullptr, &at, walk.left());
  if (name == nullptr) {
    return std::nullopt;
  }
  int is_hashed = 0;
  const unsigned long hash = X509_NAME_hash_ex(name, nullptr, nullptr, &is_hashed);
  X509_NAME_free(name);
  return is_hashed == 1 ? std::optional{hash} : std::nullopt;
}

}  // namespace

std::unique_ptr<TrustedBundle> TrustedBundle::read(const std::string& path) {
  const auto content = read_file(path);
  if (!content) {
    return nullptr;
  }
  std::unique_ptr<TrustedBundle> bundle{new TrustedBundle};
  std::string_view rest = *content;
  for (auto begin = rest.find(kBegin); begin != std::string_view::npos; begin = rest.find(kBegin)) {
    rest.remove_prefix(begin);
    const auto end = rest.find(kEndCertificate);
    if (!rest.starts_with(kBeginCertificate) || end == std::string_view::npos) {
      return nullptr;
    }
    auto der = decode(rest.substr(kBeginCertificate.size(), end - kBeginCertificate.size()));
    if (!bundle->add(std::move(der))) {
      return nullptr;
    }
    rest.remove_prefix(end + kEndCertificate.size());
  }
  if (bundle->size_ == 0) {
    return nullptr;
  }
  return bundle;
}

bool TrustedBundle::add(Der certificate) {
  const auto hash = subject_hash(certificate);
  if (!hash) {
    return false;
  }
  unparsed_[*hash].push_back(std::move(certificate));
  ++size_;
  return true;
}

bool TrustedBundle::serve(X509_STORE* store) {
  method_.reset(X509_LOOKUP_meth_new("trusted bundle"));
  if (!method_ || X509_LOOKUP_meth_set_get_by_subject(method_.get(), find) != 1) {
    return false;
  }
  X509_LOOKUP* lookup = X509_STORE_add_lookup(store, method_.get());
  return lookup != nullptr && X509_LOOKUP_set_method_data(lookup, this) == 1;
}

// Asked for a name that the store does not have. As OpenSSL's own look-up in a directory does, it
// puts what it has into the store, which verification then uses as it would any other.
int TrustedBundle::find(X509_LOOKUP* lookup, X509_LOOKUP_TYPE type, const X509_NAME* name,
                        X509_OBJECT* found) {
  if (type != X509_LU_X509) {
    return 0;
  }
  int is_hashed = 0;
  const unsigned long hash = X509_NAME_hash_ex(name, nullptr, nullptr, &is_hashed);
  auto* bundle = static_cast<TrustedBundle*>(X509_LOOKUP_get_method_data(lookup));
  X509_STORE* store = X509_LOOKUP_get_store(lookup);
  if (is_hashed != 1) {
    return 0;
  }
  bundle->parse_all_of(hash, store);
  X509_OBJECT* kept =
      X509_OBJECT_retrieve_by_subject(X509_STORE_get0_objects(store), X509_LU_X509, name);
  if (kept == nullptr) {
    return 0;
  }
  X509* certificate = X509_OBJECT_get0_X509(kept);
  if (X509_OBJECT_set1_X509(found, certificate) != 1) {
    return 0;
  }
  // The caller takes a reference of its own; the store's is the one that `found` stands for.
  X509_free(certificate);
  return 1;
}

void TrustedBundle::add_namesakes(X509_STORE* store) {
  // Noted first: what is added changes the list that is gone through.
  std::vector<unsigned long> hashes;
  const STACK_OF(X509_OBJECT)* objects = X509_STORE_get0_objects(store);
  for (int i = 0; i < sk_X509_OBJECT_num(objects); ++i) {
    const X509* certificate = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
    if (certificate == nullptr) {
      continue;  // a revocation list
    }
    int is_hashed = 0;
    const X509_NAME* name = X509_get_subject_name(certificate);
    const unsigned long hash = X509_NAME_hash_ex(name, nullptr, nullptr, &is_hashed);
    if (is_hashed == 1) {
      hashes.push_back(hash);
    }
  }
  for (const unsigned long hash : hashes) {
    parse_all_of(hash, store);
  }
}

void TrustedBundle::parse_all_of(unsigned long name_hash, X509_STORE* store) {
  const auto same = unparsed_.find(name_hash);
  if (same == unparsed_.end()) {
    return;
  }
  for (const Der& der : same->second) {
    const unsigned char* at = der.data();
    X509* certificate = d2i_X509(nullptr, &at, static_cast<long>(der.size()));
    if (certificate != nullptr) {
      // One that cannot be had, or not be added, is not trusted.
      (void)X509_STORE_add_cert(store, certificate);
      X509_free(certificate);
      ++parsed_;
    }
  }
  unparsed_.erase(same);
}

}  // namespace dispatcher
