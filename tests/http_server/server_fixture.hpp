// A real server on loopback with the test service, and the log that it writes.
#pragma once

#include "adapters/http_server/http_server.hpp"
#include "http_server/raw_client.hpp"
#include "http_server/test_service.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace dispatcher::testing {

// Sanitizers have memory of their own, and look for what is left behind.
inline constexpr bool kIsSanitized =
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    true;
#else
    false;
#endif

class ServerTest : public ::testing::Test {
  std::mutex log_mutex_;  // before the server, which logs to the end
  std::vector<std::string> log_lines_;

 protected:
  ~ServerTest() override {
    service.release();  // what is held would wait for the end of the grace
  }

  // With what `options` says by then.
  void start() {
    options.port = 0;
    auto started = HttpServer::start(options, service, log);
    ASSERT_TRUE(started.has_value()) << started.error().message;
    server = *std::move(started);
  }

  RawClient connect(int receive_buffer_bytes = 0) {
    if (!server) {
      start();
    }
    return RawClient{server->port(), receive_buffer_bytes};
  }

  // One request on a connection of its own.
  RawAnswer ask(std::string_view request) {
    RawClient client = connect();
    client.send(request);
    auto answer = client.read_answer();
    EXPECT_TRUE(answer.has_value()) << "no answer to " << request.substr(0, 200);
    return answer.value_or(RawAnswer{});
  }

  // Returns when the server has so many connections: it hears of an end when its loop gets to it.
  void wait_for_connections(std::size_t count) const {
    while (server->open_connections() != count) {
      std::this_thread::yield();
    }
  }

  std::vector<std::string> log_lines() {
    const std::scoped_lock lock{log_mutex_};
    return log_lines_;
  }

  TestService service;
  HttpServerOptions options;
  Log log{LogLevel::debug, LogFormat::text, [this](std::string_view line) {
            const std::scoped_lock lock{log_mutex_};
            log_lines_.emplace_back(line);
          }};
  std::unique_ptr<HttpServer> server;
};

// A request without a body.
inline std::string get(std::string_view path, std::string_view more_headers = "") {
  return "GET " + std::string{path} + " HTTP/1.1\r\nHost: localhost\r\n" +
         std::string{more_headers} + "\r\n";
}

inline std::string post(std::string_view path, std::string_view body,
                        std::string_view more_headers = "") {
  return "POST " + std::string{path} +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string{more_headers} + "\r\n" + std::string{body};
}

}  // namespace dispatcher::testing
