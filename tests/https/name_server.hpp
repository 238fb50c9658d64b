// A DNS server on a port of 127.0.0.1, UDP and TCP, that answers what a test tells it to.
#pragma once

#include "adapters/https/https_client.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace dispatcher::test {

struct Question {
  std::string name;  // lower case
  bool is_v6 = false;
  int number = 0;  // among those of its family, from 0
};

// The whole answer: addresses of the family asked for are sent, others left out. `raw` is sent
// instead, with the question's id in front.
struct NameAnswer {
  std::vector<std::string> addresses;
  bool does_not_exist = false;
  std::optional<std::string> raw;
};

class NameServer {
 public:
  // No answer at all for nothing. Without streams what asks over TCP is refused.
  using Script = std::function<std::optional<NameAnswer>(const Question& question)>;

  explicit NameServer(Script script, bool has_streams = true);
  ~NameServer();
  NameServer(const NameServer&) = delete;
  NameServer& operator=(const NameServer&) = delete;

  [[nodiscard]] int questions() const { return questions_; }
  // That asks this server alone, briefly.
  [[nodiscard]] ResolverSettings settings() const;

 private:
  bool listen_on_one_port();
  void answer_all();
  void answer_datagram();
  void answer_stream();
  std::optional<std::string> answer_to(const std::string& query);

  Script script_;
  int socket_ = -1;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::array<int, 2> numbers_{};
  std::atomic<int> questions_{0};
  std::atomic<bool> is_stopping_{false};
  std::thread thread_;
};

}  // namespace dispatcher::test
