#include "api/endpoint_body.hpp"

#include "api/endpoint_json.hpp"
#include "api/request_body.hpp"
#include "api/text.hpp"
#include "model/custom_header.hpp"
#include "model/endpoint_limits.hpp"
#include "model/signature.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace dispatcher {
namespace {

namespace limits = endpoint_limits;

// In the order in which their faults are shown.
constexpr std::array<std::string_view, 13> kFields{"url",
                                                   "description",
                                                   "types",
                                                   "sources",
                                                   "body",
                                                   "headers",
                                                   "concurrency",
                                                   "rate_per_second",
                                                   "timeout_seconds",
                                                   "retries",
                                                   "schedule_seconds",
                                                   "secret",
                                                   "start"};
constexpr std::array<std::string_view, 3> kSecretFields{"url", "headers", "secret"};
constexpr std::array<std::string_view, 2> kFieldsOfNew{"secret", "start"};

template <std::size_t count>
bool is_among(const std::array<std::string_view, count>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string mask() {
  return quoted(kMask);
}

std::string name_of(const JsonMember& member) {
  return decode_json_string(member.name).value_or(std::string{});
}

// The object as it may be shown: what is no known field may be a secret that was misspelled.
std::string without_secrets(JsonValue object) {
  std::string out = "{";
  JsonMembers members{object};
  while (const auto member = members.next()) {
    const std::string name = name_of(*member);
    const bool is_shown = is_among(kFields, name) && !is_among(kSecretFields, name);
    out += out.ends_with('{') && out.size() == 1 ? "" : ",";
    out += quoted(name) + ":" + (is_shown ? compact(member->value.raw) : mask());
  }
  out.push_back('}');
  return out;
}

class EndpointReader {
 public:
  EndpointReader(JsonValue object, std::span<const JsonField> fields, const TargetRule& rule,
                 Faults& faults)
      : object_(object),
        fields_(fields),
        rule_(rule),
        faults_(faults),
        reader_({"body"}, object, faults) {}

  EndpointBody read(bool is_new) {
    EndpointBody body;
    read_url(is_new, body);
    say(body.description, "description", &EndpointReader::description);
    say(body.types, "types", &EndpointReader::patterns);
    say(body.sources, "sources", &EndpointReader::patterns);
    say(body.body, "body", &EndpointReader::body_format);
    say(body.headers, "headers", &EndpointReader::headers);
    say(body.concurrency, "concurrency", &EndpointReader::concurrency);
    say(body.rate_per_second, "rate_per_second", &EndpointReader::rate);
    say(body.timeout, "timeout_seconds", &EndpointReader::timeout);
    say(body.retries, "retries", &EndpointReader::retries);
    say(body.schedule, "schedule_seconds", &EndpointReader::schedule);
    if (is_new) {
      body.signing_key = signing_key(field("secret"));
      body.start = start(field("start"));
    }
    refuse_unknown(is_new);
    return body;
  }

 private:
  [[nodiscard]] const JsonField& field(std::string_view name) const {
    return *std::find_if(fields_.begin(), fields_.end(),
                         [name](const JsonField& one) { return one.name == name; });
  }

  template <class T>
  void say(Said<T>& target, std::string_view name,
           std::optional<T> (EndpointReader::*read_one)(const JsonField&)) {
    const JsonField& given = field(name);
    if (given.value) {
      target.emplace((this->*read_one)(given));
    }
  }

  void read_url(bool is_needed, EndpointBody& body) {
    const JsonField& given = field("url");
    const Loc loc = reader_.loc_of(given);
    if (!given.value) {
      if (is_needed) {
        faults_.missing(loc, without_secrets(object_));
      }
      return;
    }
    auto text = secret_text(given);
    const auto url = text ? parse_webhook_url(*text) : std::nullopt;
    if (!url) {
      if (text) {
        faults_.wrong_value(loc, *fault_of_webhook_url(*text), mask());
      }
      return;
    }
    const std::string shown = quoted(masked_url(url->display()));
    if (url->target == "/" + std::string{kMask}) {
      faults_.wrong_value(loc, "this is the mask of a URL: leave url out, or give it in full",
                          shown);
    } else if (const auto refusal = rule_ ? rule_(*url) : std::nullopt) {
      faults_.wrong_value(loc, *refusal, shown);
    }
    body.url = std::move(text);
  }

  // The text of a field that is a secret; what is none is a fault that does not show it.
  std::optional<std::string> secret_text(const JsonField& given) {
    if (given.value->kind != JsonKind::string) {
      faults_.not_string(reader_.loc_of(given), mask());
      return std::nullopt;
    }
    auto text = decode_json_string(*given.value);
    if (!text) {
      faults_.not_unicode(reader_.loc_of(given), mask());
    }
    return text;
  }

  std::optional<std::string> description(const JsonField& given) {
    auto text = reader_.optional_text(given);
    if (text && count_characters(*text) > limits::kMaxDescriptionCharacters) {
      faults_.text_too_long(reader_.loc_of(given), limits::kMaxDescriptionCharacters,
                            quoted(*text));
    }
    return text;
  }

  std::optional<std::vector<std::string>> patterns(const JsonField& given) {
    auto texts = reader_.optional_texts(given, limits::kMaxPatterns);
    if (texts && texts->empty()) {
      faults_.too_short(reader_.loc_of(given), 1, 0, "[]");
    }
    for (std::size_t i = 0; texts && i < texts->size(); ++i) {
      const std::string& text = (*texts)[i];
      const Loc loc = reader_.loc_of(given) / static_cast<std::int64_t>(i);
      if (count_characters(text) > limits::kMaxPatternCharacters) {
        faults_.text_too_long(loc, limits::kMaxPatternCharacters, quoted(text));
      } else if (text.find('*') < text.size() - 1) {
        faults_.wrong_value(loc, "a * may stand at the end alone", quoted(text));
      }
    }
    return texts;
  }

  std::optional<BodyFormat> body_format(const JsonField& given) {
    const auto text = reader_.optional_text(given);
    const auto format = text ? parse_body_format(*text) : std::nullopt;
    if (text && !format) {
      faults_.not_one_of(reader_.loc_of(given), {"event", "payload", "standard"}, quoted(*text));
    }
    return format;
  }

  std::optional<std::vector<HttpHeader>> headers(const JsonField& given) {
    if (given.value->kind == JsonKind::null) {
      return std::nullopt;
    }
    const Loc loc = reader_.loc_of(given);
    if (given.value->kind != JsonKind::object) {
      faults_.not_object(loc, mask());
      return std::nullopt;
    }
    std::vector<HttpHeader> headers;
    std::size_t count = 0;
    std::size_t bytes = 0;
    JsonMembers members{*given.value};
    // Those past the limit are not looked at: each is compared with all before it.
    while (const auto member = members.next()) {
      if (++count > limits::kMaxHeaders) {
        break;
      }
      const std::string name = name_of(*member);
      if (auto value = header_value(loc / name, name, member->value, headers)) {
        bytes += name.size() + value->size();
        headers.push_back({name, *std::move(value)});
      }
    }
    if (count > limits::kMaxHeaders || bytes > limits::kMaxHeaderBytes) {
      faults_.wrong_value(loc, "an endpoint has at most 50 headers, of 6,144 bytes together",
                          mask());
    }
    return headers;
  }

  std::optional<std::string> header_value(const Loc& loc, const std::string& name, JsonValue value,
                                          const std::vector<HttpHeader>& others) {
    const bool is_twice = std::any_of(others.begin(), others.end(), [&](const HttpHeader& other) {
      return equals_ignoring_case(other.name, name);
    });
    if (const auto fault = fault_of_header_name(name); fault || is_twice) {
      faults_.wrong_value(loc, fault.value_or("this header is there twice"), mask());
      return std::nullopt;
    }
    auto text = value.kind == JsonKind::string ? decode_json_string(value) : std::nullopt;
    if (!text) {
      faults_.not_string(loc, mask());
      return std::nullopt;
    }
    auto fault = fault_of_header_value(*text);
    if (*text == kMask) {
      fault = "this is the mask of a value: give it in full, or leave headers out";
    }
    if (fault) {
      faults_.wrong_value(loc, *fault, mask());
    }
    return text;
  }

  std::optional<int> concurrency(const JsonField& given) {
    return reader_.optional_integer(given, 1, limits::kMaxConcurrency);
  }

  std::optional<double> rate(const JsonField& given) {
    return reader_.optional_number(given, limits::kMinRatePerSecond, limits::kMaxRatePerSecond);
  }

  std::optional<std::chrono::microseconds> timeout(const JsonField& given) {
    const auto seconds =
        reader_.optional_number(given, limits::kMinTimeoutSeconds, limits::kMaxTimeoutSeconds);
    return seconds ? std::optional{std::chrono::microseconds{std::llround(*seconds * 1e6)}}
                   : std::nullopt;
  }

  std::optional<int> retries(const JsonField& given) {
    return reader_.optional_integer(given, 0, limits::kMaxRetries);
  }

  std::optional<std::vector<std::chrono::seconds>> schedule(const JsonField& given) {
    const auto steps = reader_.optional_integers(
        given, limits::kMaxScheduleSteps, limits::kMinScheduleSeconds, limits::kMaxScheduleSeconds);
    if (!steps) {
      return std::nullopt;
    }
    std::vector<std::chrono::seconds> schedule;
    for (const std::int64_t step : *steps) {
      schedule.emplace_back(step);
    }
    return schedule;
  }

  std::optional<std::string> signing_key(const JsonField& given) {
    if (!given.value || given.value->kind == JsonKind::null) {
      return std::nullopt;
    }
    const auto text = secret_text(given);
    if (!text) {
      return std::nullopt;
    }
    const auto key = parse_signing_secret(*text);
    if (!text->starts_with(kSigningSecretPrefix) || !key ||
        key->size() < limits::kMinSigningKeyBytes || key->size() > limits::kMaxSigningKeyBytes) {
      faults_.wrong_value(reader_.loc_of(given),
                          "this is not whsec_ and the base64 of 24 to 64 bytes", mask());
      return std::nullopt;
    }
    return *key;
  }

  EndpointStart start(const JsonField& given) {
    const auto text = reader_.optional_text(given);
    if (text && *text != "now" && *text != "pending") {
      faults_.not_one_of(reader_.loc_of(given), {"now", "pending"}, quoted(*text));
    }
    return text == "pending" ? EndpointStart::pending : EndpointStart::now;
  }

  // A setting that is misspelled would be silently not made.
  void refuse_unknown(bool is_new) {
    JsonMembers members{object_};
    while (const auto member = members.next()) {
      const std::string name = name_of(*member);
      if (!is_among(kFields, name) || (!is_new && is_among(kFieldsOfNew, name))) {
        faults_.unknown_field({"body", name}, mask());
      }
    }
  }

  JsonValue object_;
  std::span<const JsonField> fields_;
  const TargetRule& rule_;
  Faults& faults_;
  ObjectReader reader_;
};

template <class T>
void take_over(const Said<T>& said, T& target) {
  if (said) {
    target = said->value_or(T{});
  }
}

template <class T>
void take_over(const Said<T>& said, std::optional<T>& target) {
  if (said) {
    target = *said;
  }
}

}  // namespace

std::vector<JsonField> endpoint_fields() {
  std::vector<JsonField> fields;
  fields.reserve(std::size(kFields));
  for (const std::string_view name : kFields) {
    fields.push_back(JsonField{name});
  }
  return fields;
}

EndpointBody read_new_endpoint(JsonValue object, std::span<const JsonField> fields,
                               const TargetRule& rule, Faults& faults) {
  return EndpointReader{object, fields, rule, faults}.read(true);
}

EndpointBody read_endpoint_change(JsonValue object, std::span<const JsonField> fields,
                                  const TargetRule& rule, Faults& faults) {
  return EndpointReader{object, fields, rule, faults}.read(false);
}

void apply(const EndpointBody& body, EndpointDraft& draft) {
  if (body.url) {
    draft.secrets.url = *body.url;
  }
  take_over(body.headers, draft.secrets.headers);
  if (body.signing_key) {
    draft.secrets.signing_keys = {{*body.signing_key, std::nullopt}};
  }
  if (body.types) {
    draft.filter.types = body.types->value_or(EventFilter{}.types);
  }
  if (body.sources) {
    draft.filter.sources = body.sources->value_or(EventFilter{}.sources);
  }
  take_over(body.description, draft.settings.description);
  take_over(body.body, draft.settings.body);
  take_over(body.concurrency, draft.settings.concurrency);
  take_over(body.rate_per_second, draft.settings.rate_per_second);
  take_over(body.timeout, draft.settings.timeout);
  take_over(body.retries, draft.settings.retries);
  take_over(body.schedule, draft.settings.schedule);
}

}  // namespace dispatcher
