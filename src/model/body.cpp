#include "model/body.hpp"

#include "base/json_text.hpp"

namespace dispatcher {
namespace {

// Standard Webhooks 1.0, "Payload structure".
std::string standard_body(const Event& event) {
  std::string out = R"({"type":)";
  append_json_string(out, event.type);
  out += R"(,"timestamp":")";
  append_timestamp(out, event.created_at);
  out += R"(","data":)";
  out += event.payload;
  out.push_back('}');
  return out;
}

}  // namespace

std::string webhook_body(const Event& event, BodyFormat format) {
  switch (format) {
    case BodyFormat::payload: return event.payload;
    case BodyFormat::standard: return standard_body(event);
    case BodyFormat::event: break;
  }
  std::string out;
  append_event_json(out, event, progress_at_ingest(event));
  return out;
}

}  // namespace dispatcher
