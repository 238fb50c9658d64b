#include "adapters/https/tls.hpp"

#include "base/check.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>

namespace dispatcher {
namespace {

// Debian, Ubuntu, Alpine; Amazon Linux, Fedora; openSUSE.
constexpr std::array kSystemBundles{
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
};
// At this level (112 bits) RSA and DH below 2,048 bits and SHA-1 signatures are refused.
constexpr int kSecurityLevel = 2;

// An error left by something else on this thread would be taken for the next step's. Looking is
// cheaper than clearing.
void forget_errors() {
  if (ERR_peek_error() != 0) {
    ERR_clear_error();
  }
}

int create_wire_bio(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

int read_wire_bio(BIO* bio, char* into, std::size_t size, std::size_t* count) {
  auto* wire = static_cast<Wire*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const Io io = wire->read({into, size}, *count);
  if (io == Io::wants_input) {
    BIO_set_retry_read(bio);
  }
  return io == Io::done ? 1 : 0;
}

int write_wire_bio(BIO* bio, const char* bytes, std::size_t size, std::size_t* count) {
  auto* wire = static_cast<Wire*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const Io io = wire->write({bytes, size}, *count);
  if (io == Io::wants_output) {
    BIO_set_retry_write(bio);
  }
  return io == Io::done ? 1 : 0;
}

long control_wire_bio(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
  const auto* wire = static_cast<const Wire*>(BIO_get_data(bio));
  switch (command) {
    case BIO_CTRL_FLUSH: return 1;
    case BIO_CTRL_EOF: return wire->is_ended && wire->input.empty() ? 1 : 0;
    default: return 0;
  }
}

BioMethodPtr make_wire_method() {
  BioMethodPtr method{BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire")};
  DISPATCHER_CHECK(method);
  BIO_meth_set_create(method.get(), create_wire_bio);
  BIO_meth_set_read_ex(method.get(), read_wire_bio);
  BIO_meth_set_write_ex(method.get(), write_wire_bio);
  BIO_meth_set_ctrl(method.get(), control_wire_bio);
  return method;
}

Error cannot_read(const std::string& path) {
  ERR_clear_error();
  return make_error(ErrorKind::invalid,
                    "cannot load trusted certificates from " + path +
                        ": it cannot be read or holds no certificate in PEM form");
}

bool load(SSL_CTX* context, const std::string& path) {
  return SSL_CTX_load_verify_file(context, path.c_str()) == 1;
}

// Its certificates are parsed when they are needed, where the file is of the usual form.
bool load_bundle(SSL_CTX* context, const std::string& path, std::unique_ptr<TrustedBundle>& kept) {
  auto bundle = TrustedBundle::read(path);
  if (bundle && bundle->serve(SSL_CTX_get_cert_store(context))) {
    kept = std::move(bundle);
    return true;
  }
  return load(context, path);
}

// True when there was a bundle.
Result<bool> load_system_bundle(SSL_CTX* context, std::unique_ptr<TrustedBundle>& kept) {
  if (const char* named = std::getenv("SSL_CERT_FILE"); named != nullptr && *named != '\0') {
    if (!load_bundle(context, named, kept)) {
      return cannot_read(named);
    }
    return true;
  }
  for (const char* path : kSystemBundles) {
    if (::access(path, R_OK) == 0 && load_bundle(context, path, kept)) {
      return true;
    }
  }
  ERR_clear_error();
  return false;
}

// Why a certificate was not accepted. The texts are ours: what a peer's certificate says is not in
// them.
std::string certificate_fault(long result) {
  switch (result) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return "the certificate has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID: return "the certificate is not valid yet";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return "the certificate is self-signed and not trusted (CA_FILE can add it)";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "the certificate's issuer is not trusted, or its chain is incomplete";
    case X509_V_ERR_HOSTNAME_MISMATCH: return "the certificate is for another host name";
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return "the certificate is for another address";
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK: return "the certificate's key or signature is too weak";
    case X509_V_ERR_INVALID_PURPOSE: return "the certificate is not one for a server";
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_KEYUSAGE_NO_CERTSIGN: return "a certificate of the chain may not sign others";
    default: return std::string{"certificate: "} + X509_verify_cert_error_string(result);
  }
}

std::string reason_text(unsigned long error) {
  const char* reason = ERR_reason_error_string(error);
  return reason != nullptr ? reason : "the handshake failed";
}

}  // namespace

ClientTls ClientTls::make_empty() {
  ClientTls made;
  made.context_.reset(SSL_CTX_new(TLS_client_method()));
  made.wire_method_ = make_wire_method();
  SSL_CTX* context = made.context_.get();
  DISPATCHER_CHECK(context != nullptr);
  SSL_CTX_set_security_level(context, kSecurityLevel);
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  // What a CA_FILE holds is trusted as it is, also an intermediate or a server's own certificate.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
  static constexpr unsigned char kProtocols[] = "\x08http/1.1";
  SSL_CTX_set_alpn_protos(context, kProtocols, sizeof kProtocols - 1);
  // Sessions are kept by the client, per pool and origin; OpenSSL's own cache is a server's.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, &TlsStream::keep_session);
  return made;
}

Result<ClientTls> ClientTls::make(const std::vector<std::string>& ca_files) {
  ClientTls made = make_empty();
  SSL_CTX* context = made.context_.get();
  const auto has_bundle = load_system_bundle(context, made.bundle_);
  if (!has_bundle) {
    return has_bundle.error();
  }
  made.has_trusted_certificates_ = *has_bundle || !ca_files.empty();
  for (const std::string& path : ca_files) {
    if (!load(context, path)) {
      return cannot_read(path);
    }
  }
  if (made.bundle_) {
    made.bundle_->add_namesakes(SSL_CTX_get_cert_store(context));
  }
  ERR_clear_error();
  return made;
}

TlsStream::TlsStream(const ClientTls& context, Wire& wire, const TlsPeer& peer,
                     SSL_SESSION* session)
    : context_(context), wire_(wire), ssl_(SSL_new(context.context())) {
  DISPATCHER_CHECK(ssl_ != nullptr);
  BIO* bio = BIO_new(context.wire_method());
  DISPATCHER_CHECK(bio != nullptr);
  BIO_set_data(bio, &wire_);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_app_data(ssl_.get(), this);
  SSL_set_connect_state(ssl_.get());
  X509_VERIFY_PARAM* verify = SSL_get0_param(ssl_.get());
  if (peer.address) {
    const std::size_t size = peer.address->is_v6 ? 16 : 4;
    DISPATCHER_CHECK(X509_VERIFY_PARAM_set1_ip(verify, peer.address->bytes.data(), size) == 1);
  } else {
    DISPATCHER_CHECK(!peer.name.empty());  // an empty one would be no check
    X509_VERIFY_PARAM_set_hostflags(verify, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    DISPATCHER_CHECK(X509_VERIFY_PARAM_set1_host(verify, peer.name.c_str(), peer.name.size()) == 1);
    SSL_set_tlsext_host_name(ssl_.get(), peer.name.c_str());
  }
  if (session != nullptr) {
    SSL_set_session(ssl_.get(), session);
  }
}

TlsStream::~TlsStream() {
  // Freed in the middle of its life, OpenSSL would mark the session unfit for resumption; that is
  // for broken connections alone.
  if (!is_broken_) {
    SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  }
}

int TlsStream::keep_session(SSL* ssl, SSL_SESSION* session) {
  auto* stream = static_cast<TlsStream*>(SSL_get_app_data(ssl));
  stream->session_.reset(session);
  return 1;  // the reference is ours now
}

Io TlsStream::handshake() {
  forget_errors();
  return outcome(SSL_do_handshake(ssl_.get()));
}

Io TlsStream::read(std::span<char> into, std::size_t& count) {
  forget_errors();
  return outcome(SSL_read_ex(ssl_.get(), into.data(), into.size(), &count));
}

Io TlsStream::write(std::string_view bytes, std::size_t& count) {
  forget_errors();
  return outcome(SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count));
}

Io TlsStream::outcome(int returned) {
  if (returned == 1) {
    return Io::done;
  }
  switch (SSL_get_error(ssl_.get(), returned)) {
    case SSL_ERROR_WANT_READ: return Io::wants_input;
    case SSL_ERROR_WANT_WRITE: return Io::wants_output;
    case SSL_ERROR_ZERO_RETURN: return Io::ended;
    default: break;
  }
  error_ = ERR_peek_error();
  ERR_clear_error();
  is_broken_ = true;
  return Io::failed;
}

void TlsStream::close() {
  if (!is_broken_ && SSL_is_init_finished(ssl_.get()) == 1) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());  // whether it got through changes nothing
    ERR_clear_error();
  }
}

bool TlsStream::has_resumed() const {
  return SSL_session_reused(ssl_.get()) == 1;
}

bool TlsStream::has_unread() const {
  return SSL_has_pending(ssl_.get()) == 1;
}

Failure TlsStream::failure() const {
  const bool is_ours = ERR_GET_LIB(error_) == ERR_LIB_SSL;
  const int reason = is_ours ? ERR_GET_REASON(error_) : 0;
  if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    if (!context_.has_trusted_certificates()) {
      return {FailureKind::tls,
              "there are no trusted certificates on this machine (install "
              "ca-certificates, or set CA_FILE or SSL_CERT_FILE)"};
    }
    return {FailureKind::tls, certificate_fault(SSL_get_verify_result(ssl_.get()))};
  }
  if (reason == SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL) {
    return {FailureKind::protocol, "the server does not offer HTTP/1.1 (HTTP/2 only?)"};
  }
  if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST) {
    return {FailureKind::tls, "the server does not speak TLS on this port"};
  }
  if (reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION || reason == SSL_R_UNSUPPORTED_PROTOCOL) {
    return {FailureKind::tls, "the server offers no TLS version from 1.2 on"};
  }
  if (wire_.error != 0 || reason == SSL_R_UNEXPECTED_EOF_WHILE_READING || error_ == 0) {
    return {FailureKind::reset, "the connection ended in the TLS handshake"};
  }
  return {FailureKind::tls, reason_text(error_)};
}

}  // namespace dispatcher
