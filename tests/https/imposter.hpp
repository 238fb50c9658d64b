// A receiver that does what a test tells it to: one script for each connection, run over a real
// socket in a thread of its own.
#pragma once

#include "adapters/https/tls.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace dispatcher::test {

struct ServerTls {
  std::string certificate;
  std::string key;
  std::string protocol = "http/1.1";  // what it agrees to by ALPN; nothing else
  bool sends_tickets = true;
  int max_version = TLS1_3_VERSION;
  int security_level = 2;
};

// The server's side of one connection. Every call ends within kPatience.
class Peer {
 public:
  Peer(int socket, SSL_CTX* context, const std::atomic<bool>& is_stopping);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  bool handshake();
  // A whole request, body included; empty when the other side is gone.
  std::string read_request();
  // At least so many bytes, of whatever comes, or until the other side is gone.
  void read_bytes(std::size_t count);
  bool write(std::string_view bytes);
  // Each byte for itself, with a pause, until all are written or the other side is gone.
  void write_slowly(std::string_view bytes, std::chrono::milliseconds pause);
  // Without the TLS in between.
  void write_raw(std::string_view bytes);
  // Waits until the other side is gone, or the test is over.
  void hold();
  // Until the test is over; what the other side sends is left where it is.
  void wait();
  // A key update of TLS 1.3, that asks for none in return. False when the other side is gone.
  bool renew_keys();
  void reset();      // ends the connection by an RST
  void close();      // ends it properly, with a close_notify
  void close_raw();  // ends it without

  [[nodiscard]] std::string server_name() const;  // of the SNI
  [[nodiscard]] bool was_resumed() const;

 private:
  long read_some(char* into, std::size_t size);
  bool wait_readable();

  int socket_;
  SslPtr ssl_;
  std::string unread_;
  const std::atomic<bool>& is_stopping_;
};

class Imposter {
 public:
  // `script` is called with the number of the connection, from 0; several at once.
  using Script = std::function<void(Peer& peer, int connection)>;

  // Plain without `tls`. On `address`, port 0: any.
  explicit Imposter(Script script, const ServerTls* tls = nullptr,
                    const std::string& address = "127.0.0.1", std::uint16_t port = 0);
  ~Imposter();
  Imposter(const Imposter&) = delete;
  Imposter& operator=(const Imposter&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] int connections() const { return connections_; }

 private:
  void accept_all();

  Script script_;
  SslContextPtr context_;
  std::string protocol_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::atomic<bool> is_stopping_{false};
  std::mutex mutex_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

// A free port on 127.0.0.1 on which nothing listens.
[[nodiscard]] std::uint16_t closed_port();

inline constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// Answers every request of the connection with `answer`, until it is closed.
[[nodiscard]] Imposter::Script always(std::string answer);
// The same behind a TLS handshake.
[[nodiscard]] Imposter::Script always_tls(std::string answer);

}  // namespace dispatcher::test
