#include "adapters/dynamodb/table_item.hpp"

#include "adapters/dynamodb/attribute.hpp"
#include "base/json_scanner.hpp"
#include "base/json_text.hpp"

#include <algorithm>
#include <utility>

namespace dispatcher {
namespace {

using boost::json::object;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::optional<WallTime> local_time(std::optional<std::int64_t> millis, ClockOffset offset) {
  // Past the year 9999 a time is no time of ours: what is due then never is.
  constexpr std::int64_t kLastMillis = 253'402'300'799'999;
  if (!millis) {
    return std::nullopt;
  }
  return WallTime{milliseconds{std::clamp<std::int64_t>(*millis, 0, kLastMillis)}} + offset;
}

std::optional<WallTime> expiry_of(const object& item, ClockOffset offset) {
  const auto expiry = whole_number_in(item, "ttl");
  constexpr std::int64_t kLastSecond = 253'402'300'799;
  if (!expiry || *expiry <= 0 || *expiry > kLastSecond) {
    return std::nullopt;
  }
  return WallTime{seconds{*expiry}} + offset;
}

TableDelivery delivery_of(std::string_view endpoint_id, const object& map, ClockOffset offset) {
  TableDelivery delivery;
  delivery.endpoint_id = endpoint_id;
  // A state that is none of ours is one that waits: it is tried.
  delivery.state =
      parse_delivery_state(string_in(map, "state").value_or("")).value_or(DeliveryState::waiting);
  // More than anybody counts, and far from where counting ends.
  constexpr std::int64_t kMostAttempts = 1'000'000'000;
  delivery.attempts =
      std::clamp<std::int64_t>(whole_number_in(map, "attempts").value_or(0), 0, kMostAttempts);
  delivery.step =
      static_cast<int>(std::clamp<std::int64_t>(whole_number_in(map, "step").value_or(0), 0, 1000));
  delivery.retries = static_cast<int>(
      std::clamp<std::int64_t>(whole_number_in(map, "retries").value_or(0), 0, 1000));
  delivery.due = local_time(whole_number_in(map, "due"), offset);
  delivery.reason = parse_review_reason(string_in(map, "reason").value_or(""));
  delivery.error = string_in(map, "error").value_or("");
  return delivery;
}

// The object that the text is, without what stands around it: that has no place in a body.
std::optional<std::string_view> object_of(std::string_view text) {
  const auto scanned = scan_json(text);
  const auto* value = std::get_if<JsonValue>(&scanned);
  return value != nullptr && value->kind == JsonKind::object ? std::optional{value->raw}
                                                             : std::nullopt;
}

// The raw text ingested where there is one; else the map that the original keeps.
std::optional<std::string> payload_of(const object& item) {
  for (const std::string_view name : {"payload_raw", "payload"}) {
    if (const auto raw = object_of(string_in(item, name).value_or(""))) {
      return std::string{*raw};
    }
  }
  if (map_in(item, "payload") == nullptr) {
    return std::nullopt;
  }
  return plain_json(item.at("payload"));
}

void append_member(std::string& out, std::string_view name, std::string_view attribute) {
  if (out.back() != '{') {
    out += ',';
  }
  append_json_string(out, name);
  out += ':';
  out += attribute;
}

}  // namespace

std::int64_t table_millis(WallTime local, ClockOffset offset) {
  return std::chrono::ceil<milliseconds>((local - offset).time_since_epoch()).count();
}

std::vector<TableDelivery> deliveries_of(const object& item, ClockOffset offset) {
  std::vector<TableDelivery> deliveries;
  const object* map = map_in(item, "deliveries");
  if (map == nullptr) {
    return deliveries;
  }
  for (const auto& member : *map) {
    const std::string_view id{member.key().data(), member.key().size()};
    if (const object* fields = map_in(*map, id)) {
      deliveries.push_back(delivery_of(id, *fields, offset));
    }
  }
  return deliveries;
}

std::optional<TableEntry> entry_of(const object& item, ClockOffset offset) {
  const auto id = string_in(item, "id");
  const auto created_at = string_in(item, "created_at");
  if (!id || !parse_uuid(*id) || !created_at || !parse_timestamp(*created_at)) {
    return std::nullopt;
  }
  TableEntry entry;
  entry.key = {std::string{*id}, std::string{*created_at}};
  entry.lease_until = local_time(whole_number_in(item, "lease_until"), offset);
  entry.deliveries = deliveries_of(item, offset);
  entry.expires_at = expiry_of(item, offset);
  return entry;
}

Result<TableEvent> event_of(const object& item, ClockOffset offset) {
  const auto type = string_in(item, "type");
  const auto source = string_in(item, "source");
  auto payload = payload_of(item);
  const auto entry = entry_of(item, offset);
  if (!type || !source || !payload || !entry) {
    const std::string_view missing = !type      ? "type"
                                     : !source  ? "source"
                                     : !payload ? "payload"
                                                : "id and created_at";
    return make_error(ErrorKind::invalid,
                      "the item has no " + std::string{missing} + " that can be sent");
  }
  auto event = std::make_shared<Event>();
  event->id = *parse_uuid(entry->key.id);
  event->type = *type;
  event->source = *source;
  event->payload = std::move(*payload);
  event->created_at = *parse_timestamp(entry->key.created_at);
  return TableEvent{std::move(event), entry->deliveries, {}};
}

std::string delivery_attribute(const TableDelivery& delivery, ClockOffset offset) {
  std::string members = "{";
  append_member(members, "state", string_attribute(to_string(delivery.state)));
  append_member(members, "attempts", number_attribute(delivery.attempts));
  append_member(members, "step", number_attribute(delivery.step));
  if (delivery.retries > 0) {
    append_member(members, "retries", number_attribute(delivery.retries));
  }
  if (delivery.due) {
    append_member(members, "due", number_attribute(table_millis(*delivery.due, offset)));
  }
  if (delivery.reason) {
    append_member(members, "reason", string_attribute(to_string(*delivery.reason)));
  }
  if (!delivery.error.empty()) {
    append_member(members, "error", string_attribute(delivery.error));
  }
  return R"({"M":)" + members + "}}";
}

}  // namespace dispatcher
