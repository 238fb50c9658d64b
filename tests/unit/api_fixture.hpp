// The Triggers API over a stub store, without a server.
#pragma once

#include "api/routes.hpp"
#include "api/triggers_service.hpp"
#include "base/bytes.hpp"
#include "endpoint_shelf.hpp"
#include "fakes/manual_clock.hpp"
#include "fakes/recording_metrics.hpp"
#include "fakes/recording_runtime.hpp"
#include "fakes/sim_random.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <string>

namespace dispatcher {

class ApiFixture : public testing::Test {
 protected:
  static SecretBundle secrets() {
    SecretBundle bundle;
    bundle.api_keys = {"the-api-key"};
    bundle.jwt_secrets = {"the-jwt-secret"};
    return bundle;
  }

  RequestHead head_of(std::string method, std::string path, bool with_token = true) {
    RequestHead head;
    head.method = std::move(method);
    head.path = std::move(path);
    head.remote_ip = "192.0.2.1";
    const auto question = head.path.find('?');
    if (question != std::string::npos) {
      head.query = head.path.substr(question + 1);
      head.path.resize(question);
    }
    if (with_token) {
      const Access access{secrets(), ""};
      head.headers.push_back(
          {"authorization", "Bearer " + *access.log_in("api", "the-api-key", clock.wall())});
    }
    return head;
  }

  ServerAnswer serve(RequestHead head, std::string body = {}) {
    boost::asio::io_context loop;
    std::optional<ServerAnswer> answer;
    boost::asio::co_spawn(loop, service.serve(std::move(head), std::move(body)),
                          [&](const std::exception_ptr& error, ServerAnswer given) {
                            EXPECT_EQ(error, nullptr);
                            answer = std::move(given);
                          });
    loop.run();
    return *std::move(answer);
  }

  // A key to keep endpoints under.
  void load_key() {
    boost::asio::io_context loop;
    const std::vector<std::string> keys{to_base64(std::string(kSealKeyBytes, 'k'))};
    boost::asio::co_spawn(loop, endpoints.load({}, *KeyRing::make(keys)),
                          [](const std::exception_ptr& error, const Result<std::size_t>& loaded) {
                            EXPECT_EQ(error, nullptr);
                            EXPECT_TRUE(loaded.has_value());
                          });
    loop.run();
  }

  static std::string header_of(const ServerAnswer& answer, std::string_view name) {
    for (const HttpHeader& header : answer.headers) {
      if (header.name == name) {
        return header.value;
      }
    }
    return "absent";
  }

  EndpointShelf store;
  fakes::ManualClock clock;
  fakes::SimRandom random{1};
  fakes::RecordingMetrics metrics;
  fakes::RecordingRuntime runtime;
  Log log{LogLevel::error, LogFormat::text, [](std::string_view) {}};
  EndpointRegistry endpoints{RegistryPorts{store, runtime, clock, random, log, [] {}},
                             DeliveryDefaults{}};
  TriggersService service{store, endpoints, clock, random, metrics, secrets(), ApiOptions{}};
};

}  // namespace dispatcher
