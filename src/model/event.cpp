#include "model/event.hpp"

#include "base/json_text.hpp"

namespace dispatcher {
namespace {

void append_time_or_null(std::string& out, const std::optional<WallTime>& time) {
  if (!time) {
    out += "null";
    return;
  }
  out.push_back('"');
  append_timestamp(out, *time);
  out.push_back('"');
}

}  // namespace

std::string_view to_string(EventStatus status) {
  switch (status) {
    case EventStatus::pending: return "pending";
    case EventStatus::delivered: return "delivered";
    case EventStatus::failed: return "failed";
  }
  return "unknown";
}

std::optional<EventStatus> parse_event_status(std::string_view text) {
  for (const auto status : {EventStatus::pending, EventStatus::delivered, EventStatus::failed}) {
    if (to_string(status) == text) {
      return status;
    }
  }
  return std::nullopt;
}

void append_event_json(std::string& out, const Event& event, const EventProgress& progress) {
  out.reserve(out.size() + event.payload.size() + event.type.size() + event.source.size() + 320);
  out += R"({"id":")";
  append_uuid(out, event.id);
  out += R"(","type":)";
  append_json_string(out, event.type);
  out += R"(,"source":)";
  append_json_string(out, event.source);
  out += R"(,"payload":)";
  out += event.payload;
  out += R"(,"status":")";
  out += to_string(progress.status);
  out += R"(","created_at":")";
  append_timestamp(out, event.created_at);
  out += R"(","updated_at":")";
  append_timestamp(out, progress.updated_at);
  out += R"(","delivery_attempts":)";
  out += std::to_string(progress.delivery_attempts);
  out += R"(,"last_delivery_attempt":)";
  append_time_or_null(out, progress.last_delivery_attempt);
  out += R"(,"delivery_latency_ms":)";
  out += progress.delivery_latency_ms ? std::to_string(*progress.delivery_latency_ms) : "null";
  out += R"(,"error_message":)";
  append_json_string_or_null(out, progress.error_message);
  out.push_back('}');
}

EventProgress progress_at_ingest(const Event& event) {
  EventProgress progress;
  progress.updated_at = event.created_at;
  return progress;
}

}  // namespace dispatcher
