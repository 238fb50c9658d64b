#include "api/request_body.hpp"

#include "api/text.hpp"
#include "base/bytes.hpp"
#include "base/json_compact.hpp"
#include "base/number_text.hpp"

#include <algorithm>
#include <cmath>

namespace dispatcher {
namespace {

BodyRead refused(ServerAnswer answer) {
  BodyRead body;
  body.kind = BodyRead::Kind::refused;
  body.refusal = std::move(answer);
  return body;
}

bool is_given(const JsonField& field) {
  return field.value && field.value->kind != JsonKind::null;
}

}  // namespace

BodyRead read_json_body(const ApiRequest& request, std::span<JsonField> fields) {
  BodyRead body;
  if (request.body.empty()) {
    return body;
  }
  const std::string* content_type = request.head.header("content-type");
  if (content_type != nullptr && *content_type != "application/json" &&
      !parse_media_type(*content_type).is_json()) {
    if (!is_valid_utf8(request.body)) {
      return refused(unreadable_body_answer());
    }
    body.kind = BodyRead::Kind::text;
    return body;
  }
  const JsonScan scan = scan_json(request.body, fields);
  if (const auto* fault = std::get_if<JsonFault>(&scan)) {
    return refused(json_fault_answer(*fault, {"body"}));
  }
  body.json = std::get<JsonValue>(scan);
  if (body.json.kind != JsonKind::null) {
    body.kind = BodyRead::Kind::json;
  }
  return body;
}

bool expect_object(const BodyRead& body, const ApiRequest& request, Faults& faults) {
  if (body.kind == BodyRead::Kind::absent) {
    faults.missing({"body"}, "null");
  } else if (body.kind == BodyRead::Kind::text) {
    faults.not_model({"body"}, quoted(request.body));
  } else if (body.json.kind != JsonKind::object) {
    faults.not_model({"body"}, compact(body.json.raw));
  } else {
    return true;
  }
  return false;
}

ServerAnswer json_fault_answer(const JsonFault& fault, Loc loc) {
  if (fault.kind != JsonFault::Kind::syntax) {
    return unreadable_body_answer();
  }
  Faults faults;
  faults.invalid_json(std::move(loc) / static_cast<std::int64_t>(fault.offset), fault.message);
  return faults_answer(faults);
}

std::string compact(std::string_view raw) {
  std::string out;
  out.reserve(raw.size());
  append_compact_json(out, raw);
  return out;
}

Loc ObjectReader::loc_of(const JsonField& field) const {
  return parent_ / std::string{field.name};
}

bool ObjectReader::is_present(const JsonField& field) {
  if (!field.value) {
    faults_.missing(loc_of(field), compact(object_.raw));
  }
  return field.value.has_value();
}

std::optional<std::string> ObjectReader::text_at(const Loc& loc, JsonValue value) {
  if (value.kind != JsonKind::string) {
    faults_.not_string(loc, compact(value.raw));
    return std::nullopt;
  }
  auto text = decode_json_string(value);
  if (!text) {
    faults_.not_unicode(loc, value.raw);
  }
  return text;
}

std::optional<std::string> ObjectReader::text(const JsonField& field) {
  // The location is made only when there is a fault: this is on the way of every event.
  if (field.value && field.value->kind == JsonKind::string) {
    if (auto text = decode_json_string(*field.value)) {
      return text;
    }
  }
  return is_present(field) ? text_at(loc_of(field), *field.value) : std::nullopt;
}

std::optional<std::string> ObjectReader::optional_text(const JsonField& field) {
  return is_given(field) ? text_at(loc_of(field), *field.value) : std::nullopt;
}

std::optional<std::string_view> ObjectReader::object(const JsonField& field) {
  if (!is_present(field)) {
    return std::nullopt;
  }
  if (field.value->kind != JsonKind::object) {
    faults_.not_object(loc_of(field), compact(field.value->raw));
    return std::nullopt;
  }
  return field.value->raw;
}

std::optional<std::int64_t> ObjectReader::optional_integer(const JsonField& field,
                                                           std::int64_t minimum,
                                                           std::int64_t maximum) {
  return is_given(field) ? integer_at(loc_of(field), *field.value, minimum, maximum) : std::nullopt;
}

std::optional<std::int64_t> ObjectReader::integer_at(const Loc& loc, JsonValue value,
                                                     std::int64_t minimum, std::int64_t maximum) {
  const std::string input = compact(value.raw);
  std::string_view digits = input;
  std::optional<std::string> decoded;
  if (value.kind == JsonKind::string) {
    decoded = decode_json_string(value);
    digits = decoded ? std::string_view{*decoded} : std::string_view{};
  } else if (value.kind != JsonKind::number) {
    faults_.add("int_type", loc, "Input should be a valid integer", input);
    return std::nullopt;
  }
  const ParsedInteger parsed = parse_integer(digits);
  if (!parsed.text_is_number) {
    if (value.kind == JsonKind::number) {
      faults_.add("int_from_float", loc,
                  "Input should be a valid integer, got a number with a fractional part", input);
    } else {
      faults_.not_integer(loc, input);
    }
    return std::nullopt;
  }
  if (parsed.value < minimum) {
    faults_.too_small(loc, minimum, input);
    return std::nullopt;
  }
  if (parsed.value > maximum) {
    faults_.too_large(loc, maximum, input);
    return std::nullopt;
  }
  return parsed.value;
}

std::optional<std::vector<std::int64_t>> ObjectReader::optional_integers(const JsonField& field,
                                                                         std::size_t max_items,
                                                                         std::int64_t minimum,
                                                                         std::int64_t maximum) {
  const auto values = optional_list(field, max_items);
  if (!values) {
    return std::nullopt;
  }
  std::vector<std::int64_t> integers;
  for (std::size_t i = 0; i < values->size(); ++i) {
    const Loc loc = loc_of(field) / static_cast<std::int64_t>(i);
    integers.push_back(integer_at(loc, (*values)[i], minimum, maximum).value_or(minimum));
  }
  return integers;
}

std::optional<std::int64_t> ObjectReader::integer(const JsonField& field, std::int64_t minimum,
                                                  std::int64_t maximum) {
  if (field.value && field.value->kind == JsonKind::null) {
    faults_.add("int_type", loc_of(field), "Input should be a valid integer", "null");
    return std::nullopt;
  }
  return is_present(field) ? optional_integer(field, minimum, maximum) : std::nullopt;
}

std::optional<double> ObjectReader::optional_number(const JsonField& field, double minimum,
                                                    double maximum) {
  if (!is_given(field)) {
    return std::nullopt;
  }
  const std::string input = compact(field.value->raw);
  const auto number = field.value->kind == JsonKind::number ? parse_float(input) : std::nullopt;
  if (!number) {
    faults_.add("float_type", loc_of(field), "Input should be a valid number", input);
    return std::nullopt;
  }
  if (*number < minimum) {
    faults_.number_too_small(loc_of(field), minimum, input);
    return std::nullopt;
  }
  if (*number > maximum) {
    faults_.number_too_large(loc_of(field), maximum, input);
    return std::nullopt;
  }
  return number;
}

std::optional<std::vector<JsonValue>> ObjectReader::optional_list(const JsonField& field,
                                                                  std::size_t maximum) {
  if (!is_given(field)) {
    return std::nullopt;
  }
  if (field.value->kind != JsonKind::array) {
    faults_.not_list(loc_of(field), compact(field.value->raw));
    return std::nullopt;
  }
  std::vector<JsonValue> values;
  std::size_t count = 0;
  JsonElements elements{*field.value};
  while (const auto element = elements.next()) {
    if (++count <= maximum) {
      values.push_back(*element);
    }
  }
  if (count > maximum) {
    faults_.too_long(loc_of(field), static_cast<std::int64_t>(maximum),
                     static_cast<std::int64_t>(count), compact(field.value->raw));
    return std::nullopt;
  }
  return values;
}

std::optional<std::vector<std::string>> ObjectReader::optional_texts(const JsonField& field,
                                                                     std::size_t maximum) {
  const auto values = optional_list(field, maximum);
  if (!values) {
    return std::nullopt;
  }
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < values->size(); ++i) {
    auto text = text_at(loc_of(field) / static_cast<std::int64_t>(i), (*values)[i]);
    texts.push_back(std::move(text).value_or(std::string{}));
  }
  return texts;
}

std::optional<bool> ObjectReader::optional_boolean(const JsonField& field) {
  if (!is_given(field)) {
    return std::nullopt;
  }
  if (field.value->kind != JsonKind::boolean) {
    faults_.not_boolean(loc_of(field), compact(field.value->raw));
    return std::nullopt;
  }
  return field.value->raw == "true";
}

void ObjectReader::refuse_others(std::span<const JsonField> known,
                                 std::optional<std::string_view> shown) {
  JsonMembers members{object_};
  while (const auto member = members.next()) {
    const std::string name = decode_json_string(member->name).value_or(std::string{});
    const bool is_known = std::any_of(known.begin(), known.end(),
                                      [&](const JsonField& field) { return field.name == name; });
    if (!is_known) {
      faults_.unknown_field(parent_ / name,
                            shown ? std::string{*shown} : compact(member->value.raw));
    }
  }
}

std::optional<std::vector<std::string>> ObjectReader::texts(const JsonField& field) {
  if (field.value && field.value->kind == JsonKind::null) {
    faults_.not_list(loc_of(field), "null");
    return std::nullopt;
  }
  return is_present(field) ? optional_texts(field) : std::nullopt;
}

}  // namespace dispatcher
