// What `POST /endpoints` and `PATCH /endpoints/{id}` are told: all faults at once, and no fault
// shows a secret. Pure.
#pragma once

#include "api/faults.hpp"
#include "base/json_scanner.hpp"
#include "model/endpoint_settings.hpp"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace dispatcher {

// Why a webhook may never be sent to this URL, as far as it can be told before its host is looked
// up; empty when it may. The end of a sentence, for whoever gave the URL.
using TargetRule = std::function<std::optional<std::string>(const WebhookUrl& url)>;

// What was said; what was not is left alone. The inner value is absent where `null` was said: back
// to what it is by default.
template <class T>
using Said = std::optional<std::optional<T>>;

struct EndpointBody {
  std::optional<std::string> url;
  Said<std::string> description;
  Said<std::vector<std::string>> types;
  Said<std::vector<std::string>> sources;
  Said<BodyFormat> body;
  Said<std::vector<HttpHeader>> headers;
  Said<int> concurrency;
  Said<double> rate_per_second;
  Said<std::chrono::microseconds> timeout;
  Said<int> retries;
  Said<std::vector<std::chrono::seconds>> schedule;
  // Of a new endpoint alone.
  std::optional<std::string> signing_key;  // raw bytes
  EndpointStart start = EndpointStart::now;
};

// Every field that one of the two knows; scan_json fills them.
[[nodiscard]] std::vector<JsonField> endpoint_fields();

// `fields` are those of the object.
[[nodiscard]] EndpointBody read_new_endpoint(JsonValue object, std::span<const JsonField> fields,
                                             const TargetRule& rule, Faults& faults);
[[nodiscard]] EndpointBody read_endpoint_change(JsonValue object, std::span<const JsonField> fields,
                                                const TargetRule& rule, Faults& faults);

void apply(const EndpointBody& body, EndpointDraft& draft);

}  // namespace dispatcher
