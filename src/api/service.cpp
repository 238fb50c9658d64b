// What the service says of itself, and how to get in.
#include "api/answers.hpp"
#include "api/forms.hpp"
#include "api/handlers.hpp"

#include "base/json_text.hpp"

namespace dispatcher {
namespace {

constexpr std::string_view kGrantPattern = "^password$";

std::string_view in_json(bool flag) {
  return flag ? "true" : "false";
}

struct Login {
  std::string user;
  std::string password;
};

std::string login_text(const std::vector<FormField>& fields, const std::string& name,
                       Faults& faults) {
  const Loc loc{"body", name};
  const FormField* field = find_field(fields, name);
  if (field == nullptr) {
    faults.missing(loc, "null");
    return {};
  }
  if (field->is_file) {
    faults.not_string(loc, "{}");
  }
  return field->value;
}

Login read_login(const std::vector<FormField>& fields, Faults& faults) {
  const FormField* grant = find_field(fields, "grant_type");
  if (grant != nullptr && grant->value != "password") {
    faults.not_pattern({"body", "grant_type"}, kGrantPattern, quoted(grant->value));
  }
  std::string user = login_text(fields, "username", faults);
  return {std::move(user), login_text(fields, "password", faults)};
}

ServerAnswer too_many_tries_answer(std::chrono::seconds wait) {
  ServerAnswer answer = error_answer(429, "Too many wrong credentials from this address");
  answer.headers.push_back({"retry-after", std::to_string(wait.count())});
  return answer;
}

ServerAnswer token_answer(std::string_view token) {
  std::string body = R"({"access_token":)";
  append_json_string(body, token);
  body += R"(,"token_type":"bearer"})";
  return json_answer(200, std::move(body));
}

}  // namespace

HandlerResult get_root(const ApiContext& /*context*/, ApiRequest /*request*/) {
  // The version is that of the API's contract, not of this program.
  co_return json_answer(
      200, R"({"service":"Zapier Triggers API","status":"healthy","version":"1.0.0"})");
}

HandlerResult get_health(const ApiContext& /*context*/, ApiRequest /*request*/) {
  co_return json_answer(200, R"({"status":"healthy"})");
}

HandlerResult get_config(const ApiContext& context, ApiRequest /*request*/) {
  const auto secrets = context.access.secrets();
  std::string body = R"({"environment":)";
  append_json_string(body, context.options.environment);
  body += R"(,"zapier_configured":)";
  body += in_json(!secrets->api_keys.empty());
  body += R"(,"webhook_configured":)";
  body += in_json(!secrets->webhook_urls.empty());
  body += R"(,"jwt_configured":)";
  body += in_json(!secrets->jwt_secrets.empty());
  // The secret is always in memory.
  body += R"(,"cache_hit":true})";
  co_return json_answer(200, std::move(body));
}

HandlerResult post_token(const ApiContext& context, ApiRequest request) {
  const std::string& address = request.head.remote_ip;
  const MonoTime now = context.clock.monotonic();
  if (const auto wait = context.login_limit.wait_of(address, now)) {
    co_return too_many_tries_answer(*wait);
  }
  const std::string* content_type = request.head.header("content-type");
  const auto fields = parse_form(content_type == nullptr ? "" : *content_type, request.body);
  if (!fields) {
    co_return unreadable_body_answer();
  }
  Faults faults;
  const Login login = read_login(*fields, faults);
  if (!faults.empty()) {
    co_return faults_answer(faults);
  }
  const auto token = context.access.log_in(login.user, login.password, context.clock.wall());
  if (!token) {
    context.login_limit.count_wrong_try(address, now);
    co_return unauthorized_answer("Incorrect username or password");
  }
  co_return token_answer(*token);
}

}  // namespace dispatcher
