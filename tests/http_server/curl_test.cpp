// Promise: curl, which nobody here wrote, and the server understand each other.
#include "http_server/server_fixture.hpp"
#include "http_server/shell.hpp"
#include "http_server/tls_files.hpp"

namespace dispatcher::testing {
namespace {

class Curl : public ServerTest {
 protected:
  std::string curl(const std::string& arguments, const std::string& path) {
    if (!server) {
      start();
    }
    return shell("curl -sS --max-time 30 " + arguments + " '" + server->url() + path + "' 2>&1");
  }
};

TEST_F(Curl, gets_posts_and_heads) {
  EXPECT_EQ(curl("", "/health"), R"({"status":"healthy"})");
  EXPECT_EQ(curl("-d 'a body'", "/echo"), "a body");
  EXPECT_NE(curl("-I", "/health").find("content-length: 20"), std::string::npos);
  EXPECT_EQ(curl("--http1.0", "/health"), R"({"status":"healthy"})");
  EXPECT_EQ(curl("--globoff", "/what?q=[x]").substr(0, 17), "GET [/what] [q=[x");
}

TEST_F(Curl, sends_chunks_and_reads_streams) {
  EXPECT_EQ(curl("-H 'Transfer-Encoding: chunked' -d 'a body'", "/echo"), "a body");
  service.pieces = 1'000;
  service.piece_bytes = 1'000;
  EXPECT_EQ(curl("-o /dev/null -w '%{http_code} %{size_download}'", "/stream"), "200 1000000");
  EXPECT_NE(curl("-o /dev/null", "/cut-stream").find("curl: ("), std::string::npos);
}

TEST_F(Curl, waits_for_the_go_ahead_of_a_large_upload) {
  const TlsFiles files;
  EXPECT_EQ(curl("-H 'Expect: 100-continue' --expect100-timeout 30 --data-binary @" +
                     files.zeros(1024 * 1024),
                 "/size"),
            "1048576");
}

TEST_F(Curl, reads_the_413_of_100_mb_with_and_without_asking_first) {
  const TlsFiles files;
  const std::string file = files.zeros(100 * 1024 * 1024);
  EXPECT_EQ(curl("-o /dev/null -w %{http_code} -H Expect: --data-binary @" + file, "/size"), "413");
  EXPECT_EQ(curl("-o /dev/null -w %{http_code} -H 'Expect: 100-continue' --data-binary @" + file,
                 "/size"),
            "413");
  EXPECT_EQ(curl("-o /dev/null -w %{http_code} -H Expect: -H 'Transfer-Encoding: chunked' "
                 "--data-binary @" +
                     file,
                 "/size"),
            "413");
}

TEST_F(Curl, keeps_its_connection_over_errors) {
  start();
  const std::string url = server->url();
  EXPECT_EQ(
      curl("-o /dev/null -o /dev/null -o /dev/null -w '%{http_code} %{num_connects},' -d x '" +
               url + "/refused' '" + url + "/unknown'",
           "/throw"),
      "401 1,404 0,500 0,");
}

}  // namespace
}  // namespace dispatcher::testing
