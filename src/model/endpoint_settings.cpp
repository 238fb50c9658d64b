#include "model/endpoint_settings.hpp"

#include "base/bytes.hpp"
#include "base/json_scanner.hpp"
#include "base/json_text.hpp"
#include "base/number_text.hpp"
#include "model/endpoint_limits.hpp"

#include <algorithm>
#include <array>
#include <functional>

namespace dispatcher {
namespace {

// -- writing

void append_name(std::string& out, std::string_view name) {
  out += out.ends_with('{') ? "" : ",";
  append_json_string(out, name);
  out.push_back(':');
}

template <class Items, class Append>
void append_list(std::string& out, const Items& items, Append append) {
  out.push_back('[');
  for (const auto& item : items) {
    out += out.ends_with('[') ? "" : ",";
    append(item);
  }
  out.push_back(']');
}

// -- reading

Error unreadable(std::string_view what) {
  return make_error(ErrorKind::invalid,
                    "cannot read an endpoint's record: " + std::string{what} + " is not right");
}

bool is_given(const JsonField& field) {
  return field.value && field.value->kind != JsonKind::null;
}

// Reads a field into `target` when it is given; false when it is not of its kind.
template <class Target, class Read>
bool read_into(const JsonField& field, Target& target, Read read) {
  if (!is_given(field)) {
    return true;
  }
  auto value = read(*field.value);
  if (!value) {
    return false;
  }
  target = *std::move(value);
  return true;
}

std::optional<std::string> read_text(JsonValue value) {
  return value.kind == JsonKind::string ? decode_json_string(value) : std::nullopt;
}

std::optional<double> read_number(JsonValue value) {
  return value.kind == JsonKind::number ? parse_float(value.raw) : std::nullopt;
}

std::optional<std::int64_t> read_integer(JsonValue value) {
  const ParsedInteger parsed = parse_integer(value.raw);
  return value.kind == JsonKind::number && parsed.text_is_number ? std::optional{parsed.value}
                                                                 : std::nullopt;
}

std::optional<int> read_count(JsonValue value) {
  const auto number = read_integer(value);
  return number && *number >= 0 && *number <= INT32_MAX ? std::optional{static_cast<int>(*number)}
                                                        : std::nullopt;
}

template <class Item>
std::optional<std::vector<Item>> read_list(
    JsonValue value, const std::function<std::optional<Item>(JsonValue)>& read) {
  if (value.kind != JsonKind::array) {
    return std::nullopt;
  }
  std::vector<Item> items;
  JsonElements elements{value};
  while (const auto element = elements.next()) {
    auto item = read(*element);
    if (!item) {
      return std::nullopt;
    }
    items.push_back(*std::move(item));
  }
  return items;
}

std::optional<std::chrono::seconds> read_seconds(JsonValue value) {
  const auto number = read_integer(value);
  return number ? std::optional{std::chrono::seconds{*number}} : std::nullopt;
}

std::optional<std::chrono::microseconds> read_micros(JsonValue value) {
  const auto number = read_integer(value);
  return number ? std::optional{std::chrono::microseconds{*number}} : std::nullopt;
}

std::optional<HttpHeader> read_header(JsonValue value) {
  std::array fields{JsonField{"name"}, JsonField{"value"}};
  HttpHeader header;
  (void)scan_json(value.raw, fields);  // accepted already, as a part of the whole
  const bool is_good = is_given(fields[0]) && read_into(fields[0], header.name, read_text) &&
                       is_given(fields[1]) && read_into(fields[1], header.value, read_text);
  return is_good ? std::optional{std::move(header)} : std::nullopt;
}

std::optional<SigningKey> read_key(JsonValue value) {
  std::array fields{JsonField{"key"}, JsonField{"until_us"}};
  SigningKey key;
  (void)scan_json(value.raw, fields);  // accepted already, as a part of the whole
  std::string encoded;
  const auto read_until = [](JsonValue time) -> std::optional<WallTime> {
    const auto micros = read_integer(time);
    return micros ? std::optional{wall_from_micros(*micros)} : std::nullopt;
  };
  const bool is_good = is_given(fields[0]) && read_into(fields[0], encoded, read_text) &&
                       read_into(fields[1], key.until, read_until);
  auto bytes = is_good ? from_base64(encoded) : std::nullopt;
  if (!bytes) {
    return std::nullopt;
  }
  key.bytes = *std::move(bytes);
  return key;
}

bool is_object(std::string_view json, std::span<JsonField> fields) {
  const JsonScan scan = scan_json(json, fields);
  const auto* value = std::get_if<JsonValue>(&scan);
  return value != nullptr && value->kind == JsonKind::object;
}

}  // namespace

std::string encode_settings(const EndpointSettings& settings) {
  std::string out = "{";
  append_name(out, "description");
  append_json_string(out, settings.description);
  append_name(out, "body");
  append_json_string(out, to_string(settings.body));
  if (settings.concurrency) {
    append_name(out, "concurrency");
    out += std::to_string(*settings.concurrency);
  }
  if (settings.rate_per_second) {
    append_name(out, "rate_per_second");
    append_float(out, *settings.rate_per_second);
  }
  if (settings.timeout) {
    append_name(out, "timeout_us");
    out += std::to_string(settings.timeout->count());
  }
  if (settings.retries) {
    append_name(out, "retries");
    out += std::to_string(*settings.retries);
  }
  if (settings.schedule) {
    append_name(out, "schedule_seconds");
    append_list(out, *settings.schedule,
                [&](std::chrono::seconds step) { out += std::to_string(step.count()); });
  }
  out.push_back('}');
  return out;
}

Result<EndpointSettings> decode_settings(std::string_view json) {
  std::array fields{JsonField{"description"},     JsonField{"body"},       JsonField{"concurrency"},
                    JsonField{"rate_per_second"}, JsonField{"timeout_us"}, JsonField{"retries"},
                    JsonField{"schedule_seconds"}};
  const auto read_body = [](JsonValue value) {
    const auto text = read_text(value);
    return text ? parse_body_format(*text) : std::nullopt;
  };
  const auto read_schedule = [](JsonValue value) {
    return read_list<std::chrono::seconds>(value, read_seconds);
  };
  EndpointSettings settings;
  const bool is_good = is_object(json, fields) &&
                       read_into(fields[0], settings.description, read_text) &&
                       read_into(fields[1], settings.body, read_body) &&
                       read_into(fields[2], settings.concurrency, read_count) &&
                       read_into(fields[3], settings.rate_per_second, read_number) &&
                       read_into(fields[4], settings.timeout, read_micros) &&
                       read_into(fields[5], settings.retries, read_count) &&
                       read_into(fields[6], settings.schedule, read_schedule);
  if (!is_good) {
    return unreadable("its settings");
  }
  return settings;
}

std::string encode_secrets(const EndpointSecrets& secrets) {
  std::string out = "{";
  append_name(out, "url");
  append_json_string(out, secrets.url);
  append_name(out, "headers");
  append_list(out, secrets.headers, [&](const HttpHeader& header) {
    out += R"({"name":)";
    append_json_string(out, header.name);
    out += R"(,"value":)";
    append_json_string(out, header.value);
    out.push_back('}');
  });
  append_name(out, "signing_keys");
  append_list(out, secrets.signing_keys, [&](const SigningKey& key) {
    out += R"({"key":)";
    append_json_string(out, to_base64(key.bytes));
    out += R"(,"until_us":)";
    out += key.until ? std::to_string(micros_since_epoch(*key.until)) : "null";
    out.push_back('}');
  });
  out.push_back('}');
  return out;
}

Result<EndpointSecrets> decode_secrets(std::string_view json) {
  std::array fields{JsonField{"url"}, JsonField{"headers"}, JsonField{"signing_keys"}};
  const auto read_headers = [](JsonValue value) {
    return read_list<HttpHeader>(value, read_header);
  };
  const auto read_keys = [](JsonValue value) { return read_list<SigningKey>(value, read_key); };
  EndpointSecrets secrets;
  const bool is_good = is_object(json, fields) && read_into(fields[0], secrets.url, read_text) &&
                       read_into(fields[1], secrets.headers, read_headers) &&
                       read_into(fields[2], secrets.signing_keys, read_keys);
  if (!is_good) {
    return unreadable("what is sealed");
  }
  return secrets;
}

Endpoint make_endpoint(EventFilter filter, const EndpointSettings& settings,
                       const DeliveryDefaults& defaults) {
  Endpoint endpoint;
  endpoint.filter = std::move(filter);
  endpoint.body = settings.body;
  endpoint.concurrency = settings.concurrency.value_or(defaults.concurrency);
  endpoint.rate_per_second = settings.rate_per_second;
  endpoint.timeout = settings.timeout.value_or(defaults.timeout);
  endpoint.retry = defaults.retry;
  endpoint.retry.retries = settings.retries.value_or(defaults.retry.retries);
  endpoint.retry.schedule = settings.schedule.value_or(defaults.retry.schedule);
  return endpoint;
}

Result<void> add_secrets(Endpoint& endpoint, EndpointSecrets secrets) {
  auto url = parse_webhook_url(secrets.url);
  if (!url) {
    return unreadable("its URL");
  }
  endpoint.url = *std::move(url);
  endpoint.headers = std::move(secrets.headers);
  endpoint.signing_keys = std::move(secrets.signing_keys);
  return {};
}

void rotate_signing_key(std::vector<SigningKey>& keys, std::string new_key, WallTime now,
                        std::chrono::seconds overlap) {
  const WallTime until = now + overlap;
  for (SigningKey& key : keys) {
    key.until = key.until ? std::min(*key.until, until) : until;
  }
  std::erase_if(keys, [&](const SigningKey& key) { return *key.until <= now; });
  keys.insert(keys.begin(), SigningKey{std::move(new_key), std::nullopt});
  if (keys.size() > endpoint_limits::kMaxSigningKeys) {
    keys.resize(endpoint_limits::kMaxSigningKeys);
  }
}

}  // namespace dispatcher
