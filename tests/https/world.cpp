#include "https/world.hpp"

#include "base/check.hpp"

#include <boost/asio/co_spawn.hpp>

#include <stdlib.h>

#include <filesystem>

namespace dispatcher::test {

TempDirectory::TempDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "https-tests-XXXXXX").string();
  DISPATCHER_CHECK(::mkdtemp(name.data()) != nullptr);
  path_ = name;
}

TempDirectory::~TempDirectory() {
  std::error_code ignored;  // what is left in the temporary directory harms nobody
  std::filesystem::remove_all(path_, ignored);
}

const ServerTls& local_tls() {
  static const TempDirectory directory;
  static const ServerTls tls = [] {
    // In place of the system's bundle, which is slow to load and another on each machine: one that
    // trusts nobody we meet.
    const auto nobody =
        make_certificate(directory.path() + "/nobody", SteadyClock{}.wall(), {"nobody.example"});
    DISPATCHER_CHECK(nobody.has_value());
    ::setenv("SSL_CERT_FILE", nobody->certificate.c_str(), 1);
    const auto files = make_certificate(directory.path(), SteadyClock{}.wall());
    DISPATCHER_CHECK(files.has_value());
    ServerTls made;
    made.certificate = files->certificate;
    made.key = files->key;
    return made;
  }();
  return tls;
}

HttpsOptions local_options() {
  HttpsOptions options;
  options.ca_files = {local_tls().certificate};
  options.allow_targets =
      parse_allow_targets("https://127.0.0.0/8,http://127.0.0.0/8,https://::1,http://::1").value();
  return options;
}

World::World(HttpsOptions options) {
  auto made = HttpsClient::make(loop.get_executor(), clock, std::move(options));
  DISPATCHER_CHECK(made.has_value());
  client = std::move(*made);
}

void World::start(HttpRequest request, Exchange& into) {
  ++under_way;
  boost::asio::co_spawn(loop, client->send(std::move(request)),
                        [this, &into](std::exception_ptr thrown, Exchange exchange) {
                          DISPATCHER_CHECK(!thrown);
                          into = std::move(exchange);
                          --under_way;
                        });
}

std::vector<Exchange> World::send_all(std::vector<HttpRequest> requests) {
  std::vector<Exchange> exchanges(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    start(std::move(requests[i]), exchanges[i]);
  }
  loop.restart();
  while (under_way > 0) {
    loop.run_one();
  }
  return exchanges;
}

Exchange World::send(HttpRequest request) {
  std::vector<HttpRequest> one;
  one.push_back(std::move(request));
  return std::move(send_all(std::move(one)).front());
}

HttpRequest post(const std::string& url) {
  return post_within(url, std::chrono::seconds{5});
}

HttpRequest post_within(const std::string& url, std::chrono::milliseconds time) {
  HttpRequest request;
  const auto parsed = parse_webhook_url(url);
  DISPATCHER_CHECK(parsed.has_value());
  request.url = *parsed;
  request.headers = {{"Content-Type", "application/json"}};
  request.body = R"({"n":1})";
  request.deadline = SteadyClock{}.monotonic() + time;
  request.pool = "tests";
  return request;
}

std::string https_url(const Imposter& imposter, const std::string& host) {
  return "https://" + host + ":" + std::to_string(imposter.port()) + "/secret-path?secret=query";
}

std::string http_url(const Imposter& imposter, const std::string& host) {
  return "http://" + host + ":" + std::to_string(imposter.port()) + "/secret-path?secret=query";
}

std::string outcome(const Exchange& exchange) {
  if (const auto* failure = std::get_if<Failure>(&exchange.result)) {
    return failure->text();
  }
  return "status " + std::to_string(std::get<Answer>(exchange.result).status);
}

}  // namespace dispatcher::test
