// What the tests of the client share: a loop, a client on it, certificates, requests.
#pragma once

#include "adapters/https/certificate.hpp"
#include "adapters/https/https_client.hpp"
#include "https/imposter.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace dispatcher::test {

class SteadyClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall() const override {
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  }
  [[nodiscard]] MonoTime monotonic() const override { return std::chrono::steady_clock::now(); }
};

class TempDirectory {
 public:
  TempDirectory();
  ~TempDirectory();
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Made once for the whole program: for localhost, 127.0.0.1 and ::1.
[[nodiscard]] const ServerTls& local_tls();

// Trusts `local_tls`, and may send webhooks to loopback.
[[nodiscard]] HttpsOptions local_options();

struct World {
  explicit World(HttpsOptions options = local_options());

  // Runs the loop until all have ended.
  std::vector<Exchange> send_all(std::vector<HttpRequest> requests);
  Exchange send(HttpRequest request);
  // The request starts when the loop next runs.
  void start(HttpRequest request, Exchange& into);

  SteadyClock clock;
  boost::asio::io_context loop;
  std::unique_ptr<HttpsClient> client;
  int under_way = 0;
};

// A POST of a small body, to be done within 5 s.
[[nodiscard]] HttpRequest post(const std::string& url);
[[nodiscard]] HttpRequest post_within(const std::string& url, std::chrono::milliseconds time);
[[nodiscard]] std::string https_url(const Imposter& imposter,
                                    const std::string& host = "127.0.0.1");
[[nodiscard]] std::string http_url(const Imposter& imposter, const std::string& host = "127.0.0.1");

// The failure's text, or `status 200`.
[[nodiscard]] std::string outcome(const Exchange& exchange);

}  // namespace dispatcher::test
