#include "fakes/sim_http_client.hpp"

#include <array>

namespace dispatcher::fakes {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::array kSuccesses{200, 201, 202, 204};
constexpr std::array kServerErrors{500, 502, 503, 504};
constexpr std::array kRejections{400, 401, 404, 410, 422};
constexpr std::array kRedirects{301, 302, 307, 308};

std::string header_of(const HttpRequest& request, std::string_view name) {
  for (const HttpHeader& header : request.headers) {
    if (header.name == name) {
      return header.value;
    }
  }
  return {};
}

Exchange failed(FailureKind kind) {
  Exchange exchange;
  exchange.result = Failure{kind, "simulated"};
  return exchange;
}

// RFC 9110, section 5.6.7.
std::string http_date(WallTime time) {
  static constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::string stamp = format_timestamp(time);
  return std::string{kDays[std::chrono::weekday{day}.c_encoding()]} + ", " + stamp.substr(8, 2) +
         " " + kMonths[static_cast<unsigned>(date.month()) - 1] + " " + stamp.substr(0, 4) + " " +
         stamp.substr(11, 8) + " GMT";
}

}  // namespace

void SimReceivers::heal() {
  faults_ = {};
  faults_.longest_latency = milliseconds{1};
  down_until_.clear();
}

SimReceivers::Script SimReceivers::script_for(const HttpRequest& request) {
  Script script;
  script.to_arrive = random_.between(microseconds{0}, faults_.longest_latency);
  script.to_answer = random_.between(microseconds{0}, faults_.longest_latency);
  const std::string& host = request.url.host;
  const MonoTime now = world_.clock().monotonic();
  if (random_.chance(faults_.outage)) {
    MonoTime& until = down_until_[host];
    until = std::max<MonoTime>(until, now + random_.between(seconds{1}, faults_.longest_outage));
  }
  const auto down = down_until_.find(host);
  if (blocked_.contains(host)) {
    script.failure_before = FailureKind::blocked;
    script.to_arrive = microseconds{0};
  } else if ((down != down_until_.end() && down->second > now) || random_.chance(faults_.refused)) {
    script.failure_before = FailureKind::connect;
  } else if (random_.chance(faults_.unresolved)) {
    script.failure_before = FailureKind::dns;
  } else if (random_.chance(faults_.untrusted)) {
    script.failure_before = FailureKind::tls;
  } else if (random_.chance(faults_.reset_before)) {
    script.failure_before = FailureKind::reset;
  } else if (random_.chance(faults_.reset_after)) {
    script.failure_after = FailureKind::reset;
  } else if (random_.chance(faults_.garbled)) {
    script.failure_after = FailureKind::protocol;
  } else if (random_.chance(faults_.never_answers)) {
    script.to_answer = std::chrono::hours{24};
  } else if (random_.chance(faults_.slow)) {
    const auto allowed = std::chrono::floor<microseconds>(request.deadline - now);
    script.to_answer = random_.between(microseconds{0}, 2 * allowed);
  }
  script_answer(script);
  return script;
}

void SimReceivers::script_answer(Script& script) {
  if (random_.chance(faults_.server_error)) {
    script.answer.status = random_.one_of(kServerErrors);
  } else if (random_.chance(faults_.too_many)) {
    script.answer.status = 429;
  } else if (random_.chance(faults_.rejected)) {
    script.answer.status = random_.one_of(kRejections);
  } else if (random_.chance(faults_.redirected)) {
    script.answer.status = random_.one_of(kRedirects);
    script.answer.headers.push_back({"Location", "https://elsewhere.example/secret"});
  } else {
    script.answer.status = random_.one_of(kSuccesses);
  }
  const bool may_say_when = script.answer.status == 429 || script.answer.status == 503;
  if (may_say_when && random_.chance(faults_.retry_after)) {
    script_retry_after(script);
  }
}

void SimReceivers::script_retry_after(Script& script) {
  const auto wait = random_.between(seconds{0}, faults_.longest_retry_after);
  const auto whole = std::chrono::floor<seconds>(wait);
  if (random_.chance(0.5)) {
    script.answer.headers.push_back({"Retry-After", std::to_string(whole.count())});
    script.retry_after = whole;
  } else {
    const WallTime date = std::chrono::floor<seconds>(world_.clock().wall()) + whole;
    script.answer.headers.push_back({"Retry-After", http_date(date)});
    script.retry_date = date;
  }
}

std::size_t SimReceivers::begin(const HttpRequest& request, int process) {
  Visit visit;
  visit.host = request.url.host;
  visit.webhook_id = header_of(request, "webhook-id");
  visit.timestamp = header_of(request, "webhook-timestamp");
  visit.signatures = header_of(request, "webhook-signature");
  visit.body = request.body;
  visit.process = process;
  visit.sent_at = world_.clock().monotonic();
  visit.sent_wall = world_.clock().wall();
  visit.deadline = request.deadline;
  visits_.push_back(std::move(visit));
  if (observer_ != nullptr) {
    observer_->on_sent(visits_.size() - 1);
  }
  return visits_.size() - 1;
}

void SimReceivers::process(std::size_t visit, const Script& script) {
  visits_[visit].is_processed = true;
  visits_[visit].status = script.answer.status;
  visits_[visit].retry_after = script.retry_after;
  visits_[visit].retry_date = script.retry_date;
}

void SimReceivers::end(std::size_t visit, const Exchange& exchange) {
  Visit& ended = visits_[visit];
  ended.ended_at = world_.clock().monotonic();
  ended.ended_wall = world_.clock().wall();
  if (const auto* failure = std::get_if<Failure>(&exchange.result)) {
    ended.failure = failure->kind;
  }
  if (observer_ != nullptr) {
    observer_->on_ended(visit);
  }
}

boost::asio::awaitable<Exchange> SimHttpClient::send(HttpRequest request) {
  if (is_aborted_) {
    co_return failed(FailureKind::aborted);
  }
  SimReceivers::Script script = receivers_.script_for(request);
  const std::size_t visit = receivers_.begin(request, process_);
  ++connections_opened_;
  Exchange exchange = co_await play(std::move(script), visit, request.deadline);
  receivers_.end(visit, exchange);
  co_return exchange;
}

boost::asio::awaitable<Exchange> SimHttpClient::play(SimReceivers::Script script, std::size_t visit,
                                                     MonoTime deadline) {
  if (const auto ended = co_await wait(script.to_arrive, deadline)) {
    co_return failed(*ended);
  }
  if (script.failure_before) {
    co_return failed(*script.failure_before);
  }
  receivers_.process(visit, script);
  if (const auto ended = co_await wait(script.to_answer, deadline)) {
    co_return failed(*ended);
  }
  if (script.failure_after) {
    co_return failed(*script.failure_after);
  }
  Exchange exchange;
  exchange.remote_address = "192.0.2.1:443";
  exchange.result = std::move(script.answer);
  co_return exchange;
}

boost::asio::awaitable<std::optional<FailureKind>> SimHttpClient::wait(microseconds duration,
                                                                       MonoTime deadline) {
  struct Waiting {
    Waiting(std::vector<SimTimer*>& everyone, SimTimer& one) : all(everyone), timer(one) {
      all.push_back(&timer);
    }
    ~Waiting() { std::erase(all, &timer); }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    std::vector<SimTimer*>& all;
    SimTimer& timer;
  };
  const MonoTime until = world_.clock().monotonic() + duration;
  SimTimer timer{world_};
  const Waiting waiting{waiting_, timer};
  const bool is_reached = co_await timer.wait_until(std::min(until, deadline));
  if (!is_reached || is_aborted_) {
    co_return FailureKind::aborted;
  }
  if (until > deadline) {
    co_return FailureKind::timeout;
  }
  co_return std::nullopt;
}

void SimHttpClient::abort() {
  is_aborted_ = true;
  for (SimTimer* timer : waiting_) {
    timer->cancel();
  }
}

}  // namespace dispatcher::fakes
