#include "https/name_server.hpp"

#include "base/check.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace dispatcher::test {
namespace {

constexpr std::size_t kHeader = 12;
constexpr std::size_t kMaxDatagram = 512;
constexpr char kTypeV4 = 1;
constexpr char kTypeV6 = 28;

std::string encode(const std::string& query, const NameAnswer& answer, bool is_v6) {
  if (answer.raw) {
    return query.substr(0, 2) + *answer.raw;
  }
  std::string records;
  int count = 0;
  for (const std::string& text : answer.addresses) {
    const auto address = parse_ip_address(text);
    DISPATCHER_CHECK(address);
    if (address->is_v6 != is_v6) {
      continue;
    }
    const std::size_t size = is_v6 ? 16 : 4;
    records += std::string{"\xc0\x0c\0", 3} + (is_v6 ? kTypeV6 : kTypeV4) +
               std::string{"\0\1\0\0\0\0\0", 7} + static_cast<char>(size);
    records.append(reinterpret_cast<const char*>(address->bytes.data()), size);
    ++count;
  }
  std::string out = query.substr(0, 2) + "\x81";
  out += answer.does_not_exist ? '\x83' : '\x80';
  out += std::string{"\0\1\0", 3} + static_cast<char>(count) + std::string(4, '\0');
  return out + query.substr(kHeader) + records;
}

}  // namespace

NameServer::NameServer(Script script, bool has_streams) : script_(std::move(script)) {
  // Both on one port, which somebody else may have for one of them.
  while (!listen_on_one_port()) {
    ::close(socket_);
    ::close(listener_);
  }
  if (!has_streams) {
    ::close(listener_);
    listener_ = -1;  // which poll passes over
  }
  thread_ = std::thread{[this] { answer_all(); }};
}

bool NameServer::listen_on_one_port() {
  socket_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  DISPATCHER_CHECK(::bind(socket_, generic, size) == 0);
  DISPATCHER_CHECK(::getsockname(socket_, generic, &size) == 0);
  port_ = ntohs(address.sin_port);
  return ::bind(listener_, generic, size) == 0 && ::listen(listener_, 16) == 0;
}

NameServer::~NameServer() {
  is_stopping_ = true;
  thread_.join();
  ::close(socket_);
  if (listener_ >= 0) {
    ::close(listener_);
  }
}

ResolverSettings NameServer::settings() const {
  ResolverSettings settings;
  settings.servers = {"127.0.0.1:" + std::to_string(port_)};
  settings.timeout = std::chrono::milliseconds{300};
  settings.tries = 2;
  return settings;
}

std::optional<std::string> NameServer::answer_to(const std::string& query) {
  Question question;
  std::size_t at = kHeader;
  while (query[at] != 0) {
    const auto label = static_cast<std::size_t>(query[at]);
    question.name += (question.name.empty() ? "" : ".") + query.substr(at + 1, label);
    at += label + 1;
  }
  question.is_v6 = query[at + 2] == kTypeV6;
  question.number = numbers_[question.is_v6 ? 1 : 0]++;
  ++questions_;
  const auto answer = script_(question);
  return answer ? std::optional{encode(query, *answer, question.is_v6)} : std::nullopt;
}

void NameServer::answer_datagram() {
  std::array<char, 1500> bytes{};
  sockaddr_in from{};
  socklen_t size = sizeof from;
  const ssize_t count =
      ::recvfrom(socket_, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
  if (count < static_cast<ssize_t>(kHeader)) {
    return;
  }
  const std::string query{bytes.data(), static_cast<std::size_t>(count)};
  auto out = answer_to(query);
  if (!out) {
    return;
  }
  if (out->size() > kMaxDatagram && (*out)[2] == '\x81') {  // cut: to be asked for over TCP
    *out = query.substr(0, 2) + std::string{"\x83\x80\0\1\0\0\0\0\0\0", 10} + query.substr(kHeader);
  }
  ::sendto(socket_, out->data(), out->size(), 0, reinterpret_cast<sockaddr*>(&from), size);
}

void NameServer::answer_stream() {
  const int accepted = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  const timeval patience{2, 0};
  setsockopt(accepted, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  std::array<char, 1500> bytes{};
  // Each message comes behind its length, both families' over one connection.
  std::string unread;
  for (;;) {
    const std::size_t length =
        unread.size() < 2 ? 0
                          : static_cast<std::size_t>(static_cast<unsigned char>(unread[0])) << 8U |
                                static_cast<unsigned char>(unread[1]);
    if (length > 0 && unread.size() >= length + 2) {
      if (const auto out = answer_to(unread.substr(2, length))) {
        const std::string sent = std::string{static_cast<char>(out->size() >> 8U),
                                             static_cast<char>(out->size() & 0xffU)} +
                                 *out;
        ::send(accepted, sent.data(), sent.size(), MSG_NOSIGNAL);
      }
      unread.erase(0, length + 2);
      continue;
    }
    const ssize_t count = ::recv(accepted, bytes.data(), bytes.size(), 0);
    if (count <= 0) {
      break;
    }
    unread.append(bytes.data(), static_cast<std::size_t>(count));
  }
  ::close(accepted);
}

void NameServer::answer_all() {
  while (!is_stopping_) {
    std::array<pollfd, 2> descriptors{pollfd{socket_, POLLIN, 0}, pollfd{listener_, POLLIN, 0}};
    if (::poll(descriptors.data(), descriptors.size(), 20) <= 0) {
      continue;
    }
    if (descriptors[0].revents != 0) {
      answer_datagram();
    }
    if (descriptors[1].revents != 0) {
      answer_stream();
    }
  }
}

}  // namespace dispatcher::test
