// A Triggers API in memory: with the extensions of the contract, or as the original is.
#pragma once

#include "base/json_scanner.hpp"
#include "base/json_text.hpp"
#include "http_inbox/scripted.hpp"
#include "ports/triggers_api.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace dispatcher::test {

struct FakeEvent {
  EventId id;
  std::string payload = "{}";
  std::int64_t attempts = 0;
  std::string deliveries = "[]";  // of GET /events/{id}
  bool is_pending = true;
  bool is_leased = false;
};

class FakeApi : public TriggersApi {
 public:
  struct Call {
    std::string method;
    std::string path;
    std::string body;
    std::string lease;
  };

  bool has_leases = true;
  bool renews = true;
  std::deque<FakeEvent> events;  // oldest first
  std::vector<Call> calls;
  // Statuses that the next calls of paths that end in this segment are answered with; 0: not
  // reached.
  std::map<std::string, std::deque<int>> faults;

  EventId add(std::string payload = "{}") {
    FakeEvent event;
    event.id = make_uuid_v7(wall_from_micros(1'700'000'000'000'000), 1, ++last_ << 8U);
    event.payload = std::move(payload);
    events.push_back(event);
    return event.id;
  }

  [[nodiscard]] FakeEvent& at(const EventId& id) {
    return *std::find_if(events.begin(), events.end(),
                         [&](const FakeEvent& event) { return event.id == id; });
  }

  [[nodiscard]] std::vector<Call> calls_to(std::string_view ending) const {
    std::vector<Call> found;
    for (const Call& call : calls) {
      if (call.path.substr(0, call.path.find('?')).ends_with(ending)) {
        found.push_back(call);
      }
    }
    return found;
  }

  [[nodiscard]] boost::asio::awaitable<Result<Answer>> request(TriggersRequest request) override {
    co_await boost::asio::post(boost::asio::use_awaitable);
    std::string lease;
    for (const HttpHeader& header : request.headers) {
      lease = header.name == "x-lease-token" ? header.value : lease;
    }
    calls.push_back({request.method, request.path, request.body, lease});
    const std::string path = request.path.substr(0, request.path.find('?'));
    auto& planned = faults[path.substr(path.rfind('/') + 1)];
    if (!planned.empty()) {
      const int status = planned.front();
      planned.pop_front();
      if (status == 0) {
        co_return make_error(ErrorKind::retry_later, "not reached");
      }
      co_return answer_of(status, R"({"detail":"planned"})");
    }
    co_return serve(request, path);
  }

 private:
  static Answer answer_of(int status, std::string body) {
    Answer answer;
    answer.status = status;
    answer.body = std::move(body);
    return answer;
  }

  Answer serve(const TriggersRequest& request, const std::string& path) {
    if (path == "/inbox") {
      return inbox(request.path);
    }
    if (path == "/inbox/renew") {
      return renewed(request.body);
    }
    const auto slash = path.find('/', 1);
    const auto id = parse_uuid(path.substr(slash + 1, 36));
    FakeEvent& event = at(*id);
    if (path.ends_with("/ack")) {
      event.is_pending = false;
      return answer_of(200, "{}");
    }
    if (path.ends_with("/nack")) {
      event.is_leased = false;
      event.is_pending = request.body == "{}";  // due again at once; else later than this run
      return answer_of(200, "{}");
    }
    return answer_of(200, fmt::format(R"({{"id":"{}","deliveries":{}}})", to_string(event.id),
                                      event.deliveries));
  }

  Answer inbox(const std::string& path) {
    std::size_t limit = 100;
    if (has_leases) {
      limit = static_cast<std::size_t>(std::stoul(path.substr(path.find("limit=") + 6)));
    }
    std::vector<FakeEvent*> shown;
    for (FakeEvent& event : events) {
      if (event.is_pending && !event.is_leased) {
        shown.push_back(&event);
      }
    }
    if (!has_leases) {
      std::reverse(shown.begin(), shown.end());  // newest first
    }
    shown.resize(std::min(shown.size(), limit));
    std::string body = "[";
    for (FakeEvent* event : shown) {
      event->is_leased = has_leases;
      body += body == "[" ? "" : ",";
      body += show(*event);
    }
    Answer answer = answer_of(200, body + "]");
    if (has_leases) {
      answer.headers.push_back({"X-Lease-Token", fmt::format("lease-{}", ++last_lease_)});
    }
    return answer;
  }

  std::string show(const FakeEvent& event) const {
    const auto place = std::find_if(events.begin(), events.end(),
                                    [&](const FakeEvent& other) { return other.id == event.id; });
    const auto created = wall_from_micros(1'700'000'000'000'000 + (place - events.begin()));
    return fmt::format(
        R"({{"id":"{}","type":"t","source":"s","payload":{},"status":"pending","created_at":"{}",)"
        R"("updated_at":"{}","delivery_attempts":{},"last_delivery_attempt":null,)"
        R"("delivery_latency_ms":null,"error_message":null}})",
        to_string(event.id), event.payload, format_timestamp(created), format_timestamp(created),
        event.attempts);
  }

  Answer renewed(const std::string& body) const {
    std::array fields{JsonField{"ids"}};
    (void)scan_json(body, fields);
    std::string items;
    JsonElements ids{*fields[0].value};
    while (const auto id = ids.next()) {
      items +=
          fmt::format(R"({}{{"id":{},"leased":{}}})", items.empty() ? "" : ",", id->raw, renews);
    }
    return answer_of(200, R"({"items":[)" + items + "]}");
  }

  std::uint64_t last_ = 0;
  int last_lease_ = 0;
};

}  // namespace dispatcher::test
