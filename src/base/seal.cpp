#include "base/seal.hpp"

#include "base/bytes.hpp"
#include "base/check.hpp"

#include <openssl/evp.h>

#include <memory>

namespace dispatcher {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kKeyIdBytes = 8;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kNonceBytes = std::tuple_size_v<SealNonce>;
constexpr std::size_t kHeaderBytes = 1 + kKeyIdBytes;

struct FreeCipherContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeCipherContext>;

const unsigned char* as_bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* as_bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

// An HMAC under the key: it names the key to whoever holds it, and tells others nothing.
std::string id_of(std::string_view key) {
  const Sha256Digest digest = hmac_sha256(key, "dispatcher key id");
  return std::string{as_text(digest).substr(0, kKeyIdBytes)};
}

// The context for one text: `direction` is 1 to seal, 0 to open. What is not encrypted is
// authenticated: the header, and whose the text is.
CipherContext begin(int direction, std::string_view key, std::string_view nonce,
                    std::string_view header, std::string_view owner) {
  CipherContext context{EVP_CIPHER_CTX_new()};
  DISPATCHER_CHECK(context != nullptr);
  DISPATCHER_CHECK(EVP_CipherInit_ex2(context.get(), EVP_aes_256_gcm(), as_bytes(key),
                                      as_bytes(nonce), direction, nullptr) == 1);
  for (const std::string_view part : {header, owner}) {
    int written = 0;
    DISPATCHER_CHECK(EVP_CipherUpdate(context.get(), nullptr, &written, as_bytes(part),
                                      static_cast<int>(part.size())) == 1);
  }
  return context;
}

// The text, turned around; the cipher changes no length.
std::string turn(EVP_CIPHER_CTX* context, std::string_view text) {
  std::string out(text.size(), '\0');
  int written = 0;
  if (!text.empty()) {
    DISPATCHER_CHECK(EVP_CipherUpdate(context, as_bytes(out), &written, as_bytes(text),
                                      static_cast<int>(text.size())) == 1);
  }
  return out;
}

Error refused(ErrorKind kind, std::string_view what) {
  return make_error(kind, "cannot open what is sealed: " + std::string{what});
}

}  // namespace

Result<KeyRing> KeyRing::make(std::span<const std::string> keys_in_base64) {
  KeyRing ring;
  for (std::size_t i = 0; i < keys_in_base64.size(); ++i) {
    auto bytes = from_base64(keys_in_base64[i]);
    if (!bytes || bytes->size() != kSealKeyBytes) {
      return make_error(ErrorKind::invalid, "encryption_keys: entry " + std::to_string(i + 1) +
                                                " is not 32 bytes in base64");
    }
    std::string id = id_of(*bytes);
    ring.keys_.push_back({std::move(id), *std::move(bytes)});
  }
  return ring;
}

std::string KeyRing::seal(std::string_view text, std::string_view owner,
                          const SealNonce& nonce) const {
  DISPATCHER_CHECK(can_seal());
  const Key& key = keys_.front();
  const std::string header = kVersion + key.id;
  const std::string_view nonce_text = as_text(nonce);
  const CipherContext context = begin(1, key.bytes, nonce_text, header, owner);
  std::string sealed = header;
  sealed += nonce_text;
  sealed += turn(context.get(), text);
  std::string tag(kTagBytes, '\0');
  int written = 0;
  DISPATCHER_CHECK(EVP_CipherFinal_ex(context.get(), as_bytes(tag), &written) == 1);
  DISPATCHER_CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG,
                                       static_cast<int>(kTagBytes), tag.data()) == 1);
  return to_base64url(sealed + tag);
}

Result<Opened> KeyRing::open(std::string_view sealed, std::string_view owner) const {
  const auto bytes = from_base64url(sealed);
  if (!bytes || bytes->size() < kHeaderBytes + kNonceBytes + kTagBytes ||
      bytes->front() != kVersion) {
    return refused(ErrorKind::invalid, "it is no sealed text that this version makes");
  }
  const std::string_view whole = *bytes;
  const std::string_view header = whole.substr(0, kHeaderBytes);
  const std::string_view nonce = whole.substr(kHeaderBytes, kNonceBytes);
  const std::string_view ciphertext = whole.substr(
      kHeaderBytes + kNonceBytes, whole.size() - kHeaderBytes - kNonceBytes - kTagBytes);
  std::string tag{whole.substr(whole.size() - kTagBytes)};
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    if (keys_[i].id != header.substr(1)) {
      continue;
    }
    const CipherContext context = begin(0, keys_[i].bytes, nonce, header, owner);
    std::string text = turn(context.get(), ciphertext);
    DISPATCHER_CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG,
                                         static_cast<int>(kTagBytes), tag.data()) == 1);
    int written = 0;
    std::string nothing(kTagBytes, '\0');
    if (EVP_CipherFinal_ex(context.get(), as_bytes(nothing), &written) != 1) {
      return refused(ErrorKind::invalid, "it was altered, or belongs to something else");
    }
    return Opened{std::move(text), i == 0};
  }
  return refused(ErrorKind::not_found, "none of encryption_keys sealed it");
}

}  // namespace dispatcher
