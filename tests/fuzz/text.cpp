// Promise: queries, media types and header texts become UTF-8 whatever bytes they have, what is
// encoded is decoded to itself, and a number in a query is that number or none.
#include "api/text.hpp"

#include "api/query_reader.hpp"
#include "base/bytes.hpp"
#include "base/json_scanner.hpp"
#include "base/json_text.hpp"
#include "base/number_text.hpp"
#include "base/url_text.hpp"
#include "fuzz/fuzz_target.hpp"

#include <cmath>
#include <string>

namespace dispatcher::fuzz {
namespace {

void check_decoding(std::string_view input) {
  promise(is_valid_utf8(percent_decode(input)), "a path is UTF-8");
  promise(is_valid_utf8(decode_form_text(input)), "a form's text is UTF-8");
  promise(is_valid_utf8(latin1_to_utf8(input)), "a header is shown as UTF-8");
  const std::string valid = to_valid_utf8(std::string{input});
  promise(is_valid_utf8(valid), "what is made valid is valid");
  promise(!is_valid_utf8(input) || valid == input, "what is valid stays as it is");
  promise(percent_decode(percent_encode(valid)) == valid, "what is encoded is decoded");
  promise(decode_form_text(percent_encode(valid)) == valid, "what is encoded is decoded");
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{5}}) {
    const std::string_view cut = cut_text(valid, size);
    promise(cut.size() <= size && is_valid_utf8(cut), "a text is cut between characters");
  }
  std::string quoted_text;
  append_json_string(quoted_text, valid);
  promise(decode_json_string({JsonKind::string, quoted_text}) == valid,
          "a text written as JSON is read as itself");
}

void check_query(std::string_view input) {
  const Query query{input};
  Faults faults;
  QueryReader reader{query, faults};
  const auto limit = reader.integer("limit", 1, 1000);
  promise(!limit || (*limit >= 1 && *limit <= 1000), "a number is within its range");
  (void)reader.timestamp("from");
  const auto order = reader.one_of("order", {"asc", "desc"});
  promise(!order || *order == "asc" || *order == "desc", "a choice is one of its values");
  promise(std::holds_alternative<JsonValue>(scan_json(faults.body())), "faults are JSON");
}

void check_numbers(std::string_view input) {
  const ParsedInteger integer = parse_integer(input);
  if (integer.text_is_number) {
    const auto again = parse_integer(std::to_string(integer.value));
    promise(again.text_is_number && again.value == integer.value,
            "a number written again is the same number");
  }
  if (const auto number = parse_float(input)) {
    promise(std::isfinite(*number), "a number is finite");
    std::string written;
    append_float(written, *number);
    promise(parse_float(written) == *number, "a fraction written again is the same fraction");
    std::string rounded;
    append_rounded(rounded, *number, 2);
    promise(parse_float(rounded).has_value(), "a fraction rounded is a number");
  }
}

void check(std::string_view input) {
  check_decoding(input);
  check_query(input);
  check_numbers(input);
  const MediaType media = parse_media_type(input);
  promise(media.type.find('/') == std::string::npos && media.subtype.find('/') == std::string::npos,
          "a media type has two parts");
  const auto bytes = from_base64(input);
  promise(!bytes || to_base64(*bytes) == input, "base64 has one spelling");
  const auto url_bytes = from_base64url(input);
  promise(!url_bytes || to_base64url(*url_bytes) == input, "base64url has one spelling");
  const auto hex = from_hex(input);
  promise(!hex || hex->size() * 2 == input.size(), "two digits are a byte");
}

const Registration kTarget{"text", check};

}  // namespace
}  // namespace dispatcher::fuzz
