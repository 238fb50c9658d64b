// What the tests of AWS share: an environment of their own, waits that take no time, a tracer that
// remembers, and the client over scripted HTTP.
#pragma once

#include "adapters/aws/aws_client.hpp"
#include "fakes/sim_random.hpp"
#include "http_inbox/scripted.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace dispatcher::test {

using std::chrono::milliseconds;
using std::chrono::seconds;

using Variables = std::map<std::string, std::string, std::less<>>;

// Reads `variables` at each call: a test may change them.
inline Environment environment_of(const Variables& variables) {
  return [&variables](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional{found->second};
  };
}

// Its waits end at once, at the time they were for.
class InstantTimers : public Timers {
 public:
  explicit InstantTimers(ManualClock& clock) : clock_(clock) {}

  [[nodiscard]] std::unique_ptr<Timer> make() override {
    return std::make_unique<InstantTimer>(*this);
  }

  std::vector<MonoTime::duration> waits;

 private:
  class InstantTimer : public Timer {
   public:
    explicit InstantTimer(InstantTimers& timers) : timers_(timers) {}
    boost::asio::awaitable<bool> wait_until(MonoTime when) override {
      const auto wait = when - timers_.clock_.monotonic();
      timers_.waits.push_back(wait);
      timers_.clock_.advance(std::chrono::ceil<std::chrono::microseconds>(wait));
      co_return true;
    }
    void cancel() override {}

   private:
    InstantTimers& timers_;
  };

  ManualClock& clock_;
};

class RecordingTracer : public Tracer {
 public:
  std::vector<SpanReport> reports;

  void begin_run(std::string_view trace_header) override { run_ = parse_xray_header(trace_header); }
  [[nodiscard]] Span start() override {
    Span span;
    span.context = run_;
    if (run_) {
      span.parent_id = run_->span_id;
      span.context->span_id = ++last_;
    }
    return span;
  }
  void finish(const Span& /*span*/, const SpanReport& report) override {
    reports.push_back(report);
  }

 private:
  std::optional<TraceContext> run_;
  std::uint64_t last_ = 0;
};

inline constexpr std::string_view kTraceHeader =
    "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";

inline std::string header_of(const HttpRequest& request, std::string_view name) {
  for (const HttpHeader& header : request.headers) {
    if (header.name == name) {
      return header.value;
    }
  }
  return {};
}

class AwsWorld : public testing::Test {
 protected:
  AwsWorld() {
    http.answer = [this](const HttpRequest&) {
      if (answers.empty()) {
        return answered(200, "{}");
      }
      Exchange next = answers.front();
      answers.pop_front();
      return next;
    };
  }

  AwsClient& client() {
    if (!client_) {
      const auto made = make_aws_settings(environment_of(variables), Profile{}, "");
      AwsClientOptions options;
      options.settings = made.value();
      options.user_agent = "EventDispatcher/test";
      client_.emplace(AwsClientPorts{http, credentials, clock, timers, random, tracer, log},
                      options);
    }
    return *client_;
  }

  AwsResult call(AwsService service = AwsService::dynamodb, std::string action = "Query",
                 std::string body = "{}", std::optional<MonoTime> deadline = {}) {
    AwsCall call{service, std::move(action), std::move(body), deadline};
    return await(client().call(std::move(call)));
  }

  [[nodiscard]] std::string logged() const {
    std::string all;
    for (const std::string& line : lines) {
      all += line + "\n";
    }
    return all;
  }

  Variables variables{{"AWS_REGION", "us-east-2"},
                      {"AWS_ACCESS_KEY_ID", "key-one"},
                      {"AWS_SECRET_ACCESS_KEY", "hunter2"},
                      {"AWS_SESSION_TOKEN", "hunter3"}};
  ManualClock clock;
  InstantTimers timers{clock};
  fakes::SimRandom random{1};
  RecordingTracer tracer;
  ScriptedHttp http;
  std::deque<Exchange> answers;  // to the next requests; then 200
  std::vector<std::string> lines;
  Log log{LogLevel::debug, LogFormat::text,
          [this](std::string_view line) { lines.emplace_back(line); }};
  CredentialSource credentials{http, clock, environment_of(variables)};

 private:
  std::optional<AwsClient> client_;
};

}  // namespace dispatcher::test
