// One pass of the engine over an inbox: what `run` does once, and the Lambda function for each
// invocation.
#pragma once

#include "base/log.hpp"
#include "engine/engine.hpp"
#include "hosts/config.hpp"
#include "hosts/services.hpp"
#include "ports/clock.hpp"
#include "ports/event_table.hpp"
#include "ports/http_client.hpp"
#include "ports/metrics.hpp"
#include "ports/random.hpp"
#include "ports/run_inbox.hpp"
#include "ports/secrets.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>
#include <vector>

namespace dispatcher {

// The keys of the secret without which a pass cannot begin. What signs the API's tokens is the
// API's own.
[[nodiscard]] std::vector<std::string> keys_of_a_pass(const DeliveryConfig& delivery);

// To whom a pass delivers, and as whom.
struct Recipients {
  std::vector<Endpoint> endpoints;  // numbered from 1 on: there is no store that would do it
  SenderIdentity identity;
};

// `invalid`: a URL or a signing secret that is none; it is not shown.
[[nodiscard]] Result<Recipients> make_recipients(const DeliveryConfig& delivery,
                                                 const SecretBundle& secrets);

// The inbox that a pass is over. `log` outlives it.
struct InboxOrder {
  const Log& log;
  std::vector<Endpoint> endpoints;
  std::int64_t max_events = 100;
  std::optional<MonoTime> deadline;  // by when its calls have ended
  // Of the table, one attempt each, whatever else is pending. Empty: what the inbox shows.
  std::optional<std::vector<EventKey>> only;
};

// All outlive the pass.
struct PassParts {
  RunInbox& inbox;
  HttpClient& http;  // for attempts alone: a pass that must end aborts it
  const Clock& clock;
  Timers& timers;
  Random& random;
  Metrics& metrics;
  const Log& log;
};

struct PassTimes {
  MonoTime started;                  // when the run began, for its time
  std::optional<MonoTime> deadline;  // by when it has given back and can report
  bool waits_for_retries = true;     // within the pass; otherwise the next has them
};

// Belongs to one loop.
class Pass {
 public:
  Pass(boost::asio::any_io_executor loop, PassParts parts, Recipients recipients,
       const DeliveryConfig& delivery, PassTimes times);

  // Call once.
  [[nodiscard]] boost::asio::awaitable<RunOutcome> run();

  // Claims nothing more; attempts under way may finish.
  void stop();
  // The same, but what is under way is aborted, recorded and given back.
  void stop_now();

 private:
  void publish(const InboxFigures& figures);

  PassParts parts_;
  MonoTime started_;
  Engine engine_;
};

}  // namespace dispatcher
