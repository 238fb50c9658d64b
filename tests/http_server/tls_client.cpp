#include "http_server/tls_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>

namespace dispatcher::testing {

TlsClient::TlsClient(std::uint16_t port)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      context_(SSL_CTX_new(TLS_client_method())),
      tls_(SSL_new(context_.get())) {
  const timeval patience{30, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    SSL_set_fd(tls_.get(), socket_);
    is_connected_ = SSL_connect(tls_.get()) == 1;
  }
}

TlsClient::~TlsClient() {
  ::close(socket_);
}

bool TlsClient::send(std::string_view bytes) {
  return SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size())) ==
         static_cast<int>(bytes.size());
}

std::string TlsClient::read_until(std::string_view text) {
  std::array<char, 4096> buffer;
  std::size_t found = std::string::npos;
  while ((found = held_.find(text)) == std::string::npos) {
    const int read = SSL_read(tls_.get(), buffer.data(), static_cast<int>(buffer.size()));
    if (read <= 0) {
      has_ended_cleanly_ = SSL_get_error(tls_.get(), read) == SSL_ERROR_ZERO_RETURN;
      return std::move(held_);
    }
    held_.append(buffer.data(), static_cast<std::size_t>(read));
  }
  std::string until = held_.substr(0, found + text.size());
  held_.erase(0, until.size());
  return until;
}

}  // namespace dispatcher::testing
