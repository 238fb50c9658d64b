// Promises: each call of a sampled run is one subsegment of Lambda's segment, in one datagram that
// X-Ray's daemon understands; nothing is sent for a run that is not sampled, nothing waits for a
// daemon that is not there, and no webhook's path is in what is sent.
#include "adapters/aws/traced_http.hpp"
#include "adapters/aws/xray_document.hpp"
#include "adapters/aws/xray_tracer.hpp"

#include "aws/world.hpp"

#include <boost/asio/ip/udp.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace dispatcher {
namespace {

using namespace test;
using boost::asio::ip::udp;
namespace json = boost::json;

// What a datagram holds behind its header's line.
json::object document_in(const std::string& datagram) {
  const auto end = datagram.find('\n');
  EXPECT_EQ(datagram.substr(0, end), R"({"format":"json","version":1})");
  return json::parse(datagram.substr(end + 1)).as_object();
}

// Equal, whatever the order of the keys.
void expect_json(const json::value& value, std::string_view expected) {
  EXPECT_EQ(value, json::parse({expected.data(), expected.size()})) << json::serialize(value);
}

class XrayDocumentTest : public testing::Test {
 protected:
  XrayDocumentTest() {
    span.context = parse_xray_header(kTraceHeader);
    span.parent_id = span.context->span_id;
    span.context->span_id = 0x0123456789abcdefULL;
    span.started_at = *parse_timestamp("2026-01-01T00:00:00.25Z");
  }
  json::object document() {
    return document_in(xray_datagram(span, report, span.started_at + milliseconds{500}));
  }

  Span span;
  SpanReport report;
};

TEST_F(XrayDocumentTest, an_attempt) {
  report.name = "hooks.example.com";
  report.method = "POST";
  report.url = "https://hooks.example.com";
  report.status = 200;
  report.attempt = 3;
  report.event_id = "the-event";
  report.endpoint_id = "secret-12345678";
  expect_json(document(), R"({
    "id":"0123456789abcdef","trace_id":"1-5759e988-bd862e3fe1be46a994272793",
    "parent_id":"53995c3f42cd8ad8","type":"subsegment","name":"hooks.example.com",
    "namespace":"remote","start_time":1767225600.25,"end_time":1767225600.75,
    "http":{"request":{"method":"POST","url":"https://hooks.example.com"},
            "response":{"status":200}},
    "annotations":{"event_id":"the-event","endpoint_id":"secret-12345678","attempt":3,"retry":2}})");
}

TEST_F(XrayDocumentTest, an_aws_call) {
  report.kind = SpanKind::aws_call;
  report.name = "DynamoDB";
  report.operation = "Query";
  report.region = "us-east-2";
  report.request_id = "REQ";
  report.status = 200;
  report.attempt = 2;
  const auto found = document();
  EXPECT_EQ(found.at("namespace"), "aws");
  expect_json(found.at("aws"),
              R"({"operation":"Query","region":"us-east-2","request_id":"REQ","retries":1})");
  expect_json(found.at("http"), R"({"response":{"status":200}})");
  EXPECT_FALSE(found.contains("annotations"));
}

TEST_F(XrayDocumentTest, what_went_wrong_is_told_apart) {
  struct Case {
    std::optional<int> status;
    std::string error;
    bool is_error;
    bool is_throttle;
    bool is_fault;
  };
  for (const Case& one : std::vector<Case>{
           {200, "", false, false, false},
           {302, "", false, false, false},
           {404, "", true, false, false},
           {429, "", true, true, false},
           {500, "", false, false, true},
           {std::nullopt, "timeout: connecting", false, false, true},
       }) {
    report.status = one.status;
    report.error = one.error;
    const auto found = document();
    EXPECT_EQ(found.contains("error"), one.is_error) << one.status.value_or(0);
    EXPECT_EQ(found.contains("throttle"), one.is_throttle) << one.status.value_or(0);
    EXPECT_EQ(found.contains("fault"), one.is_fault) << one.status.value_or(0);
    EXPECT_EQ(found.contains("cause"), !one.error.empty());
  }
  expect_json(document().at("cause"), R"({"exceptions":[{"id":"fedcba9876543210","type":"timeout",)"
                                      R"("message":"timeout: connecting"}]})");
}

TEST_F(XrayDocumentTest, long_and_strange_texts_are_cut_and_cleaned) {
  report.name = "[::1]\n\"" + std::string(300, 'x');
  report.url = std::string(100'000, 'u');
  report.error = std::string(999, 'e') + "éééé";
  const std::string datagram = xray_datagram(span, report, span.started_at);
  EXPECT_LT(datagram.size(), 5'000U);
  EXPECT_EQ(document().at("name").as_string().subview(0, 8), "_::1___x");
  EXPECT_EQ(document().at("name").as_string().size(), 200U);
}

TEST(parse_xray_address, the_forms_of_the_variable) {
  const auto text = [](std::string_view given) {
    const auto parsed = parse_xray_address(given);
    if (!parsed) {
      return parsed.error().message;
    }
    return parsed->address().to_string() + " " + std::to_string(parsed->port());
  };
  EXPECT_EQ(text("169.254.79.129:2000"), "169.254.79.129 2000");
  EXPECT_EQ(text("localhost:2001"), "127.0.0.1 2001");
  EXPECT_EQ(text("[::1]:2000"), "::1 2000");
  EXPECT_EQ(text("tcp:127.0.0.1:2000 udp:127.0.0.2:2001"), "127.0.0.2 2001");
  for (const std::string_view wrong : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0",
                                       "127.0.0.1:65536", "daemon:2000", "127.0.0.1:20x"}) {
    EXPECT_EQ(text(wrong).find("AWS_XRAY_DAEMON_ADDRESS: "), 0U) << wrong;
  }
}

// A daemon on loopback.
class XrayTracerTest : public testing::Test {
 protected:
  XrayTracerTest() { daemon.non_blocking(true); }

  // What has come; loopback delivers before `sendto` returns.
  std::vector<json::object> received() {
    std::vector<json::object> documents;
    std::array<char, 65'536> buffer{};
    boost::system::error_code error;
    while (true) {
      const auto size = daemon.receive(boost::asio::buffer(buffer), 0, error);
      if (error) {
        return documents;
      }
      documents.push_back(document_in(std::string{buffer.data(), size}));
    }
  }

  boost::asio::io_context loop;
  udp::socket daemon{loop, udp::endpoint{boost::asio::ip::address_v4::loopback(), 0}};
  ManualClock clock;
  fakes::SimRandom random{1};
  XrayTracer tracer{clock, random, daemon.local_endpoint()};
};

TEST_F(XrayTracerTest, every_span_of_a_sampled_run_is_sent_under_its_parent) {
  tracer.begin_run(kTraceHeader);
  const Span first = tracer.start();
  const Span second = tracer.start();
  clock.advance(milliseconds{5});
  SpanReport report;
  report.name = "one";
  tracer.finish(first, report);
  report.name = "two";
  tracer.finish(second, report);
  const auto documents = received();
  ASSERT_EQ(documents.size(), 2U);
  EXPECT_EQ(documents[0].at("name"), "one");
  EXPECT_EQ(documents[0].at("parent_id"), "53995c3f42cd8ad8");
  EXPECT_EQ(documents[0].at("id").as_string(), span_id_text(first.context->span_id));
  EXPECT_NE(documents[0].at("id"), documents[1].at("id"));
  EXPECT_EQ(tracer.spans_dropped(), 0U);
}

TEST_F(XrayTracerTest, a_run_that_is_not_sampled_sends_nothing_but_names_its_trace) {
  tracer.begin_run("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0");
  const Span span = tracer.start();
  EXPECT_FALSE(span.is_recorded());
  tracer.finish(span, {});
  EXPECT_TRUE(received().empty());
  const auto headers = trace_headers(span);
  ASSERT_EQ(headers.size(), 2U);
  EXPECT_EQ(headers[1].value, "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=" +
                                  span_id_text(span.context->span_id) + ";Sampled=0");
}

TEST_F(XrayTracerTest, without_a_trace_there_is_nothing) {
  for (const std::string_view header : {"", "Root=none", "Sampled=1"}) {
    tracer.begin_run(header);
    const Span span = tracer.start();
    EXPECT_FALSE(span.context);
    tracer.finish(span, {});
    EXPECT_TRUE(trace_headers(span).empty());
  }
  EXPECT_TRUE(received().empty());
}

TEST_F(XrayTracerTest, a_segment_that_nobody_named_has_no_parts) {
  tracer.begin_run("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1");
  tracer.finish(tracer.start(), {});
  EXPECT_TRUE(received().empty());
}

TEST_F(XrayTracerTest, a_daemon_that_is_not_there_costs_nothing) {
  daemon.close();
  tracer.begin_run(kTraceHeader);
  for (int i = 0; i < 100; ++i) {
    tracer.finish(tracer.start(), {});
  }
  XrayTracer without{clock, random, std::nullopt};
  without.begin_run(kTraceHeader);
  const Span span = without.start();
  without.finish(span, {});
  EXPECT_EQ(trace_headers(span).size(), 2U);
}

TEST_F(XrayTracerTest, a_run_sends_no_more_than_a_trace_may_hold) {
  tracer.begin_run(kTraceHeader);
  std::size_t sent = 0;
  SpanReport report;
  report.error = std::string(1'000, 'e');
  for (int i = 0; i < 1'000; ++i) {
    tracer.finish(tracer.start(), report);
    sent += received().size();
  }
  EXPECT_GT(sent, 100U);
  EXPECT_EQ(sent + tracer.spans_dropped(), 1'000U);
  EXPECT_GT(tracer.spans_dropped(), 0U);
  tracer.begin_run(kTraceHeader);
  EXPECT_EQ(tracer.spans_dropped(), 0U);
  tracer.finish(tracer.start(), report);
  EXPECT_EQ(received().size(), 1U);
}

class TracedHttpTest : public testing::Test {
 protected:
  TracedHttpTest() {
    http.answer = [this](const HttpRequest&) { return next; };
    request.url = *parse_webhook_url("https://hooks.example.com/hunter2?x=hunter2");
    request.headers = {{"webhook-id", "the-event"}};
    request.pool = "secret-12345678";
    request.attempt = 2;
  }
  HttpRequest sent() {
    (void)await(traced.send(request));
    return http.requests.back();
  }

  ScriptedHttp http;
  RecordingTracer tracer;
  TracedHttp traced{http, tracer};
  Exchange next = answered(503, "");
  HttpRequest request;
};

TEST_F(TracedHttpTest, an_attempt_is_reported_and_tells_the_receiver_its_trace) {
  tracer.begin_run(kTraceHeader);
  const HttpRequest out = sent();
  EXPECT_EQ(header_of(out, "traceparent"),
            "00-5759e988bd862e3fe1be46a994272793-0000000000000001-01");
  EXPECT_EQ(header_of(out, "X-Amzn-Trace-Id"),
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=0000000000000001;Sampled=1");
  ASSERT_EQ(tracer.reports.size(), 1U);
  const SpanReport& report = tracer.reports[0];
  EXPECT_EQ(report.kind, SpanKind::attempt);
  EXPECT_EQ(report.name, "hooks.example.com");
  EXPECT_EQ(report.method, "POST");
  EXPECT_EQ(report.url, "https://hooks.example.com");  // its path is a secret
  EXPECT_EQ(report.status, 503);
  EXPECT_EQ(report.attempt, 2);
  EXPECT_EQ(report.event_id, "the-event");
  EXPECT_EQ(report.endpoint_id, "secret-12345678");
}

TEST_F(TracedHttpTest, a_call_of_the_api_has_its_path_without_the_query) {
  tracer.begin_run(kTraceHeader);
  request.is_webhook = false;
  request.method = "GET";
  request.url = *parse_webhook_url("https://api.example.com/inbox?limit=100");
  next = failed(FailureKind::timeout);
  (void)sent();
  const SpanReport& report = tracer.reports.at(0);
  EXPECT_EQ(report.kind, SpanKind::api_call);
  EXPECT_EQ(report.url, "https://api.example.com/inbox");
  EXPECT_EQ(report.error, "timeout: as the test says");
  EXPECT_FALSE(report.status);
  EXPECT_EQ(report.event_id, "");
}

TEST_F(TracedHttpTest, a_header_that_the_endpoint_sets_itself_stays) {
  tracer.begin_run(kTraceHeader);
  request.headers.push_back({"Traceparent", "its-own"});
  const HttpRequest out = sent();
  EXPECT_EQ(header_of(out, "traceparent"), "");
  EXPECT_NE(header_of(out, "X-Amzn-Trace-Id"), "");
}

TEST_F(TracedHttpTest, without_a_trace_the_request_is_as_it_was) {
  EXPECT_EQ(sent().headers.size(), 1U);
  EXPECT_TRUE(tracer.reports.empty());
}

}  // namespace
}  // namespace dispatcher
