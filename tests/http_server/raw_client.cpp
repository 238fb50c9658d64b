#include "http_server/raw_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace dispatcher::testing {
namespace {

std::string lower(std::string text) {
  for (char& c : text) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  }
  return text;
}

RawAnswer parse_head(std::string_view head) {
  RawAnswer answer;
  std::size_t end = head.find("\r\n");
  answer.status_line = head.substr(0, end);
  answer.status = std::stoi(answer.status_line.substr(9));
  while ((head.remove_prefix(end + 2), end = head.find("\r\n")) > 0 &&
         end != std::string_view::npos) {
    const std::size_t colon = head.find(": ");
    answer.headers[lower(std::string{head.substr(0, colon)})] =
        head.substr(colon + 2, end - colon - 2);
  }
  return answer;
}

}  // namespace

RawClient::RawClient(std::uint16_t port, int receive_buffer_bytes)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const timeval patience{kPatienceSeconds, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (receive_buffer_bytes > 0) {
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes,
                 sizeof receive_buffer_bytes);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(std::exchange(socket_, -1));
  }
}

RawClient::~RawClient() {
  if (socket_ >= 0) {
    ::close(socket_);
  }
}

RawClient::RawClient(RawClient&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), held_(std::move(other.held_)), end_(other.end_) {}

bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void RawClient::end_sending() {
  ::shutdown(socket_, SHUT_WR);
}

bool RawClient::receive_more() {
  std::array<char, 16 * 1024> buffer;
  const auto received = ::recv(socket_, buffer.data(), buffer.size(), 0);
  if (received > 0) {
    held_.append(buffer.data(), static_cast<std::size_t>(received));
    return true;
  }
  const bool is_still_open = received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  end_ = received == 0 ? End::closed : is_still_open ? End::open : End::reset;
  return false;
}

bool RawClient::receive_at_least(std::size_t bytes) {
  while (held_.size() < bytes) {
    if (!receive_more()) {
      return false;
    }
  }
  return true;
}

std::optional<RawAnswer> RawClient::read_head() {
  std::size_t end = std::string::npos;
  while ((end = held_.find("\r\n\r\n")) == std::string::npos) {
    if (!receive_more()) {
      return std::nullopt;
    }
  }
  RawAnswer answer = parse_head(std::string_view{held_}.substr(0, end + 4));
  held_.erase(0, end + 4);
  return answer;
}

bool RawClient::read_chunked_body(std::string& body) {
  for (;;) {
    std::size_t end = std::string::npos;
    while ((end = held_.find("\r\n")) == std::string::npos) {
      if (!receive_more()) {
        return false;
      }
    }
    const std::size_t size = std::stoul(held_.substr(0, end), nullptr, 16);
    if (!receive_at_least(end + 2 + size + 2)) {
      return false;
    }
    body.append(held_, end + 2, size);
    held_.erase(0, end + 2 + size + 2);
    if (size == 0) {
      return true;
    }
  }
}

std::optional<RawAnswer> RawClient::read_answer(bool is_head) {
  auto answer = read_head();
  const bool has_body = answer && !is_head && answer->status >= 200 && answer->status != 204;
  if (!has_body) {
    return answer;
  }
  if (answer->header("transfer-encoding") == "chunked") {
    return read_chunked_body(answer->body) ? answer : std::nullopt;
  }
  if (const std::string length = answer->header("content-length"); !length.empty()) {
    const std::size_t size = std::stoul(length);
    answer->body = read_bytes(size);
    return answer->body.size() == size ? answer : std::nullopt;
  }
  answer->body = read_to_end();
  return answer;
}

std::string RawClient::read_bytes(std::size_t count) {
  static_cast<void>(receive_at_least(count));  // what there is, is returned
  std::string bytes = held_.substr(0, count);
  held_.erase(0, bytes.size());
  return bytes;
}

RawClient::End RawClient::wait_for_end() {
  while (receive_more()) {
    held_.clear();
  }
  return end_;
}

std::string RawClient::read_to_end() {
  while (receive_more()) {
  }
  return std::exchange(held_, std::string{});
}

}  // namespace dispatcher::testing
