#include "conformance/store_suite.hpp"

#include "base/bytes.hpp"

namespace dispatcher::conformance {

Event StoreSuite::make_event(std::string type, std::string source, std::string payload) {
  Event event;
  ++events_made_;
  event.id = make_uuid_v7(now(), events_made_, events_made_ << 8U);
  event.type = std::move(type);
  event.source = std::move(source);
  event.payload = std::move(payload);
  event.created_at = now();
  return event;
}

Event StoreSuite::append_event(std::string type, std::string source, std::string payload) {
  Event event = make_event(std::move(type), std::move(source), std::move(payload));
  AppendRequest request;
  request.events.push_back(event);
  const auto answer = run(store().append(std::move(request)));
  EXPECT_TRUE(answer.has_value()) << answer.error().message;
  return event;
}

std::vector<Event> StoreSuite::append_events(std::size_t count) {
  std::vector<Event> events;
  AppendRequest request;
  for (std::size_t i = 0; i < count; ++i) {
    events.push_back(make_event());
    request.events.push_back(events.back());
  }
  const auto answer = run(store().append(std::move(request)));
  EXPECT_TRUE(answer.has_value()) << answer.error().message;
  return events;
}

std::vector<Endpoint> StoreSuite::configure(const std::vector<std::string>& urls) {
  return configure(urls, std::vector<EventFilter>(urls.size()));
}

std::vector<Endpoint> StoreSuite::configure(const std::vector<std::string>& urls,
                                            const std::vector<EventFilter>& filters) {
  std::vector<Endpoint> endpoints;
  std::vector<Sha256Digest> hashes;
  for (std::size_t i = 0; i < urls.size(); ++i) {
    Endpoint endpoint;
    endpoint.id = secret_endpoint_id(urls[i]);
    endpoint.url = parse_webhook_url(urls[i]).value();
    endpoint.filter = filters[i];
    endpoints.push_back(std::move(endpoint));
    hashes.push_back(sha256(urls[i]));
  }
  const auto answer = run(store().configure_endpoints(std::move(endpoints), std::move(hashes)));
  EXPECT_TRUE(answer.has_value()) << answer.error().message;
  return answer.value();
}

EndpointRecord StoreSuite::create(const std::string& id, EventFilter filter, EndpointStart start) {
  EndpointRecord record;
  record.id = id;
  record.filter = std::move(filter);
  record.target = "https://" + id + ".example";
  record.settings = R"({"concurrency":7})";
  record.sealed = std::string{"sealed\0content", 14};
  auto answer = run(store().create_endpoint(std::move(record), start));
  EXPECT_TRUE(answer.has_value()) << answer.error().message;
  return answer.value();
}

EndpointRecord StoreSuite::change(const std::string& id,
                                  const std::function<void(EndpointRecord&)>& edit) {
  EndpointRecord record = endpoint(id);
  edit(record);
  auto answer = run(store().save_endpoint(std::move(record)));
  EXPECT_TRUE(answer.has_value()) << answer.error().message;
  return answer.value();
}

void StoreSuite::maintain_all(RetentionPolicy policy) {
  for (int step = 0; step < 100'000; ++step) {
    const auto has_more = run(store().maintain(policy));
    ASSERT_TRUE(has_more.has_value()) << has_more.error().message;
    if (!*has_more) {
      return;
    }
  }
  FAIL() << "maintenance does not end";
}

ClaimAnswer StoreSuite::claim(EndpointNumber endpoint, std::size_t max) {
  std::vector<ClaimRequest> requests{ClaimRequest{endpoint, max}};
  auto answer = run(store().claim(std::move(requests), 64 * 1024 * 1024));
  EXPECT_TRUE(answer.has_value()) << answer.error().message;
  return std::move(answer).value();
}

Settlement StoreSuite::settlement(const ClaimedDelivery& claimed, Decision decision) const {
  Settlement settlement;
  settlement.token = claimed.token;
  settlement.event_id = claimed.event->id;
  settlement.endpoint = claimed.endpoint;
  settlement.decision = decision;
  Attempt& attempt = settlement.attempt;
  attempt.number = claimed.progress.attempts + 1;
  attempt.started_at = now();
  attempt.duration = std::chrono::milliseconds{5};
  attempt.remote_address = "127.0.0.1:8443";
  if (std::holds_alternative<Delivered>(decision)) {
    attempt.outcome = Outcome::delivered;
    attempt.status = 200;
    attempt.response_body = "ok";
  } else if (std::holds_alternative<Again>(decision)) {
    attempt.outcome = Outcome::retryable;
    attempt.status = 503;
    attempt.error = "status: 503";
  } else {
    attempt.outcome = Outcome::refused;
    attempt.status = 400;
    attempt.error = "status: 400";
  }
  return settlement;
}

Result<void> StoreSuite::settle(const ClaimedDelivery& claimed, Decision decision) {
  const auto settled = run(store().settle(settlement(claimed, decision)));
  return settled ? Result<void>{} : Result<void>{settled.error()};
}

Result<SettleAnswer> StoreSuite::settle_and_claim(const ClaimedDelivery& claimed, Decision decision,
                                                  std::size_t next) {
  Settlement wanted = settlement(claimed, decision);
  wanted.claim_next = next;
  return run(store().settle(std::move(wanted)));
}

Result<std::int64_t> StoreSuite::release(const EventId& id, ReleaseAction action,
                                         std::optional<std::string> endpoint_id) {
  return run(store().release(id, std::move(endpoint_id), action, tester_note()));
}

ReleaseStep StoreSuite::release_all(const EventQuery& query, ReleaseAction action,
                                    std::size_t step) {
  const ReleaseStep tried = add_up_release(
      [&](std::optional<std::int64_t> after) {
        return run(store().try_release_step(query, after, step, action));
      },
      step);
  const ReleaseStep done = add_up_release(
      [&](std::optional<std::int64_t> after) {
        return run(store().release_step(query, after, step, action, tester_note()));
      },
      step);
  EXPECT_EQ(tried.matched, done.matched);
  EXPECT_EQ(tried.released, done.released);
  return done;
}

ReleaseStep StoreSuite::add_up_release(
    const std::function<Result<ReleaseStep>(std::optional<std::int64_t>)>& take_step,
    std::size_t step) {
  ReleaseStep all;
  std::optional<std::int64_t> after;
  for (int steps = 0; steps < 100'000; ++steps) {
    const auto answer = take_step(after);
    EXPECT_TRUE(answer.has_value()) << answer.error().message;
    EXPECT_LE(answer->matched, static_cast<std::int64_t>(step));
    all.matched += answer->matched;
    all.released += answer->released;
    if (!answer->next) {
      return all;
    }
    after = answer->next;
  }
  ADD_FAILURE() << "the release does not end";
  return all;
}

Result<void> StoreSuite::give_back(const std::vector<ClaimedDelivery>& claims) {
  std::vector<ClaimToken> tokens;
  for (const ClaimedDelivery& claim : claims) {
    tokens.push_back(claim.token);
  }
  return run(store().give_back(std::move(tokens)));
}

LeasedEvents StoreSuite::lease(std::size_t limit, std::chrono::seconds duration) {
  LeaseRequest request;
  request.limit = limit;
  request.duration = duration;
  request.consumer = "tester";
  auto answer = run(store().lease(std::move(request)));
  EXPECT_TRUE(answer.has_value()) << answer.error().message;
  return std::move(answer).value();
}

Result<AckAnswer> StoreSuite::ack(const EventId& id, std::optional<std::string> token) {
  std::vector<EventId> ids{id};
  auto answer = run(store().ack(std::move(ids), std::move(token)));
  EXPECT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->size(), 1U);
  return answer->front();
}

Result<EventView> StoreSuite::nack(const EventId& id, std::string token, NackRequest request) {
  return run(store().nack(id, std::move(token), std::move(request)));
}

EventView StoreSuite::view(const EventId& id) {
  auto answer = run(store().event(id));
  EXPECT_TRUE(answer.has_value()) << answer.error().message;
  return answer ? std::move(answer).value() : EventView{};
}

std::vector<Attempt> StoreSuite::attempts(const EventId& id) {
  auto answer = run(store().attempts(id));
  EXPECT_TRUE(answer.has_value()) << answer.error().message;
  return answer ? std::move(answer).value() : std::vector<Attempt>{};
}

std::vector<EndpointRecord> StoreSuite::endpoints() {
  auto answer = run(store().endpoints());
  EXPECT_TRUE(answer.has_value()) << answer.error().message;
  return std::move(answer).value();
}

EndpointRecord StoreSuite::endpoint(const std::string& id) {
  for (EndpointRecord& record : endpoints()) {
    if (record.id == id) {
      return std::move(record);
    }
  }
  ADD_FAILURE() << "there is no endpoint " << id;
  return {};
}

EndpointCounts StoreSuite::counts(EndpointNumber number) {
  std::vector<EndpointNumber> numbers{number};
  const auto answer = run(store().endpoint_counts(std::move(numbers)));
  EXPECT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->size(), 1U);
  EXPECT_EQ(answer->front().number, number);
  return answer->front();
}

std::vector<Release> StoreSuite::releases(const EventId& id) {
  auto answer = run(store().releases(id));
  EXPECT_TRUE(answer.has_value()) << answer.error().message;
  return answer ? std::move(answer).value() : std::vector<Release>{};
}

Summary StoreSuite::summary() {
  const auto figures = run(store().figures());
  EXPECT_TRUE(figures.has_value()) << figures.error().message;
  return figures.value().events;
}

std::vector<EventId> StoreSuite::pending_ids(std::size_t limit) {
  const auto answer = run(store().pending(limit, 64 * 1024 * 1024));
  EXPECT_TRUE(answer.has_value()) << answer.error().message;
  return ids_of(answer.value());
}

std::vector<EventView> StoreSuite::list_all(const EventQuery& query, std::size_t page) {
  std::vector<EventView> all;
  std::optional<std::int64_t> after;
  for (int pages = 0; pages < 100'000; ++pages) {
    auto answer = run(store().list(query, after, page, 64 * 1024 * 1024));
    EXPECT_TRUE(answer.has_value()) << answer.error().message;
    EXPECT_LE(answer->events.size(), page);
    for (EventView& event : answer->events) {
      all.push_back(std::move(event));
    }
    if (!answer->next) {
      return all;
    }
    after = answer->next;
  }
  ADD_FAILURE() << "the list does not end";
  return all;
}

ReleaseNote tester_note() {
  return {"tester", "because"};
}

std::vector<EventId> ids_of(const std::vector<Event>& events) {
  std::vector<EventId> ids;
  for (const Event& event : events) {
    ids.push_back(event.id);
  }
  return ids;
}

std::vector<EventId> ids_of(const std::vector<EventView>& views) {
  std::vector<EventId> ids;
  for (const EventView& view : views) {
    ids.push_back(view.event.id);
  }
  return ids;
}

std::vector<EventId> ids_of(const std::vector<ClaimedDelivery>& claims) {
  std::vector<EventId> ids;
  for (const ClaimedDelivery& claim : claims) {
    ids.push_back(claim.event->id);
  }
  return ids;
}

}  // namespace dispatcher::conformance
