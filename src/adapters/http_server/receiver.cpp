#include "adapters/http_server/receiver.hpp"

#include "adapters/http_server/record_file.hpp"
#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/json_text.hpp"
#include "model/signature.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstring>
#include <mutex>
#include <random>
#include <unordered_set>
#include <utility>
#include <vector>

namespace dispatcher {
namespace {

// Ids that are remembered to know a duplicate: some hundred megabytes. What comes later is not
// counted as distinct.
constexpr std::size_t kMaxRememberedIds = 4'000'000;

std::string_view header_of(const RequestHead& head, std::string_view name) {
  const std::string* value = head.header(name);
  return value == nullptr ? std::string_view{} : std::string_view{*value};
}

// A webhook-id in sixteen bytes: a UUID as it is, anything else by its digest.
Uuid key_of(std::string_view id) {
  if (const auto uuid = parse_uuid(id)) {
    return *uuid;
  }
  Uuid key;
  const Sha256Digest digest = sha256(id);
  std::memcpy(key.bytes.data(), digest.data(), key.bytes.size());
  return key;
}

// Empty when the signatures are right, else what is wrong.
std::string fault_of_signatures(const std::vector<std::string>& keys, const RequestHead& head,
                                std::string_view body, WallTime now) {
  const StandardHeaders standard{.id = header_of(head, "webhook-id"),
                                 .timestamp = header_of(head, "webhook-timestamp"),
                                 .signatures = header_of(head, "webhook-signature")};
  const std::string_view plain = header_of(head, "x-webhook-signature");
  if (standard.signatures.empty() && plain.empty()) {
    return "neither webhook-signature nor X-Webhook-Signature is there";
  }
  if (!standard.signatures.empty()) {
    if (const auto verified = verify_standard(keys, standard, body, now); !verified) {
      return verified.error().message;
    }
  }
  if (!plain.empty() && !verify_body(keys, plain, body)) {
    return "X-Webhook-Signature is not that of the body";
  }
  return {};
}

ServerAnswer answer_of(int status, std::string body) {
  ServerAnswer answer;
  answer.status = status;
  answer.body = std::move(body);
  return answer;
}

class Receiver : public ReceiverService {
 public:
  Receiver(ReceiverOptions options, std::vector<std::string> keys, std::optional<RecordFile> record,
           const Clock& clock, OnRequest on_request)
      : options_(std::move(options)),
        keys_(std::move(keys)),
        record_(std::move(record)),
        clock_(clock),
        on_request_(std::move(on_request)),
        random_(options_.seed) {}

  std::optional<ServerAnswer> refuse_early(const RequestHead& /*head*/) override {
    return std::nullopt;  // a webhook may go to any path
  }

  boost::asio::awaitable<ServerAnswer> serve(RequestHead head, std::string body) override {
    const WallTime now = clock_.wall();
    ReceivedRequest request = judge(head, body, now);
    if (options_.delay.count() > 0) {
      boost::asio::steady_timer timer{co_await boost::asio::this_coro::executor, options_.delay};
      co_await timer.async_wait(boost::asio::use_awaitable);
    }
    co_return settle(head, body, now, request);
  }

  ServerAnswer error(int status, std::string_view detail) override {
    std::string body = R"({"detail":)";
    append_json_string(body, detail);
    body.push_back('}');
    return answer_of(status, std::move(body));
  }

  ReceiverCounts counts() const override {
    const std::scoped_lock lock{mutex_};
    return counts_;
  }

 private:
  // What the request is to be answered.
  ReceivedRequest judge(const RequestHead& head, std::string_view body, WallTime now) {
    ReceivedRequest request;
    request.id = header_of(head, "webhook-id");
    request.body_bytes = body.size();
    request.status = options_.status;
    if (!keys_.empty()) {
      request.reason = fault_of_signatures(keys_, head, body, now);
    }
    const std::scoped_lock lock{mutex_};
    if (!request.reason.empty()) {
      request.status = 401;
    } else if (std::uniform_real_distribution<double>{}(random_) < options_.fail_rate) {
      request.status = 503;
      ++counts_.failed_on_purpose;
    }
    return request;
  }

  // Writes down, counts and answers.
  ServerAnswer settle(const RequestHead& head, std::string_view body, WallTime now,
                      ReceivedRequest& request) {
    const std::scoped_lock lock{mutex_};
    if (record_) {
      const Record record{
          .id = request.id, .time = now, .status = request.status, .head = head, .body = body};
      if (const auto written = record_->append(record); !written) {
        request.status = 500;  // what is not written down was not received
        request.reason = written.error().message;
      }
    }
    count(request);
    if (on_request_) {
      on_request_(request);
    }
    return request.reason.empty() ? answer_of(request.status, R"({"status":"received"})")
                                  : error(request.status, request.reason);
  }

  void count(ReceivedRequest& request) {
    ++counts_.requests;
    counts_.bad_signatures += request.status == 401 && !request.reason.empty() ? 1 : 0;
    if (request.status < 200 || request.status > 299) {
      return;
    }
    ++counts_.accepted;
    if (request.id.empty()) {
      return;
    }
    const Uuid key = key_of(request.id);
    if (accepted_ids_.contains(key)) {
      request.is_duplicate = true;
      ++counts_.duplicates;
    } else if (accepted_ids_.size() < kMaxRememberedIds) {
      accepted_ids_.insert(key);
      ++counts_.distinct_accepted;
    }
  }

  const ReceiverOptions options_;
  const std::vector<std::string> keys_;  // empty: signatures are not looked at
  std::optional<RecordFile> record_;
  const Clock& clock_;
  const OnRequest on_request_;

  mutable std::mutex mutex_;  // what follows, the record and the callback
  std::mt19937_64 random_;
  ReceiverCounts counts_;
  std::unordered_set<Uuid> accepted_ids_;
};

Result<void> check(const ReceiverOptions& options) {
  if (options.status < 200 || options.status > 599) {
    return make_error(ErrorKind::invalid,
                      "the status to answer must be from 200 to 599 (--status)");
  }
  if (!(options.fail_rate >= 0 && options.fail_rate <= 1)) {
    return make_error(ErrorKind::invalid,
                      "the share of requests to fail must be from 0 to 1 (--fail-rate)");
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<ReceiverService>> ReceiverService::open(const ReceiverOptions& options,
                                                               const Clock& clock,
                                                               OnRequest on_request) {
  if (const auto checked = check(options); !checked) {
    return checked.error();
  }
  std::vector<std::string> keys;
  for (const std::string& secret : options.secrets) {
    auto key = parse_signing_secret(secret);
    if (!key) {
      return make_error(key.error().kind, key.error().message + " (--secret)");
    }
    keys.push_back(*std::move(key));
  }
  std::optional<RecordFile> record;
  if (!options.record_file.empty()) {
    auto opened = RecordFile::open(options.record_file);
    if (!opened) {
      return opened.error();
    }
    record = *std::move(opened);
  }
  return std::make_unique<Receiver>(options, std::move(keys), std::move(record), clock,
                                    std::move(on_request));
}

}  // namespace dispatcher
