// Promises checked: an event's JSON and the three bodies of a delivery, byte for byte; the payload
// inside is the text ingested. Routing filters match exactly or by prefix.
#include "model/body.hpp"
#include "model/endpoint.hpp"
#include "model/event.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace dispatcher {
namespace {

Event an_event() {
  Event event;
  event.id = *parse_uuid("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
  event.type = "order.\"created\"";
  event.source = "shop\n€";
  event.payload = R"({ "b" : 1.0,"a":1e3, "n":123456789012345678901234567890,"s":"\u20ac\/" })";
  event.created_at = *parse_timestamp("2026-01-02T03:04:05.006007Z");
  return event;
}

TEST(EventJson, at_ingest_nothing_is_known_yet) {
  std::string out = "[";
  append_event_json(out, an_event(), progress_at_ingest(an_event()));
  EXPECT_EQ(out,
            R"([{"id":"017f22e2-79b0-7cc3-98c4-dc0c0c07398f","type":"order.\"created\"",)"
            R"("source":"shop\n€","payload":{ "b" : 1.0,"a":1e3, )"
            R"("n":123456789012345678901234567890,"s":"\u20ac\/" },"status":"pending",)"
            R"("created_at":"2026-01-02T03:04:05.006007Z",)"
            R"("updated_at":"2026-01-02T03:04:05.006007Z","delivery_attempts":0,)"
            R"("last_delivery_attempt":null,"delivery_latency_ms":null,"error_message":null})");
}

TEST(EventJson, later_it_has_what_became_of_it) {
  EventProgress progress;
  progress.status = EventStatus::delivered;
  progress.updated_at = *parse_timestamp("2026-01-02T03:04:06Z");
  progress.delivery_attempts = 3;
  progress.last_delivery_attempt = *parse_timestamp("2026-01-02T03:04:05.5Z");
  progress.delivery_latency_ms = 993;
  progress.error_message = "status: 503";
  Event event = an_event();
  event.type = "";
  event.source = "";
  event.payload = "{}";
  std::string out;
  append_event_json(out, event, progress);
  EXPECT_EQ(out,
            R"({"id":"017f22e2-79b0-7cc3-98c4-dc0c0c07398f","type":"","source":"","payload":{},)"
            R"("status":"delivered","created_at":"2026-01-02T03:04:05.006007Z",)"
            R"("updated_at":"2026-01-02T03:04:06.000000Z","delivery_attempts":3,)"
            R"("last_delivery_attempt":"2026-01-02T03:04:05.500000Z","delivery_latency_ms":993,)"
            R"("error_message":"status: 503"})");
}

TEST(EventJson, statuses_have_the_names_of_the_wire_contract) {
  for (const auto status : {EventStatus::pending, EventStatus::delivered, EventStatus::failed}) {
    EXPECT_EQ(parse_event_status(to_string(status)), status);
  }
  EXPECT_EQ(to_string(EventStatus::pending), "pending");
  EXPECT_EQ(to_string(EventStatus::delivered), "delivered");
  EXPECT_EQ(to_string(EventStatus::failed), "failed");
  EXPECT_FALSE(parse_event_status("PENDING"));
  EXPECT_FALSE(parse_event_status(""));
}

TEST(Body, event_is_the_object_of_the_inbox_at_ingest) {
  std::string object;
  append_event_json(object, an_event(), progress_at_ingest(an_event()));
  EXPECT_EQ(webhook_body(an_event(), BodyFormat::event), object);
}

TEST(Body, payload_is_the_text_ingested) {
  EXPECT_EQ(webhook_body(an_event(), BodyFormat::payload), an_event().payload);
}

TEST(Body, standard_is_that_of_standard_webhooks) {
  EXPECT_EQ(webhook_body(an_event(), BodyFormat::standard),
            R"({"type":"order.\"created\"","timestamp":"2026-01-02T03:04:05.006007Z",)"
            R"("data":{ "b" : 1.0,"a":1e3, "n":123456789012345678901234567890,)"
            R"("s":"\u20ac\/" }})");
}

TEST(Routing, a_filter_matches_exactly_or_by_a_prefix_that_ends_in_a_star) {
  struct Case {
    std::vector<std::string> types;
    std::vector<std::string> sources;
    std::string_view type;
    std::string_view source;
    bool matches;
  };
  const std::vector<Case> cases{
      {{"*"}, {"*"}, "order.created", "shop", true},
      {{"*"}, {"*"}, "", "", true},
      {{"order.created"}, {"*"}, "order.created", "shop", true},
      {{"order.created"}, {"*"}, "order.createdX", "shop", false},
      {{"order.created"}, {"*"}, "order.create", "shop", false},
      {{"order.created"}, {"*"}, "Order.created", "shop", false},
      {{"order.*"}, {"*"}, "order.created", "shop", true},
      {{"order.*"}, {"*"}, "order.", "shop", true},
      {{"order.*"}, {"*"}, "order", "shop", false},
      {{"order.*"}, {"*"}, "orders.created", "shop", false},
      {{"a", "b.*"}, {"*"}, "b.c", "shop", true},
      {{"a", "b.*"}, {"*"}, "c", "shop", false},
      {{"*"}, {"shop"}, "a", "shop", true},
      {{"*"}, {"shop"}, "a", "till", false},
      {{"a"}, {"shop*"}, "a", "shop-2", true},
      {{"a"}, {"shop*"}, "b", "shop-2", false},
      {{"a*b"}, {"*"}, "axb", "shop", false},  // a star elsewhere is a character
      {{"a*b"}, {"*"}, "a*b", "shop", true},
      {{"**"}, {"*"}, "*x", "shop", true},
      {{"**"}, {"*"}, "x", "shop", false},
      {{""}, {"*"}, "", "shop", true},
      {{""}, {"*"}, "a", "shop", false},
      {{}, {"*"}, "a", "shop", false},
      {{"*"}, {}, "a", "shop", false},
  };
  for (const Case& c : cases) {
    const EventFilter filter{c.types, c.sources};
    EXPECT_EQ(filter.matches(c.type, c.source), c.matches)
        << (c.types.empty() ? "-" : c.types[0]) << " " << c.type << " " << c.source;
  }
}

TEST(Endpoints, the_id_of_one_from_the_secret_is_made_from_its_url) {
  EXPECT_EQ(secret_endpoint_id("https://hooks.example/1").size(), 15U);
  EXPECT_TRUE(secret_endpoint_id("https://hooks.example/1").starts_with("secret-"));
  EXPECT_EQ(secret_endpoint_id(""), "secret-e3b0c442");
  EXPECT_EQ(secret_endpoint_id("abc"), "secret-ba7816bf");
}

TEST(Endpoints, states_and_formats_have_the_names_of_the_wire_contract) {
  EXPECT_EQ(to_string(EndpointState::active), "active");
  EXPECT_EQ(to_string(EndpointState::paused), "paused");
  EXPECT_EQ(to_string(EndpointState::disabled), "disabled");
  EXPECT_EQ(to_string(BodyFormat::event), "event");
  EXPECT_EQ(to_string(BodyFormat::payload), "payload");
  EXPECT_EQ(to_string(BodyFormat::standard), "standard");
}

TEST(Exchange, a_header_is_found_in_any_case_and_the_first_counts) {
  const Answer answer{200, {{"Retry-After", "1"}, {"retry-after", "2"}, {"Empty", ""}}, ""};
  EXPECT_EQ(answer.header("RETRY-AFTER"), "1");
  EXPECT_EQ(answer.header("empty"), "");
  EXPECT_FALSE(answer.header("retry"));
}

}  // namespace
}  // namespace dispatcher
