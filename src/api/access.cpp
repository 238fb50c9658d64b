#include "api/access.hpp"

#include "api/answers.hpp"
#include "api/jwt.hpp"
#include "api/text.hpp"
#include "base/bytes.hpp"

#include <shared_mutex>
#include <unordered_map>

namespace dispatcher {
namespace {

// Tokens remembered as good, so that a client's next request costs a look-up and no digest.
constexpr std::size_t kMaxKnownTokens = 1024;

// What stands behind `Bearer `; empty when the header has another scheme or is absent.
std::optional<std::string_view> bearer_of(const RequestHead& head) {
  const std::string* header = head.header("authorization");
  if (header == nullptr) {
    return std::nullopt;
  }
  const std::string_view text = *header;
  const auto space = std::min(text.find(' '), text.size());
  if (!equals_ignoring_case(text.substr(0, space), "bearer")) {
    return std::nullopt;
  }
  return text.substr(std::min(space + 1, text.size()));
}

}  // namespace

std::string caller_of(const RequestHead& head) {
  // A key of ours shows 8 characters and three points.
  constexpr std::size_t kMaxLabelBytes = 64;
  const auto bearer = bearer_of(head);
  const std::string claim = bearer ? api_key_claim(*bearer) : std::string{};
  const std::string caller{
      cut_text(claim.empty() ? std::string_view{"api"} : std::string_view{claim}, kMaxLabelBytes)};
  return caller + " from " + head.remote_ip;
}

// Belongs to one secret: a new secret begins with no known token.
struct Access::State {
  std::shared_ptr<const SecretBundle> secrets;
  std::shared_mutex mutex;
  std::unordered_map<std::string, WallTime> known_tokens;  // and when they end
};

Access::Access(SecretBundle secrets, std::string metrics_token)
    : metrics_token_(std::move(metrics_token)) {
  set_secrets(std::move(secrets));
}

Access::~Access() = default;

void Access::set_secrets(SecretBundle secrets) {
  auto next = std::make_shared<State>();
  next->secrets = std::make_shared<const SecretBundle>(std::move(secrets));
  const std::lock_guard lock{mutex_};
  state_ = std::move(next);
}

std::shared_ptr<Access::State> Access::state() const {
  const std::lock_guard lock{mutex_};
  return state_;
}

std::shared_ptr<const SecretBundle> Access::secrets() const {
  return state()->secrets;
}

std::optional<ServerAnswer> Access::refuse(Auth auth, const RequestHead& head, WallTime now) const {
  if (auth == Auth::open) {
    return std::nullopt;
  }
  const auto bearer = bearer_of(head);
  if (!bearer) {
    return unauthorized_answer("Not authenticated");
  }
  const bool is_metrics_reader = auth == Auth::metrics && !metrics_token_.empty() &&
                                 equal_in_constant_time(*bearer, metrics_token_);
  if (is_metrics_reader || is_good_token(*state(), *bearer, now)) {
    return std::nullopt;
  }
  return unauthorized_answer("Could not validate credentials");
}

bool Access::is_good_token(State& state, std::string_view token, WallTime now) {
  if (token.size() > kMaxTokenBytes) {
    return false;
  }
  const std::string key{token};
  {
    const std::shared_lock lock{state.mutex};
    const auto known = state.known_tokens.find(key);
    if (known != state.known_tokens.end() && known->second > now) {
      return true;
    }
  }
  const auto ends = verify_token(token, state.secrets->jwt_secrets, now);
  if (!ends) {
    return false;
  }
  const std::lock_guard lock{state.mutex};
  if (state.known_tokens.size() >= kMaxKnownTokens) {
    state.known_tokens.clear();  // they are verified anew when they come again
  }
  state.known_tokens[key] = *ends;
  return true;
}

std::optional<std::string> Access::log_in(std::string_view user, std::string_view password,
                                          WallTime now) const {
  const auto current = secrets();
  const std::string* matching = nullptr;
  for (const std::string& key : current->api_keys) {
    if (!key.empty() && equal_in_constant_time(password, key)) {
      matching = &key;
    }
  }
  if (user != kTokenSubject || matching == nullptr || current->jwt_secrets.empty()) {
    return std::nullopt;
  }
  return sign_token(current->jwt_secrets.front(), *matching, now);
}

}  // namespace dispatcher
