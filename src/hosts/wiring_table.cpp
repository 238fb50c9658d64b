#include "hosts/wiring_table.hpp"

#include "adapters/dynamodb/events_table.hpp"
#include "hosts/wiring_parts.hpp"

#include <utility>

namespace dispatcher {
namespace {

std::unique_ptr<TableInbox> make_table_inbox(const RunConfig& config, const InboxSources& sources,
                                             const InboxOrder& order) {
  TableInboxOptions options;
  options.max_events = order.max_events;
  options.attempt_timeout = config.delivery.request_timeout;
  options.lease_token =
      to_string(make_uuid_v7(sources.clock.wall(), sources.random.next(), sources.random.next()));
  options.deadline = order.deadline;
  options.only = order.only;
  return std::make_unique<TableInbox>(
      TableInboxParts{sources.api, make_table(config, *sources.aws, sources.clock, order.deadline),
                      sources.clock, order.log, sources.table_memory},
      order.endpoints, std::move(options));
}

}  // namespace

std::unique_ptr<EventTable> make_table(const RunConfig& config, AwsApi& aws, const Clock& clock,
                                       std::optional<MonoTime> deadline) {
  return std::make_unique<EventsTable>(aws, clock, config.table, deadline);
}

std::unique_ptr<RunInbox> make_run_inbox(const RunConfig& config, InboxSources sources,
                                         InboxOrder order) {
  if (order.only) {
    return make_table_inbox(config, sources, order);
  }
  HttpInboxOptions options;
  options.max_events = order.max_events;
  options.attempt_timeout = config.delivery.request_timeout;
  options.consumer = consumer_label();
  options.deadline = order.deadline;
  if (sources.aws != nullptr) {
    options.beside_table = [&config, sources, order](const std::vector<InboxEvent>& shown) {
      auto inbox = make_table_inbox(config, sources, order);
      inbox->use_if_unreadable(shown);
      return std::unique_ptr<RunInbox>{std::move(inbox)};
    };
  }
  return std::make_unique<HttpInbox>(sources.api, sources.clock, order.log,
                                     std::move(order.endpoints), sources.memory,
                                     std::move(options));
}

}  // namespace dispatcher
