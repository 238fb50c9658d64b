#include "adapters/http_server/tls_context.hpp"

#include <openssl/err.h>
#include <openssl/x509err.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <string_view>

namespace dispatcher {
namespace {

using BioMethod = std::unique_ptr<BIO_METHOD, FreeTls>;
using Context = std::unique_ptr<SSL_CTX, FreeTls>;

int socket_of(BIO* bio) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

// OpenSSL's own socket BIO writes without MSG_NOSIGNAL: a client that goes away would end the
// process with SIGPIPE.
int write_socket(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  const auto written = ::send(socket_of(bio), bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (written < 0 && would_block()) {
    BIO_set_retry_write(bio);
  }
  return static_cast<int>(written);
}

int read_socket(BIO* bio, char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  const auto received = ::recv(socket_of(bio), bytes, static_cast<std::size_t>(size), 0);
  if (received < 0 && would_block()) {
    BIO_set_retry_read(bio);
  }
  return static_cast<int>(received);
}

long control_socket(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

int create_socket(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

BioMethod make_method() {
  BioMethod method{BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "client")};
  if (method) {
    BIO_meth_set_write(method.get(), write_socket);
    BIO_meth_set_read(method.get(), read_socket);
    BIO_meth_set_ctrl(method.get(), control_socket);
    BIO_meth_set_create(method.get(), create_socket);
  }
  return method;
}

// Chosen when the client offers it; a client that offers other protocols alone goes without.
int choose_protocol(SSL* /*tls*/, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned offered_size, void* /*unused*/) {
  constexpr std::string_view kHttp11 = "\x08http/1.1";
  const std::string_view list{reinterpret_cast<const char*>(offered), offered_size};
  for (std::size_t at = 0; at < list.size(); at += 1 + static_cast<unsigned char>(list[at])) {
    if (list.substr(at).starts_with(kHttp11)) {
      *chosen = offered + at + 1;
      *chosen_size = static_cast<unsigned char>(kHttp11.size() - 1);
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_NOACK;
}

// An encrypted key is refused instead of asking a terminal for its password.
int no_password(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*unused*/) {
  return 0;
}

Context make_context() {
  Context context{SSL_CTX_new(TLS_server_method())};
  if (!context) {
    return nullptr;
  }
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                         SSL_OP_IGNORE_UNEXPECTED_EOF |
                                         SSL_OP_CIPHER_SERVER_PREFERENCE);
  // An idle connection holds no record buffers; a write may take a part and be repeated from
  // another place in memory.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context.get(), 1);  // a record's header and body in one read
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);  // tickets need no memory
  SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
  SSL_CTX_set_default_passwd_cb(context.get(), no_password);
  return context;
}

Error cannot_load(std::string_view what, const std::string& file, std::string_view setting,
                  std::string why) {
  return make_error(ErrorKind::invalid, "cannot load the TLS " + std::string{what} + " " + file +
                                            ": " + std::move(why) + " (set " +
                                            std::string{setting} + ")");
}

Result<void> load_certificate(SSL_CTX* context, const std::string& file) {
  if (::access(file.c_str(), R_OK) != 0) {
    return cannot_load("certificate", file, "--tls-cert", std::strerror(errno));
  }
  if (SSL_CTX_use_certificate_chain_file(context, file.c_str()) != 1) {
    return cannot_load("certificate", file, "--tls-cert", "it is not a PEM certificate");
  }
  return {};
}

Result<void> load_key(SSL_CTX* context, const std::string& file,
                      const std::string& certificate_file) {
  if (::access(file.c_str(), R_OK) != 0) {
    return cannot_load("key", file, "--tls-key", std::strerror(errno));
  }
  ERR_clear_error();
  if (SSL_CTX_use_PrivateKey_file(context, file.c_str(), SSL_FILETYPE_PEM) == 1) {
    return {};
  }
  const auto fault = ERR_peek_error();
  const bool is_mismatch =
      ERR_GET_LIB(fault) == ERR_LIB_X509 && (ERR_GET_REASON(fault) == X509_R_KEY_VALUES_MISMATCH ||
                                             ERR_GET_REASON(fault) == X509_R_KEY_TYPE_MISMATCH);
  return cannot_load("key", file, "--tls-key",
                     is_mismatch ? "it does not belong to the certificate " + certificate_file
                                 : "it is not a PEM key without a password");
}

}  // namespace

Result<std::unique_ptr<ServerTls>> ServerTls::load(const std::string& certificate_file,
                                                   const std::string& key_file) {
  BioMethod method = make_method();
  Context context = make_context();
  if (!method || !context) {
    return make_error(ErrorKind::retry_later, "cannot set up TLS: out of memory");
  }
  if (const auto loaded = load_certificate(context.get(), certificate_file); !loaded) {
    return loaded.error();
  }
  if (const auto loaded = load_key(context.get(), key_file, certificate_file); !loaded) {
    return loaded.error();
  }
  return std::unique_ptr<ServerTls>{new ServerTls{std::move(method), std::move(context)}};
}

Tls ServerTls::accept(int socket) const {
  Tls tls{SSL_new(context_.get())};
  BIO* bio = tls ? BIO_new(method_.get()) : nullptr;
  if (bio == nullptr) {
    return nullptr;
  }
  // What a BIO keeps for its methods is a pointer; this one keeps the number itself.
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(socket)));
  SSL_set_bio(tls.get(), bio, bio);  // takes the BIO over
  SSL_set_accept_state(tls.get());
  return tls;
}

}  // namespace dispatcher
