#include "api/login_limit.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>

namespace dispatcher {
namespace {

std::string key_of(std::string_view address) {
  boost::system::error_code error;
  const auto parsed = boost::asio::ip::make_address(std::string{address}, error);
  if (error || !parsed.is_v6() || parsed.to_v6().is_v4_mapped()) {
    return std::string{address};
  }
  const auto bytes = parsed.to_v6().to_bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size() / 2};
}

}  // namespace

std::optional<std::chrono::seconds> LoginLimit::wait_of(std::string_view address, MonoTime now) {
  const std::string key = key_of(address);
  const std::lock_guard lock{mutex_};
  const auto found = windows_.find(key);
  if (found == windows_.end() || found->second.wrong_tries < kMaxWrongTries) {
    return std::nullopt;
  }
  const auto left = found->second.began + kWindow - now;
  if (left <= MonoTime::duration::zero()) {
    return std::nullopt;
  }
  return std::chrono::ceil<std::chrono::seconds>(left);
}

void LoginLimit::count_wrong_try(std::string_view address, MonoTime now) {
  std::string key = key_of(address);
  const std::lock_guard lock{mutex_};
  if (windows_.size() >= kMaxAddresses && !windows_.contains(key)) {
    make_room(now);
  }
  Window& window = windows_[std::move(key)];
  if (window.wrong_tries == 0 || now - window.began >= kWindow) {
    window = {now, 0};
  }
  ++window.wrong_tries;
}

void LoginLimit::make_room(MonoTime now) {
  std::erase_if(windows_, [&](const auto& entry) { return now - entry.second.began >= kWindow; });
  if (windows_.size() < kMaxAddresses) {
    return;
  }
  windows_.erase(std::min_element(
      windows_.begin(), windows_.end(),
      [](const auto& a, const auto& b) { return a.second.began < b.second.began; }));
}

}  // namespace dispatcher
