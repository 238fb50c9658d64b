// Client commands: a session with a service, on a loop of their own.
#include "adapters/http_inbox/api_session.hpp"
#include "hosts/await.hpp"
#include "hosts/wiring.hpp"
#include "hosts/wiring_aws.hpp"
#include "hosts/wiring_parts.hpp"

namespace dispatcher {

Result<int> with_api(const ClientConfig& config, Services::ClientWork work) {
  const Log log = make_log(config.log);
  const SystemClock clock;
  SystemRandom random;
  boost::asio::io_context loop{1};
  SystemTimers timers{loop.get_executor()};

  auto http = make_https_client(loop, clock, config.network);
  if (!http) {
    return http.error();
  }
  const auto source =
      open_secrets(AwsPorts{**http, clock, timers, random, log}, config.secret, {"zapier_api_key"});
  if (!source) {
    return source.error();
  }
  const auto secrets = await_on(loop, (*source)->read({}));
  if (!secrets) {
    return secrets.error();
  }
  ApiSession api{**http, clock,
                 ApiAccess{config.api, secrets->api_keys.front(), user_agent(), config.timeout}};
  const int status = await_on(loop, work(ClientPorts{api, clock, timers, random}));
  return status;
}

}  // namespace dispatcher
