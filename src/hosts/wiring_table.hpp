// The inbox of a run where a table stands behind the API.
#pragma once

#include "adapters/http_inbox/http_inbox.hpp"
#include "adapters/http_inbox/table_inbox.hpp"
#include "hosts/config.hpp"
#include "hosts/pass.hpp"
#include "ports/aws_api.hpp"
#include "ports/random.hpp"

#include <memory>
#include <optional>

namespace dispatcher {

// What the inboxes of all runs of a process share. All outlive them.
struct InboxSources {
  TriggersApi& api;
  AwsApi* aws;  // null: none is needed
  const Clock& clock;
  Random& random;
  InboxMemory& memory;
  TableMemory& table_memory;
};

// Over the API; where it has no leases and `config` names a table, over that. Of a stream's batch
// the API is asked for nothing but to acknowledge.
[[nodiscard]] std::unique_ptr<RunInbox> make_run_inbox(const RunConfig& config,
                                                       InboxSources sources, InboxOrder order);

// The table, for as long as `aws` and `clock` live.
[[nodiscard]] std::unique_ptr<EventTable> make_table(const RunConfig& config, AwsApi& aws,
                                                     const Clock& clock,
                                                     std::optional<MonoTime> deadline);

}  // namespace dispatcher
