// The table over an AWS that answers as a test says.
#pragma once

#include "adapters/dynamodb/events_table.hpp"

#include "adapters/dynamodb/attribute.hpp"
#include "aws/fake_aws.hpp"
#include "http_inbox/scripted.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <functional>

namespace dispatcher::test {

using boost::json::object;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

inline constexpr std::string_view kId = "550e8400-e29b-41d4-a716-446655440000";
inline const EventKey kKey{std::string{kId}, "2026-01-01T00:00:00Z"};
inline constexpr std::int64_t kMidnight = 1'767'225'600'000;  // what a ManualClock shows, in ms

// One whose clock is behind ours, or ahead of it.
class SkewedAws : public FakeAws {
 public:
  explicit SkewedAws(const ManualClock& clock) : FakeAws(clock) {}
  [[nodiscard]] WallTime now() const override { return FakeAws::now() - ahead; }

  microseconds ahead{};  // how far ours is
};

class EventsTableTest : public testing::Test {
 protected:
  static TableLease lease(WallTime until) { return {"token", until}; }

  [[nodiscard]] TableRecord record() const {
    TableRecord made;
    made.key = kKey;
    made.lease_token = "token";
    made.delivery.endpoint_id = "ep-1";
    made.delivery.attempts = 2;
    made.delivery.error = "status: 500";
    made.failed_at = clock.wall();
    return made;
  }
  [[nodiscard]] static TableEntry entry_in_review() {
    TableEntry entry;
    entry.key = kKey;
    TableDelivery delivery;
    delivery.endpoint_id = "ep-1";
    delivery.state = DeliveryState::review;
    delivery.reason = ReviewReason::rejected;
    entry.deliveries.push_back(delivery);
    return entry;
  }

  // The error of each call, in the order of the port; empty where it succeeds.
  struct Named {
    std::string_view name;
    std::function<std::optional<Error>()> call;
  };
  std::vector<Named> each_call() {
    return {
        {"query", [this] { return error_of(await(table.query({}))); }},
        {"claim", [this] { return error_of(await(table.claim(kKey, lease(clock.wall())))); }},
        {"record", [this] { return error_of(await(table.record(record()))); }},
        {"record_success",
         [this] { return error_of(await(table.record_success(kKey, record().delivery))); }},
        {"extend", [this] { return error_of(await(table.extend(kKey, lease(clock.wall())))); }},
        {"give_back", [this] { return error_of(await(table.give_back(kKey, "token"))); }},
        {"release", [this] { return error_of(await(release())); }},
    };
  }
  boost::asio::awaitable<Result<bool>> release(EventStatus status = EventStatus::pending) {
    return table.release(entry_in_review(), status, ReviewReason::rejected);
  }

  template <class T>
  static std::optional<Error> error_of(const Result<T>& result) {
    return result ? std::nullopt : std::optional{result.error()};
  }

  // The item as it was, beside an unmet condition; empty: it does not exist.
  void answer_conflict(std::string_view item = "") {
    AwsError error{make_error(ErrorKind::conflict, "The conditional request failed"),
                   "ConditionalCheckFailedException",
                   {}};
    error.body = item.empty() ? R"({"message":"The conditional request failed"})"
                              : fmt::format(R"({{"message":"no","Item":{}}})", item);
    aws.answers.emplace_back(error);
  }
  void answer_good(std::string_view body) { aws.answers.push_back(FakeAws::good(body)); }

  // The input of the last call, and of its values the one that the path is set to.
  [[nodiscard]] object input() const { return parse_answer(aws.calls.back().body).value(); }
  // `#status`: each placeholder with the name that it stands for.
  [[nodiscard]] std::string named(std::string_view member) const {
    const object said = input();
    std::string text{said.at(member).as_string()};
    const auto& names = said.at("ExpressionAttributeNames").as_object();
    const auto& values = said.contains("ExpressionAttributeValues")
                             ? said.at("ExpressionAttributeValues").as_object()
                             : object{};
    // From the last, so that #n1 does not stand for a part of #n10.
    for (auto one = names.end(); one != names.begin();) {
      --one;
      replace(text, one->key(), "#" + std::string{one->value().as_string()});
    }
    for (auto one = values.end(); one != values.begin();) {
      --one;
      replace(text, one->key(), plain_json(one->value()).value());
    }
    return text;
  }
  static void replace(std::string& text, std::string_view from, const std::string& to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
      text.replace(at, from.size(), to);
    }
  }

  ManualClock clock;
  SkewedAws aws{clock};
  EventsTable table{aws, clock, "events", {}};
};

}  // namespace dispatcher::test
