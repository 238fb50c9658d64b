#include "api/faults.hpp"

#include "base/json_text.hpp"
#include "base/number_text.hpp"

namespace dispatcher {
namespace {

void append_loc(std::string& out, const Loc& loc) {
  out.push_back('[');
  for (std::size_t i = 0; i < loc.size(); ++i) {
    if (i > 0) {
      out.push_back(',');
    }
    if (const auto* name = std::get_if<std::string>(&loc[i])) {
      append_json_string(out, *name);
    } else {
      out += std::to_string(std::get<std::int64_t>(loc[i]));
    }
  }
  out.push_back(']');
}

// `'a', 'b' or 'c'`
std::string list_in_words(std::initializer_list<std::string_view> words) {
  std::string out;
  std::size_t left = words.size();
  for (const std::string_view word : words) {
    out += "'" + std::string{word} + "'";
    --left;
    out += left == 0 ? "" : left == 1 ? " or " : ", ";
  }
  return out;
}

// A whole number without its fraction of zeros.
std::string number_text(double number) {
  std::string text;
  append_float(text, number);
  return text.ends_with(".0") ? text.substr(0, text.size() - 2) : text;
}

}  // namespace

Loc operator/(Loc loc, LocStep step) {
  loc.push_back(std::move(step));
  return loc;
}

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

void Faults::add(std::string_view type, const Loc& loc, std::string_view message,
                 std::string_view input, std::string_view context) {
  if (!entries_.empty()) {
    entries_.push_back(',');
  }
  entries_ += R"({"type":")";
  entries_ += type;
  entries_ += R"(","loc":)";
  append_loc(entries_, loc);
  entries_ += R"(,"msg":)";
  append_json_string(entries_, message);
  entries_ += R"(,"input":)";
  entries_ += input;
  if (!context.empty()) {
    entries_ += R"(,"ctx":)";
    entries_ += context;
  }
  entries_.push_back('}');
}

void Faults::append(const Faults& others) {
  entries_ += entries_.empty() || others.entries_.empty() ? "" : ",";
  entries_ += others.entries_;
}

void Faults::missing(const Loc& loc, std::string_view input) {
  add("missing", loc, "Field required", input);
}

void Faults::not_string(const Loc& loc, std::string_view input) {
  add("string_type", loc, "Input should be a valid string", input);
}

void Faults::not_unicode(const Loc& loc, std::string_view input) {
  add("string_unicode", loc,
      "Input should be a valid string, unable to parse raw data as a unicode string", input);
}

void Faults::not_object(const Loc& loc, std::string_view input) {
  add("dict_type", loc, "Input should be a valid dictionary", input);
}

void Faults::not_model(const Loc& loc, std::string_view input) {
  add("model_attributes_type", loc,
      "Input should be a valid dictionary or object to extract fields from", input);
}

void Faults::not_list(const Loc& loc, std::string_view input) {
  add("list_type", loc, "Input should be a valid list", input);
}

void Faults::not_integer(const Loc& loc, std::string_view input) {
  add("int_parsing", loc, "Input should be a valid integer, unable to parse string as an integer",
      input);
}

void Faults::too_small(const Loc& loc, std::int64_t minimum, std::string_view input) {
  below(loc, std::to_string(minimum), input);
}

void Faults::too_large(const Loc& loc, std::int64_t maximum, std::string_view input) {
  above(loc, std::to_string(maximum), input);
}

void Faults::number_too_small(const Loc& loc, double minimum, std::string_view input) {
  below(loc, number_text(minimum), input);
}

void Faults::number_too_large(const Loc& loc, double maximum, std::string_view input) {
  above(loc, number_text(maximum), input);
}

void Faults::below(const Loc& loc, const std::string& bound, std::string_view input) {
  add("greater_than_equal", loc, "Input should be greater than or equal to " + bound, input,
      R"({"ge":)" + bound + "}");
}

void Faults::above(const Loc& loc, const std::string& bound, std::string_view input) {
  add("less_than_equal", loc, "Input should be less than or equal to " + bound, input,
      R"({"le":)" + bound + "}");
}

void Faults::too_long(const Loc& loc, std::int64_t maximum, std::int64_t actual,
                      std::string_view input) {
  const std::string bound = std::to_string(maximum);
  const std::string count = std::to_string(actual);
  add("too_long", loc,
      "List should have at most " + bound + " items after validation, not " + count, input,
      R"({"field_type":"List","max_length":)" + bound + R"(,"actual_length":)" + count + "}");
}

void Faults::too_short(const Loc& loc, std::int64_t minimum, std::int64_t actual,
                       std::string_view input) {
  const std::string bound = std::to_string(minimum);
  const std::string count = std::to_string(actual);
  add("too_short", loc,
      "List should have at least " + bound + " item" + (minimum == 1 ? "" : "s") +
          " after validation, not " + count,
      input,
      R"({"field_type":"List","min_length":)" + bound + R"(,"actual_length":)" + count + "}");
}

void Faults::not_boolean(const Loc& loc, std::string_view input) {
  add("bool_type", loc, "Input should be a valid boolean", input);
}

void Faults::not_boolean_text(const Loc& loc, std::string_view input) {
  add("bool_parsing", loc, "Input should be a valid boolean, unable to interpret input", input);
}

void Faults::unknown_field(const Loc& loc, std::string_view input) {
  add("extra_forbidden", loc, "Extra inputs are not permitted", input);
}

void Faults::wrong_value(const Loc& loc, std::string_view message, std::string_view input) {
  add("value_error", loc, "Value error, " + std::string{message}, input, R"({"error":{}})");
}

void Faults::text_too_long(const Loc& loc, std::int64_t maximum, std::string_view input) {
  const std::string bound = std::to_string(maximum);
  add("string_too_long", loc, "String should have at most " + bound + " characters", input,
      R"({"max_length":)" + bound + "}");
}

void Faults::not_timestamp(const Loc& loc, std::string_view input) {
  add("datetime_from_date_parsing", loc,
      "Input should be a valid datetime or date, invalid datetime", input,
      R"({"error":"invalid datetime"})");
}

void Faults::not_pattern(const Loc& loc, std::string_view pattern, std::string_view input) {
  add("string_pattern_mismatch", loc, "String should match pattern '" + std::string{pattern} + "'",
      input, R"({"pattern":)" + quoted(pattern) + "}");
}

void Faults::not_one_of(const Loc& loc, std::initializer_list<std::string_view> expected,
                        std::string_view input) {
  const std::string words = list_in_words(expected);
  add("literal_error", loc, "Input should be " + words, input,
      R"({"expected":)" + quoted(words) + "}");
}

void Faults::invalid_json(const Loc& loc, std::string_view error) {
  add("json_invalid", loc, "JSON decode error", "{}", R"({"error":)" + quoted(error) + "}");
}

}  // namespace dispatcher
