#include "hosts/lambda.hpp"

#include "hosts/client_answers.hpp"
#include "hosts/dry_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace dispatcher {
namespace {

using std::chrono::milliseconds;

// What needs the table, when there is none.
FunctionError table_missing(std::string_view what) {
  return {"Config.TableMissing",
          fmt::format("{} needs the events table (set DYNAMODB_TABLE_NAME)", what)};
}

// Each once: a second claim of an event by the same run would be met.
std::vector<EventKey> keys_of(const StreamOrder& order) {
  std::vector<EventKey> keys;
  std::set<EventKey> seen;
  for (const auto& inserted : order.inserted) {
    if (seen.insert(inserted.key).second) {
      keys.push_back(inserted.key);
    }
  }
  return keys;
}

// The records that the stream must give again.
std::string answer_of(const StreamOrder& order, const std::set<EventKey>& unresolved) {
  std::vector<std::string> numbers;
  for (const auto& inserted : order.inserted) {
    if (unresolved.contains(inserted.key)) {
      numbers.push_back(inserted.sequence_number);
    }
  }
  return stream_answer(numbers);
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
    std::string answer = std::move(std::get<std::string>(outcome));
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
  Task task;
  task.started = parts_.clock.monotonic();
  task.deadline = deadline;
  if (const auto* stream = std::get_if<StreamOrder>(&*order)) {
    task.stream = *stream;
  } else if (const auto* release = std::get_if<ReleaseOrder>(&*order)) {
    task.release = release->reason;
  } else {
    task.run = std::get<RunOrder>(*order);
  }
  if (!parts_.release && (task.stream || task.release)) {
    co_return table_missing(task.stream ? "delivering the records of a DynamoDB Stream"
                                        : "releasing events from review");
  }
  co_return co_await run(std::move(task), log);
}

// Whatever hangs, there is time to publish what the run came to.
std::optional<MonoTime> LambdaFunction::inbox_deadline(std::optional<MonoTime> deadline) const {
  if (!deadline) {
    return std::nullopt;
  }
  return keeping_back(parts_.clock.monotonic(), *deadline, kLeastPublishTime, kPublishPart);
}

std::optional<MonoTime> LambdaFunction::deadline_of(const LambdaInvocation& invocation) const {
  if (!invocation.deadline) {
    return std::nullopt;
  }
  const auto left = std::max<std::chrono::microseconds>(*invocation.deadline - parts_.clock.wall(),
                                                        std::chrono::microseconds{0});
  const MonoTime now = parts_.clock.monotonic();
  return keeping_back(now, now + left, kAnswerTime, kAnswerPart);
}

boost::asio::awaitable<LambdaFunction::Outcome> LambdaFunction::run(Task task, const Log& log) {
  const auto secrets = co_await parts_.secrets.read(task.deadline);
  if (!secrets) {
    co_return function_error("Secret", secrets.error());
  }
  parts_.use_api_key(secrets->api_keys.front());
  if (task.run.is_dry_run) {
    co_return co_await list_only(task.run.max_events.value_or(config_.run.max_events),
                                 task.deadline);
  }
  auto recipients = make_recipients(config_.run.delivery, *secrets);
  if (!recipients) {
    co_return function_error("Secret", recipients.error());
  }
  std::optional<std::int64_t> released;
  if (task.release) {
    const auto done = co_await parts_.release(*task.release, task.deadline, log);
    if (!done) {
      co_return function_error("Table", done.error());
    }
    released = *done;
  }
  co_return co_await deliver(std::move(*recipients), task, released, log);
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
  co_return function_answer(due_events_summary(due_events_in(answer->body, max_events)));
}

boost::asio::awaitable<LambdaFunction::Outcome> LambdaFunction::deliver(
    Recipients recipients, const Task& task, std::optional<std::int64_t> released, const Log& log) {
  InboxOrder order{log,
                   recipients.endpoints,
                   task.run.max_events.value_or(config_.run.max_events),
                   inbox_deadline(task.deadline),
                   {}};
  if (task.stream) {
    parts_.metrics.add(Metric::events_expired, task.stream->expired);
    if (task.stream->unreadable > 0) {
      log.warning("the stream has records of items that are no events; they are passed over",
                  {{"count", task.stream->unreadable}});
    }
    order.only = keys_of(*task.stream);
  }
  const auto inbox = parts_.make_inbox(std::move(order));
  RunOutcome outcome = co_await pass_over(*inbox, std::move(recipients), task, log);
  outcome.result.released = released;
  log_result(log, outcome.result);
  co_await publish(task.deadline);
  if (outcome.failure) {
    co_return function_error(outcome.failure->source, outcome.failure->error);
  }
  if (task.stream) {
    co_return answer_of(*task.stream, inbox->unresolved());
  }
  co_return function_answer(run_result_json(outcome.result));
}

boost::asio::awaitable<RunOutcome> LambdaFunction::pass_over(RunInbox& inbox, Recipients recipients,
                                                             const Task& task, const Log& log) {
  Pass pass{parts_.loop,
            PassParts{inbox, parts_.webhooks, parts_.clock, parts_.timers, parts_.random,
                      parts_.metrics, log},
            std::move(recipients), config_.run.delivery,
            PassTimes{task.started, task.deadline, !task.stream}};
  pass_ = &pass;
  if (is_stopping_) {
    pass.stop_now();  // told while the secret was read
  }
  RunOutcome outcome = co_await pass.run();
  pass_ = nullptr;
  co_return outcome;
}

boost::asio::awaitable<void> LambdaFunction::publish(std::optional<MonoTime> deadline) {
  const MonoTime publish_by = parts_.clock.monotonic() + kPublishTime;
  co_await parts_.publish_metrics(earlier(publish_by, deadline));
}

}  // namespace dispatcher
