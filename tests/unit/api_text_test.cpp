// Promise: paths, queries, forms and numbers are read as the original API reads them, and no bytes
// that come in break what goes out.
#include "api/cursor.hpp"
#include "api/forms.hpp"
#include "api/text.hpp"
#include "base/bytes.hpp"
#include "base/number_text.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace dispatcher {
namespace {

TEST(Text, percent_escapes_are_decoded_and_broken_ones_stay) {
  EXPECT_EQ(percent_decode("a%20b%2Fc"), "a b/c");
  EXPECT_EQ(percent_decode("%zz%4"), "%zz%4");
  EXPECT_EQ(percent_decode("%C3%A9+"), "é+");
  EXPECT_EQ(percent_decode("%FF"), "\xEF\xBF\xBD");
  EXPECT_EQ(decode_form_text("a+b%2B"), "a b+");
}

TEST(Text, of_several_values_the_last_counts_and_blank_ones_are_kept) {
  const Query query{"a=1&b=&a=2&c&&d=x%3Dy"};
  EXPECT_EQ(*query.find("a"), "2");
  EXPECT_EQ(*query.find("b"), "");
  EXPECT_EQ(query.find_filled("b"), nullptr);
  EXPECT_EQ(*query.find("c"), "");
  EXPECT_EQ(*query.find("d"), "x=y");
  EXPECT_EQ(query.find("e"), nullptr);
}

TEST(Text, media_types_are_known_in_any_case_and_with_parameters) {
  EXPECT_TRUE(parse_media_type("application/json").is_json());
  EXPECT_TRUE(parse_media_type("Application/JSON; charset=utf-8").is_json());
  EXPECT_TRUE(parse_media_type("application/cloudevents+json").is_json());
  EXPECT_FALSE(parse_media_type("text/json").is_json());
  EXPECT_FALSE(parse_media_type("application").is_json());
  EXPECT_FALSE(parse_media_type("application/json/x").is_json());
  EXPECT_EQ(*parse_media_type(R"(multipart/form-data; boundary="a;b\"c")").parameter("boundary"),
            "a;b\"c");
}

TEST(Text, what_is_cut_stays_text) {
  EXPECT_EQ(cut_text("aé", 2), "a");
  EXPECT_EQ(cut_text("aé", 3), "aé");
  EXPECT_TRUE(is_valid_utf8(to_valid_utf8("a\xC3(\xE2\x82\xFF")));
  EXPECT_EQ(latin1_to_utf8("\xE9"), "é");
}

TEST(NumberText, floats_are_printed_as_python_prints_them) {
  const auto printed = [](double number) {
    std::string out;
    append_float(out, number);
    return out;
  };
  EXPECT_EQ(printed(0.0), "0.0");
  EXPECT_EQ(printed(100.0), "100.0");
  EXPECT_EQ(printed(99.5), "99.5");
  EXPECT_EQ(printed(0.0001), "0.0001");
  EXPECT_EQ(printed(0.00001), "1e-05");
  EXPECT_EQ(printed(1e15), "1000000000000000.0");
  EXPECT_EQ(printed(1e16), "1e+16");
}

TEST(NumberText, rates_have_two_decimals_and_no_trailing_zeros) {
  const auto rounded = [](double number) {
    std::string out;
    append_rounded(out, number, 2);
    return out;
  };
  EXPECT_EQ(rounded(200.0 / 3), "66.67");
  EXPECT_EQ(rounded(99.504), "99.5");
  EXPECT_EQ(rounded(0.004), "0.0");
  EXPECT_EQ(rounded(2.675), "2.67");  // its double lies below
}

TEST(NumberText, whole_numbers_are_read_as_the_original_reads_them) {
  EXPECT_EQ(parse_integer(" +1_000 ").value, 1000);
  EXPECT_EQ(parse_integer("10.0").value, 10);
  EXPECT_EQ(parse_integer("-5").value, -5);
  EXPECT_EQ(parse_integer("99999999999999999999").value, INT64_MAX);
  for (const std::string_view text : {"", "a", "1.5", "1__0", "_1", "1_", "0x10", "1e3", "--1"}) {
    EXPECT_FALSE(parse_integer(text).text_is_number) << text;
  }
}

std::string field_of(std::string_view type, std::string_view body, std::string_view name) {
  const auto fields = parse_form(type, body);
  if (!fields) {
    return "malformed";
  }
  const FormField* field = find_field(*fields, name);
  return field == nullptr ? "absent" : field->value;
}

constexpr std::string_view kMultipart = "multipart/form-data; boundary=XX";

TEST(Forms, urlencoded_fields_are_found) {
  constexpr std::string_view kType = "application/x-www-form-urlencoded; charset=utf-8";
  EXPECT_EQ(field_of(kType, "username=api&password=a%20b+c", "password"), "a b c");
  EXPECT_EQ(field_of(kType, "username=", "username"), "absent");
  EXPECT_EQ(field_of("application/json", "username=api", "username"), "absent");
}

TEST(Forms, multipart_fields_are_found) {
  const std::string body =
      "--XX\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\napi\r\n"
      "--XX\r\ncontent-type: text/plain\r\ncontent-disposition: form-data; name=password\r\n\r\n"
      "a\r\nb\r\n--XX--\r\n";
  EXPECT_EQ(field_of(kMultipart, body, "username"), "api");
  EXPECT_EQ(field_of(kMultipart, body, "password"), "a\r\nb");
  EXPECT_EQ(field_of(kMultipart, "preamble\r\n" + body, "username"), "api");
  EXPECT_EQ(field_of(kMultipart, "--XX--", "username"), "absent");
}

TEST(Forms, names_and_values_become_utf8) {
  const auto fields = parse_form(
      kMultipart, "--XX\r\nContent-Disposition: form-data; name=\"a\xFF\"\r\n\r\n\xFF\r\n--XX--");
  ASSERT_TRUE(fields.has_value() && fields->size() == 1);
  EXPECT_EQ(fields->front().name, "a\uFFFD");
  EXPECT_EQ(fields->front().value, "\uFFFD");
}

TEST(Forms, malformed_multipart_bodies_are_refused) {
  const std::string part = "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb";
  const std::array<std::string, 6> bodies{"",
                                          "no delimiter",
                                          part,
                                          part + "\r\n--XX",
                                          "--XX\r\nno colon\r\n\r\nb\r\n--XX--",
                                          "--XXX\r\n\r\n--XX--"};
  for (const std::string& body : bodies) {
    EXPECT_EQ(field_of(kMultipart, body, "a"), "malformed") << body;
  }
  EXPECT_EQ(field_of("multipart/form-data", part + "\r\n--XX--", "a"), "malformed");
}

TEST(Forms, a_part_with_headers_without_end_or_too_many_fields_is_refused) {
  EXPECT_EQ(field_of(kMultipart, "--XX\r\n" + std::string(100'000, 'a'), "a"), "malformed");
  EXPECT_EQ(field_of("application/x-www-form-urlencoded", std::string(100'000, '&'), "a"),
            "malformed");
}

TEST(Cursor, goes_on_in_its_own_direction_only) {
  const std::string cursor = encode_cursor(123, true);
  EXPECT_EQ(decode_cursor(cursor, true), 123);
  EXPECT_FALSE(decode_cursor(cursor, false).has_value());
  for (const std::string_view text : {"x", "", "ZDEyMw==", "ZA", "ZDEyM3g"}) {
    EXPECT_FALSE(decode_cursor(text, true).has_value()) << text;
  }
  for (const std::string_view spelling : {"d0123", "d-0", "d+1", "d1e2"}) {
    EXPECT_FALSE(decode_cursor(to_base64url(spelling), true).has_value()) << spelling;
  }
}

}  // namespace
}  // namespace dispatcher
