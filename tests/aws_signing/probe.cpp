// Makes calls with the program's own AWS client, for a test that checks them from outside.
//
// The environment says where to and with which credentials, as it does for the program. Each line
// of standard input is a call: service, action and body, with tabs between them. Each answer is a
// line of standard output: `ok BODY`, or `error KIND CODE MESSAGE`, with tabs between them.
#include "adapters/aws/aws_client.hpp"
#include "adapters/https/https_client.hpp"
#include "adapters/system/system_clock.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdlib>
#include <iostream>
#include <string>

namespace dispatcher {
namespace {

std::optional<std::string> variable(std::string_view name) {
  const char* value = std::getenv(std::string{name}.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>{value};
}

AwsCall parse_call(const std::string& line) {
  const auto first = line.find('\t');
  const auto second = line.find('\t', first + 1);
  const std::string service = line.substr(0, first);
  AwsCall call;
  call.service = service == "dynamodb"         ? AwsService::dynamodb
                 : service == "secretsmanager" ? AwsService::secrets_manager
                                               : AwsService::cloudwatch;
  call.action = line.substr(first + 1, second - first - 1);
  call.body = line.substr(second + 1);
  return call;
}

boost::asio::awaitable<void> make_calls(AwsClient& client) {
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto result = co_await client.call(parse_call(line));
    if (result) {
      std::cout << "ok\t" << result->body << std::endl;
    } else {
      std::cout << "error\t" << to_string(result.error().error.kind) << "\t" << result.error().code
                << "\t" << result.error().error.message << std::endl;
    }
  }
}

int fail(const Error& error) {
  std::cerr << error.message << "\n";
  return 1;
}

int probe() {
  const SystemClock clock;
  SystemRandom random;
  boost::asio::io_context loop{1};
  SystemTimers timers{loop.get_executor()};
  NoTracer tracer;
  const Log log{LogLevel::debug, LogFormat::json, Log::stderr_sink()};
  const auto profile = read_profile(variable);
  if (!profile) {
    return fail(profile.error());
  }
  auto settings = make_aws_settings(variable, *profile, "");
  if (!settings) {
    return fail(settings.error());
  }
  auto http = HttpsClient::make(loop.get_executor(), clock, HttpsOptions{});
  if (!http) {
    return fail(http.error());
  }
  CredentialSource credentials{**http, clock, variable};
  AwsClientOptions options;
  options.settings = std::move(*settings);
  options.user_agent = "EventDispatcher/test";
  AwsClient client{AwsClientPorts{**http, credentials, clock, timers, random, tracer, log},
                   std::move(options)};
  boost::asio::co_spawn(loop, make_calls(client), [&](const std::exception_ptr& bug) {
    (*http)->abort();
    if (bug) {
      std::rethrow_exception(bug);
    }
  });
  loop.run();
  return 0;
}

}  // namespace
}  // namespace dispatcher

int main() {
  return dispatcher::probe();
}
