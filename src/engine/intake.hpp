// The way in: gives events their ids and times and makes them durable, together with the fact that
// they must be delivered.
#pragma once

#include "ports/clock.hpp"
#include "ports/metrics.hpp"
#include "ports/random.hpp"
#include "ports/store.hpp"

#include <optional>
#include <string>
#include <vector>

namespace dispatcher {

struct IncomingEvent {
  std::string type;
  std::string source;
  std::string payload;  // the raw text of a JSON object; validated by the caller
};

// Callable from any loop. Holds references only; what they name must outlive it.
class Intake {
 public:
  Intake(Store& store, const Clock& clock, Random& random, Metrics& metrics)
      : store_(store), clock_(clock), random_(random), metrics_(metrics) {}

  // Returns after the events are on disk, in their order. Errors: those of Store::append.
  [[nodiscard]] boost::asio::awaitable<Result<AppendAnswer>> accept(
      std::vector<IncomingEvent> incoming, std::optional<Idempotency> idempotency);

 private:
  Store& store_;
  const Clock& clock_;
  Random& random_;
  Metrics& metrics_;
};

}  // namespace dispatcher
