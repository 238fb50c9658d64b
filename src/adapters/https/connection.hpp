// One connection to an origin, with TLS or without.
#pragma once

#include "adapters/https/origin.hpp"
#include "adapters/https/tls.hpp"
#include "adapters/https/wire.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <optional>
#include <string>

namespace dispatcher {

struct ClientConnection {
  ClientConnection(Origin made_for, boost::asio::ip::tcp::socket connected, std::string remote)
      : origin(std::move(made_for)),
        socket(std::move(connected)),
        remote_address(std::move(remote)) {
    wire.socket = socket.native_handle();
  }
  ~ClientConnection() {
    if (tls) {
      tls->close();
    }
  }
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  Io read(std::span<char> into, std::size_t& count) {
    return tls ? tls->read(into, count) : wire.read(into, count);
  }
  Io write(std::string_view bytes, std::size_t& count) {
    return tls ? tls->write(bytes, count) : wire.write(bytes, count);
  }
  // Nothing was received that has not been read.
  [[nodiscard]] bool is_drained() const {
    return wire.input.empty() && !wire.is_ended && !(tls && tls->has_unread());
  }

  Origin origin;
  boost::asio::ip::tcp::socket socket;
  Wire wire;
  std::optional<TlsStream> tls;
  std::string remote_address;
};

}  // namespace dispatcher
