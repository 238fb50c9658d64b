// `run --dry-run`: what a run would deliver.
#pragma once

#include "hosts/config.hpp"
#include "hosts/services.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace dispatcher {

struct DueEvent {
  std::string id;
  std::string type;
  std::string source;
  std::string created_at;
  std::string_view raw;  // all of it, in the answer's body
};

// Asks for the inbox without a lease, so that it changes nothing.
[[nodiscard]] TriggersRequest due_events_request(std::int64_t max_events);

// What a run would take of those shown: the oldest.
[[nodiscard]] std::vector<DueEvent> due_events_in(std::string_view body, std::int64_t max_events);

// The same as one JSON object, without the payloads.
[[nodiscard]] std::string due_events_summary(const std::vector<DueEvent>& events);

// Reads the inbox without a lease, so that it changes nothing. Exit status.
[[nodiscard]] boost::asio::awaitable<int> run_dry(ClientPorts ports, RunConfig config,
                                                  std::ostream& out, std::ostream& err);

}  // namespace dispatcher
