// Promise: the server listens where it is told to, says where that is, and what it cannot do it
// says in words that name the setting or the file.
#include "http_server/server_fixture.hpp"

#include "http_server/tls_files.hpp"

namespace dispatcher::testing {
namespace {

class Listen : public ServerTest {
 protected:
  Error refused(const HttpServerOptions& wanted) {
    auto started = HttpServer::start(wanted, service, log);
    EXPECT_TRUE(started.has_error());
    return started.has_error() ? started.error() : Error{};
  }
};

TEST_F(Listen, port_0_is_one_that_is_free_and_known) {
  start();
  EXPECT_NE(server->port(), 0);
  EXPECT_EQ(server->address(), "127.0.0.1:" + std::to_string(server->port()));
  EXPECT_EQ(server->url(), "http://" + server->address());
}

TEST_F(Listen, an_ipv6_address_is_written_with_brackets) {
  options.host = "::1";
  start();
  EXPECT_EQ(server->address(), "[::1]:" + std::to_string(server->port()));
}

TEST_F(Listen, an_address_in_use_is_a_conflict_with_one_loop_and_with_several) {
  for (const std::size_t first : {1U, 2U}) {
    options.loops = first;
    start();
    for (const std::size_t loops : {1U, 2U}) {
      HttpServerOptions second;
      second.port = server->port();
      second.loops = loops;
      const Error error = refused(second);
      EXPECT_EQ(error.kind, ErrorKind::conflict);
      EXPECT_EQ(error.message, "cannot listen on " + server->address() +
                                   ": address already in use (set --listen)");
    }
  }
}

TEST_F(Listen, a_host_that_is_no_address_of_this_machine_is_invalid) {
  for (const char* host : {"not-an-address", "300.1.1.1", "", "[::1]", "192.0.2.1"}) {
    options.host = host;
    const Error error = refused(options);
    EXPECT_EQ(error.kind, ErrorKind::invalid) << host;
    EXPECT_NE(error.message.find("--listen"), std::string::npos) << error.message;
  }
}

TEST_F(Listen, a_port_is_free_again_as_soon_as_the_server_has_stopped) {
  start();
  options.port = server->port();
  RawClient client = connect();
  ASSERT_TRUE(client.send(get("/health")));
  ASSERT_TRUE(client.read_answer());
  server.reset();
  auto again = HttpServer::start(options, service, log);
  EXPECT_TRUE(again.has_value()) << again.error().message;
}

TEST_F(Listen, connections_are_spread_over_the_loops) {
  options.loops = 2;
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(ask(get("/health")).status, 200);
  }
}

TEST_F(Listen, a_certificate_or_key_that_will_not_do_is_named) {
  const TlsFiles files;
  const TlsFiles others;
  const auto message = [&](std::string certificate, std::string key) {
    HttpServerOptions wanted;
    wanted.port = 0;
    wanted.tls_certificate_file = std::move(certificate);
    wanted.tls_key_file = std::move(key);
    const Error error = refused(wanted);
    EXPECT_EQ(error.kind, ErrorKind::invalid);
    return error.message;
  };
  EXPECT_EQ(message("/nowhere/cert.pem", files.key()),
            "cannot load the TLS certificate /nowhere/cert.pem: No such file or directory (set "
            "--tls-cert)");
  EXPECT_EQ(message(files.key(), files.key()),
            "cannot load the TLS certificate " + files.key() +
                ": it is not a PEM certificate (set --tls-cert)");
  EXPECT_EQ(message(files.certificate(), files.certificate()),
            "cannot load the TLS key " + files.certificate() +
                ": it is not a PEM key without a password (set --tls-key)");
  EXPECT_EQ(message(files.certificate(), others.key()),
            "cannot load the TLS key " + others.key() + ": it does not belong to the certificate " +
                files.certificate() + " (set --tls-key)");
  EXPECT_EQ(message(files.certificate(), ""),
            "TLS needs a certificate and its key: set both --tls-cert and --tls-key");
}

}  // namespace
}  // namespace dispatcher::testing
