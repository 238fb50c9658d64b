// An AWS that answers as a test says, and remembers what it was asked.
#pragma once

#include "fakes/manual_clock.hpp"
#include "ports/aws_api.hpp"

#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dispatcher::test {

class FakeAws : public AwsApi {
 public:
  explicit FakeAws(const fakes::ManualClock& clock) : clock_(clock) {}

  static AwsResult good(std::string_view body) { return AwsAnswer{std::string{body}, {}}; }
  static AwsResult bad(ErrorKind kind, std::string code, std::string message) {
    return AwsError{make_error(kind, std::move(message)), std::move(code), {}};
  }

  [[nodiscard]] boost::asio::awaitable<AwsResult> call(AwsCall call) override {
    calls.push_back(call);
    if (answers.empty()) {
      co_return good("{}");
    }
    AwsResult next = answers.front();
    answers.pop_front();
    co_return next;
  }
  [[nodiscard]] WallTime now() const override { return clock_.wall(); }

  std::deque<AwsResult> answers;
  std::vector<AwsCall> calls;

 private:
  const fakes::ManualClock& clock_;
};

}  // namespace dispatcher::test
