// A TLS client over a blocking socket, for what curl cannot be made to do.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace dispatcher::testing {

class TlsClient {
 public:
  explicit TlsClient(std::uint16_t port);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  [[nodiscard]] bool is_connected() const { return is_connected_; }
  bool send(std::string_view bytes);  // one record
  // Until `text` has come, the end of it included; everything before the end when it has not.
  [[nodiscard]] std::string read_until(std::string_view text);
  // After the end: whether the server said that it ends (close_notify).
  [[nodiscard]] bool has_ended_cleanly() const { return has_ended_cleanly_; }

 private:
  struct Free {
    void operator()(SSL* tls) const { SSL_free(tls); }
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };

  int socket_ = -1;
  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL, Free> tls_;
  std::string held_;
  bool is_connected_ = false;
  bool has_ended_cleanly_ = false;
};

}  // namespace dispatcher::testing
