// The Lambda function: waits for an invocation, makes a run of it, answers, and stays warm for the
// next.
#pragma once

#include "base/log.hpp"
#include "hosts/config.hpp"
#include "hosts/lambda_payload.hpp"
#include "hosts/pass.hpp"
#include "ports/http_client.hpp"
#include "ports/lambda_runtime.hpp"
#include "ports/secrets.hpp"
#include "ports/triggers_api.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <string>
#include <variant>

namespace dispatcher {

// What the function is made of, for as long as the process is warm. All outlive it.
struct LambdaParts {
  boost::asio::any_io_executor loop;
  LambdaRuntime& runtime;
  std::function<void()> end_waiting;  // makes `runtime.next()` return; nothing is told any more
  // Before anything is done for an invocation: its trace begins, and `webhooks` may be used again
  // after it was aborted.
  std::function<void(const LambdaInvocation& invocation)> begin;
  const Clock& clock;
  Timers& timers;
  Random& random;
  Metrics& metrics;
  const Log& log;
  Secrets& secrets;
  TriggersApi& api;
  std::function<void(std::string key)> use_api_key;  // of `api`
  HttpClient& webhooks;                              // for attempts alone: a run may abort it
  std::function<std::unique_ptr<RunInbox>(InboxOrder order)> make_inbox;
  // How many of the table's events that are in review for the reason are due again. Ends by
  // `deadline`; what it did not come to is logged. Empty: there is no table.
  std::function<boost::asio::awaitable<Result<std::int64_t>>(
      ReviewReason reason, std::optional<MonoTime> deadline, const Log& log)>
      release;
  // What `metrics` gathered in a run, by the deadline. It does not say how it went: that a run was
  // not counted does not make it fail.
  std::function<boost::asio::awaitable<void>(MonoTime deadline)> publish_metrics;
};

class LambdaFunction {
 public:
  // Of the time that an invocation has, kept for telling its result: this, or a tenth if that is
  // less. It is beside what the run itself keeps for reporting.
  static constexpr std::chrono::seconds kAnswerTime{1};
  static constexpr int kAnswerPart = 10;
  // For publishing metrics, at most; within the run's own deadline.
  static constexpr std::chrono::seconds kPublishTime{3};
  // Of that, kept behind the last call of the inbox: this, or a twentieth of the run if that is
  // less.
  static constexpr std::chrono::seconds kLeastPublishTime{1};
  static constexpr int kPublishPart = 20;

  // `config` outlives it.
  LambdaFunction(const LambdaConfig& config, LambdaParts parts)
      : config_(config), parts_(std::move(parts)) {}

  // Until `stop`, or until Lambda cannot be reached any more. Exit status. Call once.
  [[nodiscard]] boost::asio::awaitable<int> serve();

  // Ends at once when it waits; a run under way aborts its attempts, records them, gives the rest
  // back and is answered.
  void stop();

 private:
  using Outcome = std::variant<std::string, FunctionError>;  // what is answered

  // What an invocation is about, and until when.
  struct Task {
    RunOrder run;
    std::optional<ReviewReason> release;
    std::optional<StreamOrder> stream;
    MonoTime started;
    std::optional<MonoTime> deadline;
  };

  boost::asio::awaitable<void> handle(LambdaInvocation invocation);
  boost::asio::awaitable<Outcome> perform(const LambdaInvocation& invocation, const Log& log);
  boost::asio::awaitable<Outcome> run(Task task, const Log& log);
  boost::asio::awaitable<Outcome> list_only(std::int64_t max_events,
                                            std::optional<MonoTime> deadline);
  boost::asio::awaitable<Outcome> deliver(Recipients recipients, const Task& task,
                                          std::optional<std::int64_t> released, const Log& log);
  boost::asio::awaitable<RunOutcome> pass_over(RunInbox& inbox, Recipients recipients,
                                               const Task& task, const Log& log);
  boost::asio::awaitable<void> publish(std::optional<MonoTime> deadline);
  [[nodiscard]] std::optional<MonoTime> inbox_deadline(std::optional<MonoTime> deadline) const;
  [[nodiscard]] std::optional<MonoTime> deadline_of(const LambdaInvocation& invocation) const;

  const LambdaConfig& config_;
  LambdaParts parts_;
  Pass* pass_ = nullptr;  // the one under way
  bool is_waiting_ = false;
  bool is_stopping_ = false;
};

// How Lambda is told why the process cannot begin.
[[nodiscard]] FunctionError init_error(const Error& error);

}  // namespace dispatcher
