#include "adapters/http_inbox/inbox_calls.hpp"

#include "base/url_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace dispatcher {
namespace {

Error status_error(std::string_view call, int status) {
  const bool is_transient = status == 429 || status >= 500;
  return make_error(is_transient ? ErrorKind::retry_later : ErrorKind::refused,
                    fmt::format("the Triggers API answered {} to {}", status, call));
}

}  // namespace

MonoTime InboxCalls::call_deadline() const {
  return earlier(clock_.monotonic() + kTimeout, deadline_);
}

TriggersRequest InboxCalls::post(std::string path, std::string body,
                                 std::string lease_token) const {
  TriggersRequest request;
  request.method = "POST";
  request.path = std::move(path);
  request.content_type = body.empty() ? "" : "application/json";
  request.body = std::move(body);
  if (!lease_token.empty()) {
    request.headers.push_back({"x-lease-token", std::move(lease_token)});
  }
  request.deadline = call_deadline();
  return request;
}

boost::asio::awaitable<Result<FetchedInbox>> InboxCalls::fetch(std::size_t limit,
                                                               std::int64_t lease_seconds,
                                                               std::string consumer) {
  TriggersRequest request;
  request.path = fmt::format("/inbox?limit={}&lease_seconds={}&consumer={}", limit, lease_seconds,
                             percent_encode(consumer));
  request.deadline = call_deadline();
  const auto answer = co_await api_.request(std::move(request));
  if (!answer) {
    co_return answer.error();
  }
  if (answer->status != 200) {
    co_return status_error("GET /inbox", answer->status);
  }
  auto page = parse_inbox(answer->body);
  if (!page) {
    co_return make_error(ErrorKind::refused,
                         "the Triggers API answered GET /inbox with something else than a JSON "
                         "array (is the base URL right?)");
  }
  FetchedInbox fetched;
  fetched.page = std::move(*page);
  if (const auto token = answer->header("x-lease-token")) {
    fetched.lease_token = std::string{*token};
  }
  co_return fetched;
}

boost::asio::awaitable<std::vector<KnownDelivery>> InboxCalls::deliveries(EventId id) {
  TriggersRequest request;
  request.path = "/events/" + to_string(id);
  request.deadline = call_deadline();
  const auto answer = co_await api_.request(std::move(request));
  if (!answer || answer->status != 200) {
    co_return std::vector<KnownDelivery>{};
  }
  co_return parse_deliveries(answer->body);
}

boost::asio::awaitable<Result<void>> InboxCalls::settle(TriggersRequest request, std::string name) {
  const auto answer = co_await api_.request(std::move(request));
  if (!answer) {
    co_return answer.error();
  }
  switch (answer->status) {
    case 200: co_return Result<void>{};
    case 404: co_return make_error(ErrorKind::not_found, "the event has been deleted");
    case 409:
      co_return make_error(ErrorKind::conflict,
                           "another consumer holds the event's lease, or it is done");
    default: co_return status_error(name, answer->status);
  }
}

boost::asio::awaitable<Result<void>> InboxCalls::acknowledge(EventId id, std::string lease_token) {
  TriggersRequest request =
      post(fmt::format("/inbox/{}/ack", to_string(id)), {}, std::move(lease_token));
  co_return co_await settle(std::move(request), "POST /inbox/{id}/ack");
}

boost::asio::awaitable<Result<void>> InboxCalls::give_back(EventId id, std::string lease_token,
                                                           NackRequest report) {
  TriggersRequest request =
      post(fmt::format("/inbox/{}/nack", to_string(id)), nack_json(report), std::move(lease_token));
  co_return co_await settle(std::move(request), "POST /inbox/{id}/nack");
}

boost::asio::awaitable<Result<std::vector<EventId>>> InboxCalls::renew(std::string lease_token,
                                                                       std::vector<EventId> ids,
                                                                       std::int64_t lease_seconds) {
  const auto answer = co_await api_.request(
      post("/inbox/renew", renew_json(ids, lease_seconds), std::move(lease_token)));
  if (!answer) {
    co_return answer.error();
  }
  auto leased = answer->status == 200 ? parse_renewed(answer->body) : std::nullopt;
  if (!leased) {
    co_return status_error("POST /inbox/renew", answer->status);
  }
  co_return std::move(*leased);
}

}  // namespace dispatcher
