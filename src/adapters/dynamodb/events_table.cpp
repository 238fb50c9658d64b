#include "adapters/dynamodb/events_table.hpp"

#include "adapters/dynamodb/attribute.hpp"
#include "base/json_text.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include <algorithm>
#include <utility>

namespace dispatcher {
namespace {

using boost::json::object;

// What the index must show of an event: the rest comes with the claim.
constexpr std::string_view kEntryAttributes = "id, created_at, lease_until, deliveries, #ttl";

Error event_is_gone() {
  return make_error(ErrorKind::conflict, "the event is gone, or its lease is another's");
}

// The item that an unmet condition was about; none: it does not exist.
std::optional<object> item_of(const AwsError& conflict) {
  const auto answer = parse_answer(conflict.body);
  const object* item = answer ? object_in(*answer, "Item") : nullptr;
  return item == nullptr ? std::nullopt : std::optional{*item};
}

bool is_ours(const object& item, const std::string& token) {
  return string_in(item, "lease_token") == std::string_view{token};
}

// Whether the item has what was to be recorded: it was done, and its answer was lost. Where the
// lease was to be kept, it says whose record it is.
bool is_recorded(const object& item, const TableRecord& record) {
  if (record.lease_until && !is_ours(item, record.lease_token)) {
    return false;
  }
  const TableDelivery& delivery = record.delivery;
  const auto deliveries = deliveries_of(item, ClockOffset{});
  return std::any_of(deliveries.begin(), deliveries.end(), [&](const TableDelivery& one) {
    return one.endpoint_id == delivery.endpoint_id && one.state == delivery.state &&
           one.attempts == delivery.attempts;
  });
}

void require_lease(ItemUpdate& update, const std::string& token) {
  update.require(
      fmt::format("{} = {}", update.name("lease_token"), update.value(string_attribute(token))));
}

void require_pending(ItemUpdate& update) {
  update.require(fmt::format("{} = {}", update.name("status"),
                             update.value(string_attribute(to_string(EventStatus::pending)))));
}

// The key of a page's end, with the status that the index needs of it.
std::optional<EventKey> next_of(const object& answer) {
  const object* last = object_in(answer, "LastEvaluatedKey");
  if (last == nullptr) {
    return std::nullopt;
  }
  return EventKey{std::string{string_in(*last, "id").value_or("")},
                  std::string{string_in(*last, "created_at").value_or("")}};
}

}  // namespace

// -- calling

boost::asio::awaitable<AwsResult> EventsTable::call(std::string action, std::string input) {
  AwsCall call;
  call.service = AwsService::dynamodb;
  call.action = std::move(action);
  call.body = std::move(input);
  call.deadline = earlier(clock_.monotonic() + kTimeout, deadline_);
  co_return co_await aws_.call(std::move(call));
}

boost::asio::awaitable<AwsResult> EventsTable::send(const ItemUpdate& update, bool wants_new) {
  co_return co_await call("UpdateItem", update.input(name_, wants_new));
}

boost::asio::awaitable<Result<void>> EventsTable::apply(ItemUpdate update) {
  const auto answer = co_await send(update);
  if (!answer) {
    co_return failed("UpdateItem", answer.error());
  }
  co_return Result<void>{};
}

Error EventsTable::failed(std::string_view action, const AwsError& error) const {
  if (error.error.kind == ErrorKind::conflict) {
    return event_is_gone();
  }
  if (error.error.kind == ErrorKind::not_found) {
    return make_error(ErrorKind::not_found,
                      fmt::format("DYNAMODB_TABLE_NAME: there is no table {} with an index {} in "
                                  "this region and account",
                                  name_, kStatusIndex));
  }
  if (error.error.kind == ErrorKind::invalid && action == "Query") {
    return make_error(
        ErrorKind::not_found,
        fmt::format("DYNAMODB_TABLE_NAME: the table {} is not one of events, which has "
                    "an index {}: {}",
                    name_, kStatusIndex, error.error.message));
  }
  return make_error(error.error.kind,
                    fmt::format("{} on the table {}: {}", action, name_, error.error.message));
}

// -- reading

std::string EventsTable::query_input(const TableQuery& query) const {
  const std::string status = string_attribute(to_string(query.status));
  std::string out = R"({"TableName":)";
  append_json_string(out, name_);
  out += fmt::format(R"(,"IndexName":"{}","KeyConditionExpression":"#status = :status",)"
                     R"("ProjectionExpression":"{}",)"
                     R"("ExpressionAttributeNames":{{"#status":"status","#ttl":"ttl"}},)"
                     R"("ExpressionAttributeValues":{{":status":{}}},"Limit":{},)"
                     R"("ScanIndexForward":{})",
                     kStatusIndex, kEntryAttributes, status, query.limit, query.is_oldest_first);
  if (query.after) {
    out += R"(,"ExclusiveStartKey":)" + open_key(*query.after) + R"(,"status":)" + status + "}";
  }
  return out + "}";
}

boost::asio::awaitable<Result<TablePage>> EventsTable::query(TableQuery query) {
  const auto answer = co_await call("Query", query_input(query));
  if (!answer) {
    co_return failed("Query", answer.error());
  }
  const auto parsed = parse_answer(answer->body);
  const auto* items = parsed ? parsed->if_contains("Items") : nullptr;
  if (items == nullptr || !items->is_array()) {
    co_return make_error(ErrorKind::retry_later,
                         fmt::format("Query on the table {}: the answer has no Items", name_));
  }
  TablePage page;
  for (const auto& item : items->get_array()) {
    if (!item.is_object()) {
      continue;
    }
    const object& shown = item.get_object();
    if (auto entry = entry_of(shown, offset())) {
      page.entries.push_back(std::move(*entry));
    } else {
      page.unreadable.emplace_back(string_in(shown, "id").value_or(""));
    }
  }
  page.next = next_of(*parsed);
  co_return page;
}

// -- leasing

boost::asio::awaitable<Result<TableEvent>> EventsTable::claim(EventKey key, TableLease lease) {
  ItemUpdate update{std::move(key)};
  const std::string until = update.name("lease_until");
  const std::string deliveries = update.name("deliveries");
  update.set(update.name("lease_token"), update.value(string_attribute(lease.token)));
  update.set(until, update.value(number_attribute(table_millis(lease.until, offset()))));
  // What is recorded later is a member of this map, which must be there for that.
  update.set(deliveries,
             fmt::format("if_not_exists({}, {})", deliveries, update.value(R"({"M":{}})")));
  update.require(fmt::format("attribute_exists({})", update.name("id")));
  require_pending(update);
  const std::string now = update.value(number_attribute(table_millis(clock_.wall(), offset())));
  // A call that AWS did although its answer was lost is met again by its own lease.
  update.require(fmt::format("(attribute_not_exists({0}) OR {0} < {1} OR {2} = :v1)", until, now,
                             update.name("lease_token")));
  const auto answer = co_await send(update, true);
  if (!answer) {
    co_return failed("UpdateItem", answer.error());
  }
  const auto parsed = parse_answer(answer->body);
  const object* item = parsed ? object_in(*parsed, "Attributes") : nullptr;
  if (item == nullptr) {
    co_return make_error(
        ErrorKind::retry_later,
        fmt::format("UpdateItem on the table {}: the answer has no Attributes", name_));
  }
  auto event = event_of(*item, offset());
  if (!event) {
    co_return TableEvent{nullptr, deliveries_of(*item, offset()), event.error().message};
  }
  co_return event;
}

boost::asio::awaitable<Result<void>> EventsTable::extend(EventKey key, TableLease lease) {
  ItemUpdate update{std::move(key)};
  update.set(update.name("lease_until"),
             update.value(number_attribute(table_millis(lease.until, offset()))));
  require_lease(update, lease.token);
  require_pending(update);
  co_return co_await apply(std::move(update));
}

boost::asio::awaitable<Result<void>> EventsTable::give_back(EventKey key, std::string token) {
  ItemUpdate update{std::move(key)};
  update.remove(update.name("lease_until"));
  update.remove(update.name("lease_token"));
  require_lease(update, token);
  const auto given_back = co_await apply(std::move(update));
  if (!given_back && given_back.error().kind == ErrorKind::conflict) {
    co_return Result<void>{};  // there is nothing left to give back
  }
  co_return given_back;
}

// -- recording

boost::asio::awaitable<Result<void>> EventsTable::record(TableRecord record) {
  const auto answer = co_await send(update_of(record));
  if (answer) {
    co_return Result<void>{};
  }
  if (answer.error().error.kind == ErrorKind::conflict) {
    const auto item = item_of(answer.error());
    if (item && is_recorded(*item, record)) {
      co_return Result<void>{};
    }
    const bool is_ended = item && is_ours(*item, record.lease_token) &&
                          string_in(*item, "status") != to_string(EventStatus::pending);
    if (is_ended && record.lease_until) {
      // What was in flight when somebody ended the event is recorded, and nothing follows.
      record.lease_until.reset();
      (void)co_await apply(update_of(record));
    }
  }
  co_return failed("UpdateItem", answer.error());
}

ItemUpdate EventsTable::update_of(const TableRecord& record) const {
  const TableDelivery& delivery = record.delivery;
  ItemUpdate update{record.key};
  const std::string path =
      fmt::format("{}.{}", update.name("deliveries"), update.name(delivery.endpoint_id));
  const std::string lease_until = update.name("lease_until");
  update.set(path, update.value(delivery_attribute(delivery, offset())));
  update.set(update.name("updated_at"),
             update.value(string_attribute(format_timestamp(aws_.now()))));
  if (record.failed_at) {
    const std::string count = update.name("delivery_attempts");
    update.set(count,
               fmt::format("if_not_exists({}, {}) + {}", count, update.value(number_attribute(0)),
                           update.value(number_attribute(1))));
    update.set(update.name("last_delivery_attempt"),
               update.value(string_attribute(format_timestamp(*record.failed_at - offset()))));
    update.set(update.name("error_message"), update.value(string_attribute(delivery.error)));
  }
  if (record.lease_until) {
    update.set(lease_until,
               update.value(number_attribute(table_millis(*record.lease_until, offset()))));
  } else {
    update.remove(lease_until);
    update.remove(update.name("lease_token"));
  }
  update.require(fmt::format("attribute_exists({})", update.name("id")));
  require_lease(update, record.lease_token);
  // Once, however often it is said; and a success is not taken back.
  update.require(fmt::format("(attribute_not_exists({0}.{1}) OR {0}.{1} < {2})", path,
                             update.name("attempts"),
                             update.value(number_attribute(delivery.attempts))));
  update.require(fmt::format("(attribute_not_exists({0}.{1}) OR {0}.{1} <> {2})", path,
                             update.name("state"),
                             update.value(string_attribute(to_string(DeliveryState::delivered)))));
  if (record.lease_until) {
    require_pending(update);
  }
  return update;
}

boost::asio::awaitable<Result<void>> EventsTable::record_success(EventKey key,
                                                                 TableDelivery delivery) {
  ItemUpdate update{std::move(key)};
  const std::string deliveries = update.name("deliveries");
  update.set(fmt::format("{}.{}", deliveries, update.name(delivery.endpoint_id)),
             update.value(delivery_attribute(delivery, offset())));
  update.set(update.name("updated_at"),
             update.value(string_attribute(format_timestamp(aws_.now()))));
  update.require(fmt::format("attribute_exists({})", update.name("id")));
  update.require(fmt::format("attribute_exists({})", deliveries));
  co_return co_await apply(std::move(update));
}

boost::asio::awaitable<Result<bool>> EventsTable::release(TableEntry entry, EventStatus status,
                                                          ReviewReason reason) {
  ItemUpdate update{std::move(entry.key)};
  const std::string status_name = update.name("status");
  update.require(fmt::format("attribute_exists({})", update.name("id")));
  update.require(
      fmt::format("{} = {}", status_name, update.value(string_attribute(to_string(status)))));
  bool is_anything = status == EventStatus::failed && reason == ReviewReason::exhausted;
  if (status == EventStatus::failed) {
    update.set(status_name, update.value(string_attribute(to_string(EventStatus::pending))));
  }
  for (const TableDelivery& delivery : entry.deliveries) {
    if (delivery.state != DeliveryState::review || delivery.reason != reason) {
      continue;
    }
    is_anything = true;
    const std::string path =
        fmt::format("{}.{}", update.name("deliveries"), update.name(delivery.endpoint_id));
    const std::string state = fmt::format("{}.{}", path, update.name("state"));
    const std::string why = fmt::format("{}.{}", path, update.name("reason"));
    update.require(fmt::format("{} = {}", state,
                               update.value(string_attribute(to_string(DeliveryState::review)))));
    update.require(fmt::format("{} = {}", why, update.value(string_attribute(to_string(reason)))));
    update.set(state, update.value(string_attribute(to_string(DeliveryState::waiting))));
    update.set(fmt::format("{}.{}", path, update.name("due")),
               update.value(number_attribute(table_millis(clock_.wall(), offset()))));
    update.set(fmt::format("{}.{}", path, update.name("step")), update.value(number_attribute(0)));
    update.remove(fmt::format("{}.{}", path, update.name("retries")));
    update.remove(why);
  }
  if (!is_anything) {
    co_return false;
  }
  update.set(update.name("updated_at"),
             update.value(string_attribute(format_timestamp(aws_.now()))));
  const auto applied = co_await apply(std::move(update));
  if (!applied && applied.error().kind != ErrorKind::conflict) {
    co_return applied.error();
  }
  co_return applied.has_value();
}

}  // namespace dispatcher
