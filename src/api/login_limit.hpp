// How often an address may try a wrong password.
#pragma once

#include "base/time.hpp"

#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace dispatcher {

// After kMaxWrongTries in a minute, counted from the first of them, an address waits for the rest
// of it. Callable from any thread.
class LoginLimit {
 public:
  static constexpr int kMaxWrongTries = 100;
  static constexpr std::chrono::seconds kWindow{60};
  // Addresses remembered at a time (about 100 bytes each). When there are more, those whose minute
  // is over go first, then the one that began first.
  static constexpr std::size_t kMaxAddresses = 4096;

  // How long the address must wait; empty when it may try. An IPv6 address stands for its /64: a
  // customer has at least that many.
  [[nodiscard]] std::optional<std::chrono::seconds> wait_of(std::string_view address, MonoTime now);

  void count_wrong_try(std::string_view address, MonoTime now);

 private:
  struct Window {
    MonoTime began{};
    int wrong_tries = 0;
  };

  void make_room(MonoTime now);

  std::mutex mutex_;
  std::unordered_map<std::string, Window> windows_;
};

}  // namespace dispatcher
