// Validation errors: 422 and `{"detail":[{"type","loc","msg","input","ctx"}, …]}`, in the words of
// the original API's validator. Pure.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace dispatcher {

// One step of a `loc`: a name, or an index or offset.
using LocStep = std::variant<std::string, std::int64_t>;
using Loc = std::vector<LocStep>;

[[nodiscard]] Loc operator/(Loc loc, LocStep step);

// Collects a request's faults in the order in which they shall be shown.
//
// `input` is JSON text, written as it is: a compact value, or what `quoted` makes.
class Faults {
 public:
  void add(std::string_view type, const Loc& loc, std::string_view message, std::string_view input,
           std::string_view context = {});

  void missing(const Loc& loc, std::string_view input);
  void not_string(const Loc& loc, std::string_view input);
  void not_unicode(const Loc& loc, std::string_view input);
  void not_object(const Loc& loc, std::string_view input);  // a field that should be one
  void not_model(const Loc& loc, std::string_view input);   // a body that should be one
  void not_list(const Loc& loc, std::string_view input);
  void not_integer(const Loc& loc, std::string_view input);  // text that does not read as one
  void too_small(const Loc& loc, std::int64_t minimum, std::string_view input);
  void too_large(const Loc& loc, std::int64_t maximum, std::string_view input);
  void number_too_small(const Loc& loc, double minimum, std::string_view input);
  void number_too_large(const Loc& loc, double maximum, std::string_view input);
  void too_long(const Loc& loc, std::int64_t maximum, std::int64_t actual, std::string_view input);
  void too_short(const Loc& loc, std::int64_t minimum, std::int64_t actual, std::string_view input);
  void text_too_long(const Loc& loc, std::int64_t maximum, std::string_view input);
  void not_boolean(const Loc& loc, std::string_view input);       // a field that should be one
  void not_boolean_text(const Loc& loc, std::string_view input);  // text that does not read as one
  // A field that nobody asked for.
  void unknown_field(const Loc& loc, std::string_view input);
  // What no type says; `message` is the end of a sentence.
  void wrong_value(const Loc& loc, std::string_view message, std::string_view input);
  void not_timestamp(const Loc& loc, std::string_view input);
  void not_pattern(const Loc& loc, std::string_view pattern, std::string_view input);
  // `expected`: the values allowed, in order.
  void not_one_of(const Loc& loc, std::initializer_list<std::string_view> expected,
                  std::string_view input);
  void invalid_json(const Loc& loc, std::string_view error);

  // Those of another, behind these.
  void append(const Faults& others);

  [[nodiscard]] bool empty() const { return entries_.empty(); }
  // The answer's body.
  [[nodiscard]] std::string body() const { return R"({"detail":[)" + entries_ + "]}"; }

 private:
  void below(const Loc& loc, const std::string& bound, std::string_view input);
  void above(const Loc& loc, const std::string& bound, std::string_view input);

  std::string entries_;
};

[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace dispatcher
