// Checks names: resolved without stalling others, whatever the name server does, every address in
// turn, and the address rules on what is connected to.
#include "https/name_server.hpp"
#include "https/world.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace dispatcher::test {
namespace {

using std::chrono::milliseconds;

// Refused addresses are loopback's too, so that even a client without rules stays on this machine.
constexpr const char* kRefused =
    "blocked: address 127.9.0.1 is not public (ALLOW_TARGETS can exempt it)";

HttpsOptions options_with(const NameServer& server) {
  HttpsOptions options = local_options();
  options.resolver = server.settings();
  return options;
}

NameServer::Script answering(std::vector<std::string> addresses) {
  return [addresses](const Question&) { return NameAnswer{addresses, false, std::nullopt}; };
}

// Where each connection is closed after its answer, so that the next request looks the name up.
Imposter::Script once() {
  return [](Peer& peer, int) {
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  };
}

TEST(https_names, a_name_is_resolved) {
  const NameServer server{answering({"127.0.0.1"})};
  Imposter imposter{always(std::string{kOk})};
  World world{options_with(server)};
  const Exchange exchange = world.send(post(http_url(imposter, "receiver.test")));
  EXPECT_EQ(outcome(exchange), "status 200");
  EXPECT_EQ(exchange.remote_address, "127.0.0.1:" + std::to_string(imposter.port()));
  EXPECT_EQ(server.questions(), 2);
}

TEST(https_names, a_name_with_an_ipv6_address_alone_works) {
  const NameServer server{answering({"::1"})};
  Imposter imposter{always(std::string{kOk}), nullptr, "::1"};
  World world{options_with(server)};
  EXPECT_EQ(outcome(world.send(post(http_url(imposter, "receiver.test")))), "status 200");
}

TEST(https_names, requests_at_once_share_a_look_up) {
  const NameServer server{answering({"127.0.0.1"})};
  Imposter imposter{always(std::string{kOk})};
  World world{options_with(server)};
  std::vector<HttpRequest> requests;
  for (int i = 0; i < 10; ++i) {
    requests.push_back(post(http_url(imposter, "receiver.test")));
  }
  for (const Exchange& exchange : world.send_all(std::move(requests))) {
    EXPECT_EQ(outcome(exchange), "status 200");
  }
  EXPECT_EQ(server.questions(), 2);
}

TEST(https_names, the_next_address_is_tried_when_one_refuses) {
  const NameServer server{answering({"127.0.0.2", "::1", "127.0.0.1"})};
  Imposter imposter{always(std::string{kOk}), nullptr, "127.0.0.1"};
  World world{options_with(server)};
  const Exchange exchange = world.send(post(http_url(imposter, "receiver.test")));
  EXPECT_EQ(outcome(exchange), "status 200");
  EXPECT_TRUE(exchange.remote_address.starts_with("127.0.0.1:"));
  EXPECT_EQ(world.client->connections_opened(), 1U);
}

TEST(https_names, both_families_are_tried) {
  const NameServer server{answering({"127.0.0.1", "127.0.0.2", "::1"})};
  Imposter imposter{always(std::string{kOk}), nullptr, "::1"};
  World world{options_with(server)};
  EXPECT_EQ(outcome(world.send(post(http_url(imposter, "receiver.test")))), "status 200");
}

TEST(https_names, a_hundred_addresses_are_not_all_tried) {
  std::vector<std::string> many;
  for (int i = 1; i <= 100; ++i) {
    many.push_back("127.1.0." + std::to_string(i));
  }
  const NameServer server{answering(many)};
  Imposter imposter{always(std::string{kOk}), nullptr, "127.1.0.9"};
  World world{options_with(server)};
  EXPECT_EQ(outcome(world.send(post(http_url(imposter, "receiver.test")))),
            "connect: connection refused");
  EXPECT_EQ(imposter.connections(), 0);
}

TEST(https_names, refused_addresses_are_passed_over) {
  std::vector<std::string> many(50, "127.9.0.1");
  for (int i = 1; i <= 50; ++i) {
    many.push_back("127.9.1." + std::to_string(i));
  }
  many.push_back("127.0.0.1");
  const NameServer server{answering(many)};
  HttpsOptions options = options_with(server);
  options.allow_targets = parse_allow_targets("http://127.0.0.1").value();
  Imposter imposter{always(std::string{kOk})};
  World world{options};
  EXPECT_EQ(outcome(world.send(post(http_url(imposter, "receiver.test")))), "status 200");
}

TEST(https_names, a_name_of_refused_addresses_alone_is_blocked) {
  const NameServer server{answering({"127.9.0.1", "127.0.0.1", "::1"})};
  HttpsOptions options = options_with(server);
  options.allow_targets.clear();
  Imposter imposter{always_tls(std::string{kOk}), &local_tls()};
  World world{options};
  EXPECT_EQ(outcome(world.send(post(https_url(imposter, "receiver.test")))), kRefused);
  EXPECT_EQ(world.client->connections_opened(), 0U);
  EXPECT_EQ(imposter.connections(), 0);
}

TEST(https_names, an_answer_that_changes_is_checked_anew) {
  const NameServer server{[](const Question& question) {
    const bool is_first = question.number == 0;
    return NameAnswer{{is_first ? "127.0.0.1" : "127.9.0.1"}, false, std::nullopt};
  }};
  HttpsOptions options = options_with(server);
  options.allow_targets = parse_allow_targets("https://127.0.0.1").value();
  const TempDirectory directory;
  const auto files = make_certificate(directory.path(), SteadyClock{}.wall(), {"receiver.test"});
  ServerTls tls;
  tls.certificate = files->certificate;
  tls.key = files->key;
  options.ca_files = {tls.certificate};
  Imposter imposter{[](Peer& peer, int connection) {
                      peer.handshake();
                      once()(peer, connection);
                    },
                    &tls};
  World world{options};
  EXPECT_EQ(outcome(world.send(post(https_url(imposter, "receiver.test")))), "status 200");
  EXPECT_EQ(outcome(world.send(post(https_url(imposter, "receiver.test")))), kRefused);
  EXPECT_EQ(imposter.connections(), 1);
}

TEST(https_names, a_name_server_that_never_answers_stalls_only_its_request) {
  const NameServer server{[](const Question& question) {
    return question.name == "dead.test" ? std::nullopt
                                        : std::optional{NameAnswer{{"127.0.0.1"}, false, {}}};
  }};
  Imposter imposter{always(std::string{kOk})};
  HttpsOptions options = options_with(server);
  options.resolver.timeout = std::chrono::seconds{60};
  World world{options};
  Exchange dead;
  world.start(post_within(http_url(imposter, "dead.test"), milliseconds{400}), dead);
  Exchange alive;
  world.start(post(http_url(imposter, "alive.test")), alive);
  while (world.under_way > 1) {
    world.loop.run_one();
  }
  EXPECT_EQ(outcome(alive), "status 200");
  while (world.under_way > 0) {
    world.loop.run_one();
  }
  EXPECT_EQ(outcome(dead), "timeout: resolving the name");
}

TEST(https_names, an_answer_that_breaks_one_look_up_breaks_no_other) {
  // Too long for a datagram, of a server that refuses the stream on which the rest would come. What
  // asks for the other name meanwhile is lost; it is asked for again after a while.
  std::vector<std::string> many;
  for (int i = 1; i <= 100; ++i) {
    many.push_back("127.1.0." + std::to_string(i));
  }
  const auto begun = std::chrono::steady_clock::now();
  const NameServer server{
      [&](const Question& question) -> std::optional<NameAnswer> {
        if (question.name == "long.test") {
          return NameAnswer{many, false, {}};
        }
        const bool is_lost = std::chrono::steady_clock::now() < begun + milliseconds{150};
        return is_lost ? std::nullopt : std::optional{NameAnswer{{"127.0.0.1"}, false, {}}};
      },
      false};
  Imposter imposter{always(std::string{kOk})};
  World world{options_with(server)};
  std::vector<HttpRequest> requests;
  requests.push_back(post(http_url(imposter, "other.test")));
  requests.push_back(post(http_url(imposter, "long.test")));
  const auto exchanges = world.send_all(std::move(requests));
  EXPECT_EQ(outcome(exchanges[0]), "status 200");
  EXPECT_EQ(outcome(exchanges[1]), "dns: the name server cannot be reached");
}

TEST(https_names, resolving_ends_with_the_time_for_connecting) {
  const NameServer server{[](const Question&) { return std::nullopt; }};
  HttpsOptions options = options_with(server);
  options.resolver.timeout = std::chrono::seconds{60};
  World world{options};
  HttpRequest request = post_within("https://dead.test/", std::chrono::seconds{60});
  request.connect_timeout = milliseconds{100};
  EXPECT_EQ(outcome(world.send(std::move(request))), "timeout: resolving the name");
}

TEST(https_names, a_name_server_that_gives_up_is_named) {
  const NameServer server{[](const Question&) { return std::nullopt; }};
  HttpsOptions options = options_with(server);
  options.resolver.timeout = milliseconds{50};
  EXPECT_EQ(outcome(World{options}.send(post("https://dead.test/"))),
            "dns: the name server does not answer");
}

TEST(https_names, a_family_that_is_never_answered_does_not_hold_up_the_other) {
  const NameServer server{[](const Question& question) {
    return question.is_v6 ? std::nullopt : std::optional{NameAnswer{{"127.0.0.1"}, false, {}}};
  }};
  HttpsOptions options = options_with(server);
  options.resolver.timeout = std::chrono::seconds{60};
  Imposter imposter{always(std::string{kOk})};
  World world{options};
  EXPECT_EQ(outcome(world.send(post(http_url(imposter, "receiver.test")))), "status 200");
}

TEST(https_names, a_name_that_does_not_exist_is_a_dns_failure) {
  const NameServer server{[](const Question&) { return NameAnswer{{}, true, {}}; }};
  EXPECT_EQ(outcome(World{options_with(server)}.send(post("https://nowhere.test/"))),
            "dns: the name does not exist");
}

TEST(https_names, a_name_without_addresses_is_a_dns_failure) {
  const NameServer server{[](const Question&) { return NameAnswer{}; }};
  EXPECT_EQ(outcome(World{options_with(server)}.send(post("https://nothing.test/"))),
            "dns: the name has no address");
}

TEST(https_names, garbage_from_the_name_server_is_a_dns_failure) {
  for (const std::string& garbage :
       {std::string(1, '\xff'), std::string(300, '\xff'), std::string(4000, '\x81'),
        std::string{"\x81\x80\xff\xff\xff\xff\0\0\0\0", 10} + std::string(500, '\xc0')}) {
    const NameServer server{[&garbage](const Question&) { return NameAnswer{{}, false, garbage}; }};
    const std::string result =
        outcome(World{options_with(server)}.send(post("https://garbage.test/")));
    EXPECT_TRUE(result.starts_with("dns: ")) << result;
  }
}

TEST(https_names, localhost_needs_no_name_server) {
  const NameServer server{[](const Question&) { return std::nullopt; }};
  Imposter imposter{always(std::string{kOk})};
  World world{options_with(server)};
  for (const char* host : {"localhost", "localhost.", "a.localhost"}) {
    EXPECT_EQ(outcome(world.send(post(http_url(imposter, host)))), "status 200") << host;
  }
  EXPECT_EQ(server.questions(), 0);
}

// A name of 127.0.0.1 in the hosts file, other than localhost; empty when there is none.
std::string name_in_hosts_file() {
  std::ifstream file{"/etc/hosts"};
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words{line};
    std::string address;
    std::string name;
    words >> address >> name;
    if (address == "127.0.0.1" && !name.starts_with("localhost")) {
      return name;
    }
  }
  return {};
}

TEST(https_names, the_hosts_file_comes_before_the_name_server) {
  const std::string name = name_in_hosts_file();
  if (name.empty()) {
    GTEST_SKIP() << "the hosts file names nothing but localhost";
  }
  const NameServer server{answering({"127.9.0.1"})};
  Imposter imposter{always(std::string{kOk})};
  World world{options_with(server)};
  EXPECT_EQ(outcome(world.send(post(http_url(imposter, name)))), "status 200");
}

TEST(https_names, abort_ends_a_look_up) {
  const NameServer server{[](const Question&) { return std::nullopt; }};
  HttpsOptions options = options_with(server);
  options.resolver.timeout = std::chrono::seconds{60};
  World world{options};
  Exchange exchange;
  world.start(post_within("https://dead.test/", std::chrono::seconds{60}), exchange);
  world.loop.run_for(milliseconds{50});
  world.client->abort();
  world.loop.restart();
  world.loop.run();  // nothing holds the loop any more
  EXPECT_EQ(world.under_way, 0);
  EXPECT_TRUE(outcome(exchange).starts_with("aborted: "));
}

}  // namespace
}  // namespace dispatcher::test
