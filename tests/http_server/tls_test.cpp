// Promise: over TLS everything is as it is without, the other side being curl and OpenSSL's own
// client: nobody here wrote them.
#include "http_server/server_fixture.hpp"
#include "http_server/shell.hpp"
#include "http_server/tls_client.hpp"
#include "http_server/tls_files.hpp"

namespace dispatcher::testing {
namespace {

class OverTls : public ServerTest {
 protected:
  OverTls() {
    options.tls_certificate_file = files.certificate();
    options.tls_key_file = files.key();
  }

  // curl's output, with `arguments` before the URL of `path`.
  std::string curl(const std::string& arguments, const std::string& path) {
    if (!server) {
      start();
    }
    return shell("curl -sS --max-time 30 --cacert '" + files.certificate() + "' " + arguments +
                 " '" + server->url() + path + "' 2>&1");
  }

  TlsFiles files;
};

TEST_F(OverTls, curl_verifies_the_certificate_and_speaks_http_1_1_over_tls_1_3) {
  EXPECT_EQ(curl("-w ' %{http_version} %{ssl_verify_result}'", "/health"),
            R"({"status":"healthy"} 1.1 0)");
  EXPECT_NE(curl("-v", "/health").find("TLSv1.3"), std::string::npos);
  EXPECT_EQ(curl("--tls-max 1.2", "/health"), R"({"status":"healthy"})");
  EXPECT_NE(curl("--tls-max 1.1 -o /dev/null -w %{http_code}", "/health").find("000"),
            std::string::npos);
}

TEST_F(OverTls, one_connection_serves_many_requests) {
  start();
  const std::string url = server->url() + "/health";
  EXPECT_EQ(curl("-w ' %{num_connects},' '" + url + "' '" + url + "'", "/health"),
            R"({"status":"healthy"} 1,{"status":"healthy"} 0,{"status":"healthy"} 0,)");
}

TEST_F(OverTls, large_bodies_go_both_ways_whole) {
  EXPECT_EQ(curl("--data-binary @" + files.zeros(1024 * 1024), "/size"), "1048576");
  EXPECT_EQ(curl("-o /dev/null -w %{size_download}", "/large"), "4194304");
  service.pieces = 300;
  service.piece_bytes = 50'000;
  EXPECT_EQ(curl("-o /dev/null -w %{size_download}", "/stream"), "15000000");
}

TEST_F(OverTls, a_refusal_of_a_large_upload_can_be_read) {
  EXPECT_EQ(curl("-o /dev/null -w %{http_code} -H Expect: --data-binary @" +
                     files.zeros(50 * 1024 * 1024),
                 "/size"),
            "413");
}

TEST_F(OverTls, pipelined_requests_in_one_record_and_in_records_of_a_byte_are_answered) {
  start();
  TlsClient client{server->port()};
  ASSERT_TRUE(client.is_connected());
  ASSERT_TRUE(client.send(post("/echo", "first") + post("/echo", "second")));
  EXPECT_NE(client.read_until("first").find("200 OK"), std::string::npos);
  EXPECT_NE(client.read_until("second").find("200 OK"), std::string::npos);
  for (const char c : post("/echo", "third")) {
    ASSERT_TRUE(client.send({&c, 1}));
  }
  EXPECT_NE(client.read_until("third").find("200 OK"), std::string::npos);
}

TEST_F(OverTls, a_handshake_that_does_not_come_is_not_waited_for) {
  options.limits.handshake_time = std::chrono::milliseconds{80};
  RawClient silent = connect();
  EXPECT_EQ(silent.read_to_end(), "");
  RawClient plain = connect();
  plain.send(get("/health"));
  const std::string alert = plain.read_to_end();
  EXPECT_EQ(alert.find("HTTP"), std::string::npos);
  EXPECT_EQ(service.served, 0);
}

TEST_F(OverTls, an_idle_connection_is_ended_by_the_rules) {
  options.limits.idle_time = std::chrono::milliseconds{80};
  start();
  TlsClient client{server->port()};
  ASSERT_TRUE(client.is_connected());
  ASSERT_TRUE(client.send(get("/health")));
  EXPECT_NE(client.read_until("}").find("200 OK"), std::string::npos);
  EXPECT_EQ(client.read_until("never"), "");
  EXPECT_TRUE(client.has_ended_cleanly());
}

TEST_F(OverTls, a_stop_waits_for_no_idle_client_and_no_handshake) {
  RawClient silent = connect();
  TlsClient idle{server->port()};
  ASSERT_TRUE(idle.is_connected());
  wait_for_connections(2);
  server->stop(std::chrono::hours{1});
  EXPECT_EQ(silent.read_to_end(), "");
}

}  // namespace
}  // namespace dispatcher::testing
