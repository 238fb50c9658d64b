// A store of which every call fails in the way that a test says, or answers nothing much: for what
// the API does with a store's errors. What stores do is tests/conformance.
#pragma once

#include "ports/store.hpp"

#include <optional>
#include <utility>

namespace dispatcher {

class StubStore : public Store {
 public:
  template <class T>
  using Call = boost::asio::awaitable<Result<T>>;

  std::optional<ErrorKind> failure;
  AppendRequest appended;  // the last request

  Call<AppendAnswer> append(AppendRequest request) override {
    appended = std::move(request);
    AppendAnswer answer;
    for (const Event& event : appended.events) {
      answer.events.push_back({event.id, event.created_at});
    }
    co_return give(std::move(answer));
  }
  Call<std::vector<Endpoint>> configure_endpoints(std::vector<Endpoint> endpoints,
                                                  std::vector<Sha256Digest> /*hashes*/) override {
    co_return give(std::move(endpoints));
  }
  Call<EventView> event(EventId id) override {
    EventView view;
    view.event.id = id;
    view.event.payload = "{}";
    co_return give(std::move(view));
  }
  Call<std::vector<Attempt>> attempts(EventId /*id*/) override {
    co_return give(std::vector<Attempt>{});
  }
  Call<EventPage> list(EventQuery /*query*/, std::optional<std::int64_t> /*after*/,
                       std::size_t /*limit*/, std::size_t /*max_bytes*/) override {
    co_return give(EventPage{});
  }
  Call<std::int64_t> count(EventQuery /*query*/) override { co_return give(std::int64_t{0}); }
  Call<std::vector<EventView>> pending(std::size_t /*limit*/, std::size_t /*max_bytes*/) override {
    co_return give(std::vector<EventView>{});
  }
  Call<LeasedEvents> lease(LeaseRequest /*request*/) override { co_return give(LeasedEvents{}); }
  Call<std::vector<bool>> renew(std::string /*token*/, std::vector<EventId> ids,
                                std::chrono::seconds /*duration*/) override {
    co_return give(std::vector<bool>(ids.size(), true));
  }
  Call<std::vector<Result<AckAnswer>>> ack(std::vector<EventId> ids,
                                           std::optional<std::string> /*token*/) override {
    std::vector<Result<AckAnswer>> answers;
    for (const EventId& id : ids) {
      AckAnswer answer;
      answer.id = id;
      answers.push_back(give(std::move(answer)));
    }
    co_return answers;
  }
  Call<EventView> nack(EventId id, std::string /*token*/, NackRequest /*request*/) override {
    EventView view;
    view.event.id = id;
    view.event.payload = "{}";
    co_return give(std::move(view));
  }
  Call<void> erase(EventId /*id*/) override { co_return done(); }
  Call<StoreFigures> figures() override { co_return give(StoreFigures{}); }
  Call<LatencyFigures> latency() override { co_return give(LatencyFigures{}); }
  Call<void> append_webhook_log(WebhookLogEntry /*entry*/) override { co_return done(); }
  Call<std::vector<WebhookLogEntry>> webhook_log(WebhookLogQuery /*query*/) override {
    co_return give(std::vector<WebhookLogEntry>{});
  }
  Call<bool> maintain(RetentionPolicy /*policy*/) override { co_return give(false); }
  Call<ClaimAnswer> claim(std::vector<ClaimRequest> /*requests*/,
                          std::size_t /*max_bytes*/) override {
    co_return give(ClaimAnswer{});
  }
  Call<SettleAnswer> settle(Settlement /*settlement*/) override { co_return give(SettleAnswer{}); }
  Call<std::vector<EndpointRecord>> endpoints() override {
    co_return give(std::vector<EndpointRecord>{});
  }
  Call<EndpointRecord> create_endpoint(EndpointRecord record, EndpointStart /*start*/) override {
    co_return give(std::move(record));
  }
  Call<EndpointRecord> save_endpoint(EndpointRecord record) override {
    co_return give(std::move(record));
  }
  Call<void> remove_endpoint(std::string /*id*/, bool /*discards*/, ReleaseNote /*note*/) override {
    co_return done();
  }
  Call<std::vector<EndpointCounts>> endpoint_counts(std::vector<EndpointNumber> numbers) override {
    co_return give(std::vector<EndpointCounts>(numbers.size()));
  }
  Call<std::int64_t> release(EventId /*id*/, std::optional<std::string> /*endpoint_id*/,
                             ReleaseAction /*action*/, ReleaseNote /*note*/) override {
    co_return give(std::int64_t{0});
  }
  Call<ReleaseStep> release_step(EventQuery /*query*/, std::optional<std::int64_t> /*after*/,
                                 std::size_t /*max_events*/, ReleaseAction /*action*/,
                                 ReleaseNote /*note*/) override {
    co_return give(ReleaseStep{});
  }
  Call<ReleaseStep> try_release_step(EventQuery /*query*/, std::optional<std::int64_t> /*after*/,
                                     std::size_t /*max_events*/,
                                     ReleaseAction /*action*/) override {
    co_return give(ReleaseStep{});
  }
  Call<std::vector<Release>> releases(EventId /*id*/) override {
    co_return give(std::vector<Release>{});
  }
  Call<void> give_back(std::vector<ClaimToken> /*tokens*/) override { co_return done(); }
  void on_due(DueHint /*hint*/) override {}

 protected:
  template <class T>
  Result<T> give(T value) const {
    if (failure) {
      return make_error(*failure, "/var/lib/secret/path: disk is full");
    }
    return value;
  }
  Result<void> done() const {
    if (failure) {
      return make_error(*failure, "/var/lib/secret/path: disk is full");
    }
    return {};
  }
};

}  // namespace dispatcher
