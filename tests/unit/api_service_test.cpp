// Promise: every request is answered in the contract's words before its body is read if it can be,
// and nothing that the store or a client does makes an answer of 500.
#include "api_fixture.hpp"

#include <set>

namespace dispatcher {
namespace {

constexpr std::string_view kId = "01890a5d-ac96-774b-bcce-b302099a8057";

class ApiService : public ApiFixture {};

TEST_F(ApiService, unknown_paths_methods_and_callers_are_refused_before_the_body) {
  const auto refusal = [&](std::string method, std::string path, bool with_token) {
    const auto answer =
        service.refuse_early(head_of(std::move(method), std::move(path), with_token));
    return answer ? std::to_string(answer->status) + answer->body : "admitted";
  };
  EXPECT_EQ(refusal("GET", "/nothing", false), R"(404{"detail":"Not Found"})");
  EXPECT_EQ(refusal("PUT", "/events", false), R"(405{"detail":"Method Not Allowed"})");
  EXPECT_EQ(refusal("POST", "/events", false), R"(401{"detail":"Not authenticated"})");
  EXPECT_EQ(refusal("POST", "/events", true), "admitted");
  EXPECT_EQ(refusal("GET", "/health", false), "admitted");
  EXPECT_EQ(refusal("GET", "*", false), R"(404{"detail":"Not Found"})");
  EXPECT_EQ(refusal("GET", "", false), R"(404{"detail":"Not Found"})");
}

TEST_F(ApiService, a_wrong_method_names_all_methods_of_the_path) {
  EXPECT_EQ(header_of(*service.refuse_early(head_of("PUT", "/events")), "allow"), "GET, POST");
  EXPECT_EQ(header_of(*service.refuse_early(head_of("HEAD", "/")), "allow"), "GET");
  EXPECT_EQ(header_of(*service.refuse_early(head_of("PUT", "/events/export")), "allow"),
            "DELETE, GET");
}

TEST_F(ApiService, a_slash_at_the_end_leads_to_the_path_without_it) {
  const auto answer = service.refuse_early(head_of("GET", "/inbox/?limit=5", false));
  EXPECT_EQ(answer->status, 307);
  EXPECT_EQ(header_of(*answer, "location"), "/inbox?limit=5");
  EXPECT_EQ(service.refuse_early(head_of("GET", "//"))->status, 404);
  EXPECT_EQ(service.refuse_early(head_of("GET", "//evil.example/"))->status, 404);
  EXPECT_EQ(service.refuse_early(head_of("GET", "/nothing/"))->status, 404);
}

TEST_F(ApiService, a_preflight_needs_no_token_and_gets_what_it_asked_for) {
  RequestHead head = head_of("OPTIONS", "/events", false);
  EXPECT_EQ(service.refuse_early(head)->status, 405);
  head.headers.push_back({"Origin", "https://example.org"});
  head.headers.push_back({"Access-Control-Request-Method", "POST"});
  head.headers.push_back({"Access-Control-Request-Headers", "authorization,x-anything"});
  const auto answer = service.refuse_early(head);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(header_of(*answer, "access-control-allow-origin"), "*");
  EXPECT_EQ(header_of(*answer, "access-control-allow-methods"), "GET, POST");
  EXPECT_EQ(header_of(*answer, "access-control-allow-headers"), "authorization,x-anything");
}

TEST_F(ApiService, an_encoded_slash_separates_and_other_escapes_are_part_of_the_id) {
  EXPECT_EQ(serve(head_of("GET", "/events/a%20%22b")).body,
            R"({"detail":"Event with ID a \"b not found"})");
  EXPECT_EQ(service.refuse_early(head_of("GET", "/events/a%2Fb"))->status, 404);
  EXPECT_EQ(serve(head_of("DELETE", "/events/export")).body,
            R"({"detail":"Event with ID export not found"})");
}

// A body that each route takes.
std::string body_for(const Route& route, const std::string& id) {
  if (route.path == "/inbox/renew" || route.path == "/inbox/ack") {
    return R"({"ids":[")" + id + R"("],"lease_seconds":5})";
  }
  if (route.path == "/events/batch") {
    return R"([{"type":"a","source":"b","payload":{}}])";
  }
  if (route.path == "/endpoints") {
    return R"({"url":"https://a.test/x"})";
  }
  if (route.path == "/replay" || route.path == "/discard") {
    return R"({"filter":{"state":"review"}})";
  }
  if (route.path.find("{id}") != std::string_view::npos) {
    return "{}";
  }
  return R"({"type":"a","source":"b","payload":{},"event_type":"c"})";
}

TEST_F(ApiService, what_the_store_cannot_do_is_a_503_to_every_route_that_needs_it) {
  const std::string id{kId};
  load_key();
  for (const auto kind : {ErrorKind::overloaded, ErrorKind::retry_later, ErrorKind::stopped,
                          ErrorKind::refused, ErrorKind::invalid}) {
    store.failure = kind;
    for (const Route& route : route_table()) {
      if (route.path == "/endpoints" && route.method == "POST" && kind == ErrorKind::refused) {
        continue;  // there are as many as there can be: a 409
      }
      if (route.path == "/inbox/{id}/nack" && kind == ErrorKind::refused) {
        continue;  // it is not leased under that token: a 409
      }
      std::string path{route.path};
      if (const auto hole = path.find("{id}"); hole != std::string::npos) {
        path.replace(hole, 4, id);
      }
      RequestHead head = head_of(std::string{route.method}, path);
      head.headers.push_back({"x-lease-token", "t"});
      const bool needs_store = route.path != "/" && route.path != "/health" &&
                               route.path != "/config" && route.path != "/token" &&
                               route.path != "/inbox/ack";
      const ServerAnswer answer = serve(std::move(head), body_for(route, id));
      EXPECT_LT(answer.status == 503 ? 0 : answer.status, 500) << route.path;
      EXPECT_EQ(answer.status == 503, needs_store) << route.method << " " << route.path;
      EXPECT_EQ(answer.body.find("secret/path"), std::string::npos) << answer.body;
      if (needs_store) {
        EXPECT_EQ(header_of(answer, "retry-after"), "1");
      }
    }
  }
}

TEST_F(ApiService, what_the_store_does_not_find_or_lend_is_told_by_id) {
  const std::string id{kId};
  store.failure = ErrorKind::not_found;
  EXPECT_EQ(serve(head_of("POST", "/inbox/" + id + "/ack")).body,
            R"({"detail":"Event with ID )" + id + R"( not found"})");
  store.failure = ErrorKind::conflict;
  const ServerAnswer held = serve(head_of("POST", "/inbox/" + id + "/ack"));
  EXPECT_EQ(held.status, 409);
  EXPECT_EQ(held.body, R"({"detail":"Lease of event )" + id + R"( is held by another consumer"})");
  EXPECT_EQ(
      serve(head_of("POST", "/inbox/ack"), R"({"ids":[")" + id + R"(","x"]})").body,
      R"({"items":[{"id":")" + id + R"(","detail":"Lease of event )" + id +
          R"( is held by another consumer"},{"id":"x","detail":"Event with ID x not found"}]})");
}

TEST_F(ApiService, an_idempotency_key_used_with_another_body_is_a_422) {
  RequestHead head = head_of("POST", "/events");
  head.headers.push_back({"Idempotency-Key", "k"});
  store.failure = ErrorKind::conflict;
  const ServerAnswer answer = serve(std::move(head), R"({"type":"a","source":"b","payload":{}})");
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(answer.body,
            R"({"detail":[{"type":"idempotency_conflict","loc":["header","idempotency-key"],)"
            R"("msg":"Idempotency-Key was already used with another body","input":"k"}]})");
  EXPECT_EQ(store.appended.idempotency->key, "k");
}

TEST_F(ApiService, a_payload_is_stored_byte_for_byte) {
  const std::string payload = "{ \"b\" : 1.0,\t\"a\":1e3, \"a\":12345678901234567890123 }";
  const ServerAnswer answer =
      serve(head_of("POST", "/events"),
            R"({"payload": )" + payload + R"( ,"type":"\u0061","source":""})");
  EXPECT_EQ(answer.status, 201);
  ASSERT_EQ(store.appended.events.size(), 1U);
  EXPECT_EQ(store.appended.events[0].payload, payload);
  EXPECT_EQ(store.appended.events[0].type, "a");
  EXPECT_EQ(store.appended.events[0].source, "");
}

TEST_F(ApiService, a_new_secret_ends_the_old_ones_tokens) {
  const RequestHead head = head_of("GET", "/inbox");
  EXPECT_FALSE(service.refuse_early(head).has_value());
  SecretBundle next = secrets();
  next.jwt_secrets = {"rotated"};
  service.set_secrets(next);
  EXPECT_EQ(service.refuse_early(head)->status, 401);
}

TEST_F(ApiService, answers_are_counted_and_shed_ones_apart) {
  store.failure = ErrorKind::overloaded;
  (void)serve(head_of("GET", "/inbox"));
  (void)serve(head_of("GET", "/health"));
  EXPECT_EQ(metrics.count(Metric::http_requests), 2);
  EXPECT_EQ(metrics.count(Metric::http_requests_shed), 1);
}

TEST_F(ApiService, an_export_that_the_store_fails_is_marked_as_cut_short) {
  ServerAnswer answer = serve(head_of("GET", "/events/export"));
  ASSERT_NE(answer.stream, nullptr);
  store.failure = ErrorKind::retry_later;
  boost::asio::io_context loop;
  std::string text;
  bool has_ended = false;
  while (!has_ended) {
    boost::asio::co_spawn(loop, answer.stream->next(),
                          [&](const std::exception_ptr&, std::optional<std::string> piece) {
                            text += piece.value_or("");
                            has_ended = !piece;
                          });
    loop.run();
    loop.restart();
  }
  EXPECT_EQ(text, "[");
  EXPECT_TRUE(answer.stream->is_cut_short());
}

TEST(Routes, each_is_listed_once_and_said_in_a_line) {
  std::set<std::string> seen;
  for (const Route& route : route_table()) {
    EXPECT_TRUE(seen.insert(std::string{route.method} + " " + std::string{route.path}).second);
    EXPECT_FALSE(route.doc.empty());
    EXPECT_NE(route.handler, nullptr);
  }
}

}  // namespace
}  // namespace dispatcher
