// The server's certificate and key, loaded once for all connections.
#pragma once

#include "base/result.hpp"

#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace dispatcher {

struct FreeTls {
  void operator()(SSL* tls) const { SSL_free(tls); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
};
using Tls = std::unique_ptr<SSL, FreeTls>;

class ServerTls {
 public:
  // PEM files. `invalid` names the file that is missing, is no certificate or key, or does not
  // belong to the other.
  [[nodiscard]] static Result<std::unique_ptr<ServerTls>> load(const std::string& certificate_file,
                                                               const std::string& key_file);

  // The server's side of a connection over a socket that does not block and that stays the
  // caller's. Null when memory is short. Callable from any thread.
  [[nodiscard]] Tls accept(int socket) const;

 private:
  ServerTls(std::unique_ptr<BIO_METHOD, FreeTls> method, std::unique_ptr<SSL_CTX, FreeTls> context)
      : method_(std::move(method)), context_(std::move(context)) {}

  std::unique_ptr<BIO_METHOD, FreeTls> method_;
  std::unique_ptr<SSL_CTX, FreeTls> context_;
};

}  // namespace dispatcher
