// TLS over a Wire: one context for all connections, and the client's side of one connection.
#pragma once

#include "adapters/https/address_rules.hpp"
#include "adapters/https/trusted_bundle.hpp"
#include "adapters/https/wire.hpp"
#include "base/result.hpp"
#include "model/exchange.hpp"

#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dispatcher {

template <auto kFree>
struct FreedBy {
  template <class T>
  void operator()(T* pointer) const {
    kFree(pointer);
  }
};

using SslPtr = std::unique_ptr<SSL, FreedBy<SSL_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, FreedBy<SSL_CTX_free>>;
using SslSessionPtr = std::unique_ptr<SSL_SESSION, FreedBy<SSL_SESSION_free>>;
using BioMethodPtr = std::unique_ptr<BIO_METHOD, FreedBy<BIO_meth_free>>;

class ClientTls {
 public:
  // Loads the trusted certificates; see HttpsClient::make.
  [[nodiscard]] static Result<ClientTls> make(const std::vector<std::string>& ca_files);

  // Trusts nobody.
  [[nodiscard]] static ClientTls make_empty();

  [[nodiscard]] SSL_CTX* context() const { return context_.get(); }
  [[nodiscard]] const BIO_METHOD* wire_method() const { return wire_method_.get(); }
  // Without any, no certificate can be trusted.
  [[nodiscard]] bool has_trusted_certificates() const { return has_trusted_certificates_; }

 private:
  ClientTls() = default;

  std::unique_ptr<TrustedBundle> bundle_;  // before the context, whose store asks it
  SslContextPtr context_;
  BioMethodPtr wire_method_;
  bool has_trusted_certificates_ = false;
};

// Whom the certificate must name.
struct TlsPeer {
  std::string name;  // empty when it is an address
  std::optional<IpAddress> address;
};

class TlsStream {
 public:
  // `context` and `wire` outlive the stream. `session`: an earlier one with this peer, or null.
  TlsStream(const ClientTls& context, Wire& wire, const TlsPeer& peer, SSL_SESSION* session);
  ~TlsStream();
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  Io handshake();
  Io read(std::span<char> into, std::size_t& count);
  // After `wants_…` it must be called again with the same bytes, or with more behind them.
  Io write(std::string_view bytes, std::size_t& count);
  // Says goodbye if that can be done at once; nothing is written afterwards.
  void close();

  [[nodiscard]] bool has_resumed() const;
  // Something received has not been read: part of a record, or more.
  [[nodiscard]] bool has_unread() const;
  // The newest session that the peer gave, once; null when there is none since.
  [[nodiscard]] SslSessionPtr take_session() { return std::move(session_); }
  // Of the step that said `failed` or, in a handshake, `ended`. In our words, never the peer's.
  [[nodiscard]] Failure failure() const;

 private:
  friend class ClientTls;
  static int keep_session(SSL* ssl, SSL_SESSION* session);
  Io outcome(int returned);

  const ClientTls& context_;
  Wire& wire_;
  SslPtr ssl_;
  SslSessionPtr session_;
  unsigned long error_ = 0;  // OpenSSL's
  bool is_broken_ = false;
};

}  // namespace dispatcher
