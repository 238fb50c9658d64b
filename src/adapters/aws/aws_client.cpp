#include "adapters/aws/aws_client.hpp"

#include "adapters/aws/sigv4.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace dispatcher {
namespace {

using std::chrono::milliseconds;

// Of one of AWS's answers. DynamoDB's are of 1 MB of items, which JSON may write six times as long.
constexpr std::size_t kMaxAnswerBytes = 16 * 1024 * 1024;
// More calls than this are not under way at once.
constexpr std::size_t kMaxConnections = 64;

// The limit of the first wait, where nothing says that we are too fast, and where AWS does.
constexpr milliseconds kFirstWait{50};
constexpr milliseconds kFirstWaitThrottled{200};
constexpr milliseconds kLongestWait{5'000};

std::string_view media_type(const AwsServiceInfo& info) {
  if (info.protocol == AwsProtocol::query) {
    return "application/x-www-form-urlencoded; charset=utf-8";
  }
  return info.version == "1.0" ? "application/x-amz-json-1.0" : "application/x-amz-json-1.1";
}

std::string body_of(const AwsCall& call, const AwsServiceInfo& info) {
  if (info.protocol == AwsProtocol::json) {
    return call.body;
  }
  return fmt::format("Action={}&Version={}{}{}", call.action, info.version,
                     call.body.empty() ? "" : "&", call.body);
}

// What a person may do about it.
std::string_view advice(const AwsFault& fault) {
  if (fault.remedy == AwsRemedy::set_clock) {
    return " (is this machine's clock right, and the secret access key whole?)";
  }
  if (fault.remedy == AwsRemedy::new_credentials) {
    return " (renew the AWS credentials)";
  }
  if (fault.kind == ErrorKind::refused) {
    return " (allow it in the policy of this program's role)";
  }
  if (fault.kind == ErrorKind::not_found) {
    return " (is its name right, and the region?)";
  }
  return "";
}

}  // namespace

milliseconds aws_backoff(int next, bool is_throttled, double share) {
  milliseconds limit = is_throttled ? kFirstWaitThrottled : kFirstWait;
  for (int i = 2; i < next && limit < kLongestWait; ++i) {
    limit *= 2;
  }
  limit = std::min(limit, kLongestWait);
  return milliseconds{static_cast<milliseconds::rep>(static_cast<double>(limit.count()) * share)};
}

AwsClient::AwsClient(AwsClientPorts ports, AwsClientOptions options)
    : ports_(ports), options_(std::move(options)) {}

WallTime AwsClient::now() const {
  return ports_.clock.wall() + skew_.offset();
}

Error AwsClient::failed(const AwsCall& call, ErrorKind kind, std::string_view what) const {
  const AwsServiceInfo& info = info_of(call.service);
  return make_error(kind, fmt::format("{} {} at {}: {}", info.name, call.action,
                                      options_.settings.endpoint(call.service).display(), what));
}

HttpRequest AwsClient::request_of(const AwsCall& call, MonoTime deadline) const {
  const AwsServiceInfo& info = info_of(call.service);
  HttpRequest request;
  request.url = options_.settings.endpoint(call.service);
  request.headers.push_back({"Content-Type", std::string{media_type(info)}});
  if (info.protocol == AwsProtocol::json) {
    request.headers.push_back({"X-Amz-Target", fmt::format("{}.{}", info.target, call.action)});
  }
  request.body = body_of(call, info);
  request.deadline = std::min(deadline, ports_.clock.monotonic() + options_.request_timeout);
  request.connect_timeout = options_.connect_timeout;
  request.is_webhook = false;
  request.pool = "aws";
  request.max_idle_connections = kMaxConnections;
  request.needs_whole_body = true;
  request.max_body_bytes = kMaxAnswerBytes;
  return request;
}

AwsClient::Try AwsClient::judge(const AwsCall& call, Exchange exchange, WallTime sent) {
  Try tried;
  if (const auto* failure = std::get_if<Failure>(&exchange.result)) {
    const bool is_stopping = failure->kind == FailureKind::aborted;
    tried.remedy = is_stopping ? AwsRemedy::none : AwsRemedy::wait;
    const auto kind = is_stopping ? ErrorKind::stopped : ErrorKind::retry_later;
    tried.result = AwsError{failed(call, kind, failure->text()), {}, {}};
    return tried;
  }
  auto& answer = std::get<Answer>(exchange.result);
  tried.status = answer.status;
  if (const auto date = parse_http_date(answer.header("date").value_or(""))) {
    skew_.note(*date, sent, ports_.clock.wall());
  }
  if (answer.status == 200 && !is_damaged(answer)) {
    std::string request_id = request_id_of(answer);
    tried.result = AwsAnswer{std::move(answer.body), std::move(request_id)};
    return tried;
  }
  if (answer.status == 200) {
    tried.remedy = AwsRemedy::wait;
    tried.result =
        AwsError{failed(call, ErrorKind::retry_later, "the answer was damaged on its way"), {}, {}};
    return tried;
  }
  const AwsFault fault = fault_of(answer, info_of(call.service).protocol);
  tried.remedy = fault.remedy;
  const std::string what =
      fmt::format("it answered {}{}{}{}{}{}", answer.status, fault.code.empty() ? "" : " ",
                  fault.code, fault.message.empty() ? "" : ": ", fault.message, advice(fault));
  const bool says_more = fault.kind == ErrorKind::conflict;
  tried.result =
      AwsError{failed(call, fault.kind, what), fault.code, says_more ? answer.body : std::string{}};
  return tried;
}

boost::asio::awaitable<AwsClient::Try> AwsClient::send(const AwsCall& call, MonoTime deadline,
                                                       const AwsCredentials& credentials) {
  HttpRequest request = request_of(call, deadline);
  const SigningScope scope{options_.settings.region,
                           std::string{info_of(call.service).signing_name}};
  const auto offset = skew_.offset();
  sign_request(request, credentials, scope, now());
  // Not signed: something between us and AWS may change it.
  request.headers.push_back({"User-Agent", options_.user_agent});
  const WallTime sent = ports_.clock.wall();
  Exchange exchange = co_await ports_.http.send(std::move(request));
  Try tried = judge(call, std::move(exchange), sent);
  tried.is_clock_new = skew_.is_far_from(offset);
  co_return tried;
}

boost::asio::awaitable<AwsResult> AwsClient::call_until(AwsCall call, MonoTime deadline,
                                                        SpanReport* report) {
  bool may_set_clock = true;
  bool may_renew = true;
  int tries = 0;
  const auto timer = ports_.timers.make();
  while (true) {
    const auto credentials = co_await ports_.credentials.get(deadline);
    if (!credentials) {
      co_return AwsError{
          failed(call, credentials.error().kind, credentials.error().message), {}, {}};
    }
    Try tried = co_await send(call, deadline, *credentials);
    ++report->attempt;
    report->status = tried.status;
    if (tried.result) {
      co_return std::move(tried.result);
    }
    // What is said of the credentials or of a signature may be due to the clock.
    const bool is_refused =
        tried.remedy == AwsRemedy::set_clock || tried.remedy == AwsRemedy::new_credentials;
    if (is_refused && tried.is_clock_new && std::exchange(may_set_clock, false)) {
      ports_.log.warning(
          "this machine's clock differs from AWS's; requests are signed with AWS's time",
          {{"seconds", std::chrono::round<std::chrono::seconds>(skew_.offset()).count()}});
      continue;
    }
    if (tried.remedy == AwsRemedy::new_credentials && std::exchange(may_renew, false)) {
      ports_.credentials.forget(*credentials);
      continue;
    }
    const bool may_wait = tried.remedy == AwsRemedy::wait || tried.remedy == AwsRemedy::slow_down;
    if (!may_wait || ++tries >= options_.max_tries) {
      co_return std::move(tried.result);
    }
    const MonoTime again_at =
        ports_.clock.monotonic() +
        aws_backoff(tries + 1, tried.remedy == AwsRemedy::slow_down, ports_.random.next_unit());
    if (again_at >= deadline) {
      co_return std::move(tried.result);
    }
    ports_.log.debug("an AWS call failed; it is made again",
                     {{"error", tried.result.error().error.message}, {"try", tries}});
    (void)co_await timer->wait_until(again_at);  // nobody cancels it
  }
}

boost::asio::awaitable<AwsResult> AwsClient::call(AwsCall call) {
  const MonoTime limit = ports_.clock.monotonic() + options_.call_timeout;
  const MonoTime deadline = call.deadline.value_or(limit);
  const Span span = ports_.tracer.start();
  SpanReport report;
  report.kind = SpanKind::aws_call;
  if (span.is_recorded()) {
    report.name = info_of(call.service).name;
    report.operation = call.action;
    report.region = options_.settings.region;
  }
  AwsResult result = co_await call_until(std::move(call), deadline, &report);
  if (span.is_recorded()) {
    report.request_id = result ? result->request_id : std::string{};
    report.error = result ? std::string{} : result.error().error.message;
    ports_.tracer.finish(span, report);
  }
  co_return result;
}

}  // namespace dispatcher
