#include "hosts/lambda.hpp"

#include "hosts/client_answers.hpp"
#include "hosts/dry_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace dispatcher {
namespace {

using std::chrono::milliseconds;

// What needs the table, when there is none to be used.
FunctionError table_missing(std::string_view what) {
  return {"Config.TableMissing",
          fmt::format("{} needs the events table (set DYNAMODB_TABLE_NAME)", what)};
}

// `Secret.Invalid`, `Api.Unavailable`
FunctionError function_error(std::string_view category, const Error& error) {
  const bool may_pass = error.kind == ErrorKind::retry_later || error.kind == ErrorKind::overloaded;
  const std::string_view reason = may_pass                             ? "Unavailable"
                                  : error.kind == ErrorKind::invalid   ? "Invalid"
                                  : error.kind == ErrorKind::not_found ? "NotFound"
                                  : error.kind == ErrorKind::stopped   ? "Stopped"
                                                                       : "Refused";
  return {fmt::format("{}.{}", category, reason), error.message};
}

void log_result(const Log& log, const RunResult& result) {
  log.info("the run has ended",
           {{"total_events", result.total_events},
            {"successful_deliveries", result.successful_deliveries},
            {"failed_deliveries", result.failed_deliveries},
            {"total_retries", result.total_retries},
            {"acknowledged_count", result.acknowledged},
            {"duration_ms", std::chrono::floor<milliseconds>(result.elapsed).count()}});
}

}  // namespace

FunctionError init_error(const Error& error) {
  return function_error("Config", error);
}

boost::asio::awaitable<int> LambdaFunction::serve() {
  while (!is_stopping_) {
    is_waiting_ = true;
    auto invocation = co_await parts_.runtime.next();
    is_waiting_ = false;
    if (is_stopping_) {
      break;
    }
    if (!invocation) {
      parts_.log.error("no invocation can be had", {{"error", invocation.error().message}});
      co_return 1;  // Lambda starts another process
    }
    co_await handle(std::move(*invocation));
  }
  co_return 0;
}

void LambdaFunction::stop() {
  is_stopping_ = true;
  if (is_waiting_) {
    parts_.end_waiting();
  } else if (pass_ != nullptr) {
    pass_->stop_now();
  }
}

boost::asio::awaitable<void> LambdaFunction::handle(LambdaInvocation invocation) {
  const Log log = parts_.log.with("request_id", invocation.request_id);
  parts_.begin(invocation);
  auto outcome = co_await perform(invocation, log);
  Result<void> told;
  if (auto* error = std::get_if<FunctionError>(&outcome)) {
    log.error("the invocation failed", {{"type", error->type}, {"error", error->message}});
    told = co_await parts_.runtime.fail(invocation.request_id, std::move(*error));
  } else {
    std::string answer = function_answer(std::get<std::string>(outcome));
    told = co_await parts_.runtime.respond(invocation.request_id, std::move(answer));
  }
  if (!told) {
    log.error("Lambda could not be told the invocation's result",
              {{"error", told.error().message}});
  }
}

boost::asio::awaitable<LambdaFunction::Outcome> LambdaFunction::perform(
    const LambdaInvocation& invocation, const Log& log) {
  const auto deadline = deadline_of(invocation);
  const auto order = read_order(invocation.payload);
  if (!order) {
    co_return function_error("Payload", order.error());
  }
  if (std::holds_alternative<StreamOrder>(*order)) {
    co_return table_missing("delivering the records of a DynamoDB Stream");
  }
  if (std::holds_alternative<ReleaseOrder>(*order)) {
    co_return table_missing("releasing events from review");
  }
  co_return co_await run(std::get<RunOrder>(*order), deadline, log);
}

std::optional<MonoTime> LambdaFunction::deadline_of(const LambdaInvocation& invocation) const {
  if (!invocation.deadline) {
    return std::nullopt;
  }
  const auto left = std::max<std::chrono::microseconds>(*invocation.deadline - parts_.clock.wall(),
                                                        std::chrono::microseconds{0});
  return parts_.clock.monotonic() + left -
         std::min<std::chrono::microseconds>(kAnswerTime, left / 10);
}

boost::asio::awaitable<LambdaFunction::Outcome> LambdaFunction::run(
    RunOrder order, std::optional<MonoTime> deadline, const Log& log) {
  const MonoTime started = parts_.clock.monotonic();
  const std::int64_t max_events = order.max_events.value_or(config_.run.max_events);
  const auto secrets = co_await parts_.secrets.read();
  if (!secrets) {
    co_return function_error("Secret", secrets.error());
  }
  parts_.use_api_key(secrets->api_keys.front());
  if (order.is_dry_run) {
    co_return co_await list_only(max_events, deadline);
  }
  auto recipients = make_recipients(config_.run.delivery, *secrets);
  if (!recipients) {
    co_return function_error("Secret", recipients.error());
  }
  co_return co_await deliver(std::move(*recipients), max_events, started, deadline, log);
}

boost::asio::awaitable<LambdaFunction::Outcome> LambdaFunction::list_only(
    std::int64_t max_events, std::optional<MonoTime> deadline) {
  TriggersRequest request = due_events_request(max_events);
  request.deadline = deadline;
  const auto answer = co_await parts_.api.request(std::move(request));
  if (!answer) {
    co_return function_error("Api", answer.error());
  }
  if (answer->status != 200) {
    co_return function_error("Api", answer_error(*answer));
  }
  co_return due_events_summary(due_events_in(answer->body, max_events));
}

boost::asio::awaitable<LambdaFunction::Outcome> LambdaFunction::deliver(
    Recipients recipients, std::int64_t max_events, MonoTime started,
    std::optional<MonoTime> deadline, const Log& log) {
  const auto inbox = parts_.make_inbox(InboxOrder{log, recipients.endpoints, max_events, deadline});
  Pass pass{parts_.loop,
            PassParts{*inbox, parts_.webhooks, parts_.clock, parts_.timers, parts_.random,
                      parts_.metrics, log},
            std::move(recipients),
            config_.run.delivery,
            started,
            deadline};
  pass_ = &pass;
  if (is_stopping_) {
    pass.stop_now();  // told while the secret was read
  }
  const RunOutcome outcome = co_await pass.run();
  pass_ = nullptr;
  log_result(log, outcome.result);
  const MonoTime publish_by = parts_.clock.monotonic() + kPublishTime;
  co_await parts_.publish_metrics(std::min(publish_by, deadline.value_or(publish_by)));
  if (outcome.failure) {
    co_return function_error("Api", *outcome.failure);
  }
  co_return run_result_json(outcome.result);
}

}  // namespace dispatcher
