// What the commands need of the rest of the program. `wiring` fills it, so that no command names an
// adapter.
#pragma once

#include "base/result.hpp"
#include "hosts/config.hpp"
#include "hosts/run_report.hpp"
#include "ports/clock.hpp"
#include "ports/random.hpp"
#include "ports/run_inbox.hpp"
#include "ports/triggers_api.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <optional>
#include <ostream>
#include <string>

namespace dispatcher {

// What a run did, and why it could not be completed if it could not.
struct RunOutcome {
  RunResult result;
  std::optional<RunFailure> failure;
};

// What `store check` and `store backup` found; the lines are for people.
struct StoreReport {
  bool is_good = true;
  std::string text;  // ends in a newline
  std::string json;  // one line, without its newline
};

// What a client command works with; all of it outlives the command.
struct ClientPorts {
  TriggersApi& api;
  const Clock& clock;
  Timers& timers;
  Random& random;
};

struct Services {
  // Until it is told to stop. Prints `listening on …` to `out`. Exit status. An Error is one that
  // kept it from starting: `invalid` for a setting that is wrong, anything else for the world.
  std::function<Result<int>(const ServeConfig& config, std::ostream& out)> serve;

  // One pass. An Error kept it from starting.
  std::function<Result<RunOutcome>(const RunConfig& config)> run;

  // The Lambda function, until Lambda ends it; `runtime_api` is where Lambda is reached. A
  // configuration that is wrong is reported to it. Exit status. An Error kept it from starting.
  std::function<Result<int>(const Result<LambdaConfig>& config, const std::string& runtime_api)>
      lambda;

  std::function<Result<int>(const ListenConfig& config, std::ostream& out)> listen;

  // Runs `work` to its end on a loop of its own, with a session to the service that `config` names,
  // and returns what it returned. An Error: the secret or a certificate could not be read.
  using ClientWork = std::function<boost::asio::awaitable<int>(ClientPorts ports)>;
  std::function<Result<int>(const ClientConfig& config, ClientWork work)> with_api;

  // `file` is made, and must not be there yet; the store may be in use.
  std::function<Result<StoreReport>(const std::string& data_dir, const std::string& file)>
      backup_store;
  std::function<Result<StoreReport>(const std::string& data_dir)> check_store;
  // Nothing may use the store meanwhile (`conflict`).
  std::function<Result<StoreReport>(const std::string& data_dir, const std::string& file)>
      restore_store;
};

}  // namespace dispatcher
