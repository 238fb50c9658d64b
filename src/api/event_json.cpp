#include "api/event_json.hpp"

#include "api/faults.hpp"
#include "api/text.hpp"
#include "base/json_text.hpp"

namespace dispatcher {
namespace {

void append_time_or_null(std::string& out, const std::optional<WallTime>& time) {
  out += time ? '"' + format_timestamp(*time) + '"' : std::string{"null"};
}

// What a receiver sent may be anything.
void append_foreign_text(std::string& out, std::string_view bytes) {
  append_json_string(out, to_valid_utf8(std::string{bytes}));
}

void append_foreign_text_or_null(std::string& out, const std::optional<std::string>& bytes) {
  if (bytes) {
    append_foreign_text(out, *bytes);
  } else {
    out += "null";
  }
}

// What is known of a delivery, but whose it is and when it ended well.
void append_delivery_state(std::string& out, const DeliveryView& delivery) {
  out += R"("state":")";
  out += to_string(delivery.state);
  out += R"(","attempts":)";
  out += std::to_string(delivery.attempts);
  out += R"(,"next_attempt_at":)";
  append_time_or_null(out, delivery.next_attempt_at);
  out += R"(,"review_reason":)";
  out += delivery.review_reason ? quoted(to_string(*delivery.review_reason)) : "null";
  out += R"(,"last_status":)";
  out += delivery.last_status ? std::to_string(*delivery.last_status) : "null";
  out += R"(,"last_error":)";
  append_foreign_text_or_null(out, delivery.last_error);
}

void append_delivery_json(std::string& out, const DeliveryView& delivery) {
  out += R"({"endpoint_id":)";
  append_json_string(out, delivery.endpoint_id);
  out.push_back(',');
  append_delivery_state(out, delivery);
  out += R"(,"delivered_at":)";
  append_time_or_null(out, delivery.delivered_at);
  out.push_back('}');
}

void append_release_json(std::string& out, const Release& release) {
  out += R"({"endpoint_id":)";
  append_json_string(out, release.endpoint_id);
  out += R"(,"action":")";
  out += to_string(release.action);
  out += R"(","at":")";
  append_timestamp(out, release.at);
  out += R"(","by":)";
  append_json_string(out, release.note.by);
  out += R"(,"note":)";
  append_json_string(out, release.note.note);
  out.push_back('}');
}

}  // namespace

void append_attempt_json(std::string& out, const Attempt& attempt) {
  out += R"({"number":)";
  out += std::to_string(attempt.number);
  out += R"(,"endpoint_id":)";
  append_json_string(out, attempt.endpoint_id);
  out += R"(,"started_at":")";
  append_timestamp(out, attempt.started_at);
  out += R"(","duration_ms":)";
  out += std::to_string(attempt.duration.count());
  out += R"(,"outcome":")";
  out += to_string(attempt.outcome);
  out += R"(","status":)";
  out += attempt.status ? std::to_string(*attempt.status) : "null";
  out += R"(,"error":)";
  append_foreign_text_or_null(out, attempt.error);
  out += R"(,"response_body":)";
  append_foreign_text(out, attempt.response_body);
  out += R"(,"remote_address":)";
  append_json_string(out, attempt.remote_address);
  out.push_back('}');
}

std::string events_json(std::span<const EventView> events) {
  std::string out = "[";
  for (const EventView& view : events) {
    out += out.size() == 1 ? "" : ",";
    append_event_json(out, view.event, view.progress);
  }
  out.push_back(']');
  return out;
}

std::string event_with_deliveries_json(const EventView& view, std::span<const Release> releases) {
  std::string out;
  append_event_json(out, view.event, view.progress);
  out.pop_back();  // the object goes on
  out += R"(,"deliveries":[)";
  for (const DeliveryView& delivery : view.deliveries) {
    out += out.ends_with('[') ? "" : ",";
    append_delivery_json(out, delivery);
  }
  out.push_back(']');
  if (view.unmatched) {
    out += R"(,"unmatched":{)";
    append_delivery_state(out, *view.unmatched);
    out.push_back('}');
  }
  if (!releases.empty()) {
    out += R"(,"releases":[)";
    for (const Release& release : releases) {
      out += out.ends_with('[') ? "" : ",";
      append_release_json(out, release);
    }
    out.push_back(']');
  }
  out.push_back('}');
  return out;
}

std::string attempts_json(std::span<const Attempt> attempts) {
  std::string out = R"({"items":[)";
  for (const Attempt& attempt : attempts) {
    out += out.ends_with('[') ? "" : ",";
    append_attempt_json(out, attempt);
  }
  out += "]}";
  return out;
}

}  // namespace dispatcher
