// A request's JSON body and its fields, read as the original API reads them. Pure.
#pragma once

#include "api/answers.hpp"
#include "api/context.hpp"
#include "api/faults.hpp"
#include "base/json_scanner.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace dispatcher {

// What the body is. Everything in it points into the request's body.
struct BodyRead {
  enum class Kind : std::uint8_t {
    json,
    absent,  // no bytes, or `null`
    text,    // another content type: not looked into
    refused  // `refusal` is the answer
  };
  Kind kind = Kind::absent;
  JsonValue json;
  std::optional<ServerAnswer> refusal;
};

// Fills the fields wanted when the body is an object. A body without a content type is JSON.
[[nodiscard]] BodyRead read_json_body(const ApiRequest& request, std::span<JsonField> fields = {});

// Adds the fault of a body that should be an object and is none; true when it is one.
[[nodiscard]] bool expect_object(const BodyRead& body, const ApiRequest& request, Faults& faults);

// The answer to a JSON fault: 400, or 422 with `loc` and the offset behind it.
[[nodiscard]] ServerAnswer json_fault_answer(const JsonFault& fault, Loc loc);

[[nodiscard]] std::string compact(std::string_view raw);

// The fields of an object. Each adds its fault, if any, at `parent`/name; a fault of absence shows
// the whole object. Optional ones take `null` for absent.
class ObjectReader {
 public:
  ObjectReader(Loc parent, JsonValue object, Faults& faults)
      : parent_(std::move(parent)), object_(object), faults_(faults) {}

  [[nodiscard]] std::optional<std::string> text(const JsonField& field);
  [[nodiscard]] std::optional<std::string> optional_text(const JsonField& field);
  // The object's raw text, byte for byte.
  [[nodiscard]] std::optional<std::string_view> object(const JsonField& field);
  [[nodiscard]] std::optional<std::int64_t> integer(const JsonField& field, std::int64_t minimum,
                                                    std::int64_t maximum);
  [[nodiscard]] std::optional<std::int64_t> optional_integer(const JsonField& field,
                                                             std::int64_t minimum,
                                                             std::int64_t maximum);
  // The elements of a list of them, at most `max_items`.
  [[nodiscard]] std::optional<std::vector<std::int64_t>> optional_integers(const JsonField& field,
                                                                           std::size_t max_items,
                                                                           std::int64_t minimum,
                                                                           std::int64_t maximum);
  [[nodiscard]] std::optional<double> optional_number(const JsonField& field, double minimum,
                                                      double maximum);
  [[nodiscard]] std::optional<bool> optional_boolean(const JsonField& field);
  // A list of strings, at most kMaxItems, or `maximum`.
  [[nodiscard]] std::optional<std::vector<std::string>> texts(const JsonField& field);
  [[nodiscard]] std::optional<std::vector<std::string>> optional_texts(
      const JsonField& field, std::size_t maximum = kMaxItems);
  // The elements of a list of objects, at most `maximum`.
  [[nodiscard]] std::optional<std::vector<JsonValue>> optional_list(const JsonField& field,
                                                                    std::size_t maximum);

  // What is none of `known`: for bodies in which a name that is misspelled would do something else
  // than was meant. `shown`: JSON in the place of what was given, where that may be a secret.
  void refuse_others(std::span<const JsonField> known,
                     std::optional<std::string_view> shown = std::nullopt);

  [[nodiscard]] Loc loc_of(const JsonField& field) const;

 private:
  [[nodiscard]] bool is_present(const JsonField& field);
  [[nodiscard]] std::optional<std::string> text_at(const Loc& loc, JsonValue value);
  [[nodiscard]] std::optional<std::int64_t> integer_at(const Loc& loc, JsonValue value,
                                                       std::int64_t minimum, std::int64_t maximum);

  Loc parent_;
  JsonValue object_;
  Faults& faults_;
};

}  // namespace dispatcher
