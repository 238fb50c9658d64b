// Promise: exactly the JSON of RFC 8259 is accepted, faults are named and placed as Python's json
// module names and places them, and what is given back is the sender's own bytes.
#include "base/json_scanner.hpp"

#include "base/json_compact.hpp"
#include "fakes/sim_random.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <array>
#include <string>

namespace dispatcher {
namespace {

std::string fault_of(std::string_view text) {
  const JsonScan scan = scan_json(text);
  const auto* fault = std::get_if<JsonFault>(&scan);
  if (fault == nullptr) {
    return "accepted";
  }
  switch (fault->kind) {
    case JsonFault::Kind::too_deep: return "too deep";
    case JsonFault::Kind::not_utf8: return "not UTF-8";
    case JsonFault::Kind::syntax: break;
  }
  return std::string{fault->message} + " " + std::to_string(fault->offset);
}

std::string root_of(std::string_view text) {
  const JsonScan scan = scan_json(text);
  const auto* value = std::get_if<JsonValue>(&scan);
  return value == nullptr ? "refused" : std::string{value->raw};
}

std::string compacted(std::string_view text) {
  std::string out;
  append_compact_json(out, root_of(text));
  return out;
}

TEST(JsonScanner, faults_are_named_and_placed_as_python_does) {
  struct Case {
    std::string_view text;
    std::string_view fault;
  };
  constexpr std::array kCases{
      Case{"", "Expecting value 0"},
      Case{"  ", "Expecting value 2"},
      Case{"nul", "Expecting value 0"},
      Case{"-", "Expecting value 0"},
      Case{"NaN", "Expecting value 0"},
      Case{"-Infinity", "Expecting value 0"},
      Case{"01", "Extra data 1"},
      Case{"1.", "Extra data 1"},
      Case{"1e", "Extra data 1"},
      Case{"{} x", "Extra data 3"},
      Case{"[1,]", "Expecting value 3"},
      Case{"[1 2]", "Expecting ',' delimiter 3"},
      Case{"[1", "Expecting ',' delimiter 2"},
      Case{"{", "Expecting property name enclosed in double quotes 1"},
      Case{"{'a':1}", "Expecting property name enclosed in double quotes 1"},
      Case{R"({"a":1,})", "Expecting property name enclosed in double quotes 7"},
      Case{R"({"a" 1})", "Expecting ':' delimiter 5"},
      Case{R"({"a":})", "Expecting value 5"},
      Case{R"({"a":1 "b":2})", "Expecting ',' delimiter 7"},
      Case{R"({"é":1 x})", "Expecting ',' delimiter 7"},
      Case{R"("abc)", "Unterminated string starting at 0"},
      Case{R"("abc\)", "Unterminated string starting at 0"},
      Case{"\"a\nb\"", "Invalid control character at 2"},
      Case{R"("\x")", R"(Invalid \escape 1)"},
      Case{R"("\u12")", R"(Invalid \uXXXX escape 2)"},
      Case{R"("\u123g")", R"(Invalid \uXXXX escape 2)"},
      Case{R"("\u1234)", R"(Invalid \uXXXX escape 2)"},
      Case{R"("\ud800\uzzzz")", R"(Invalid \uXXXX escape 8)"},
      Case{"\xEF\xBB\xBF{", "Expecting property name enclosed in double quotes 1"},
      Case{"\xEF\xBB\xBF{}", "accepted"},
      Case{"\"\xFF\"", "not UTF-8"},
      Case{"{\xFF", "not UTF-8"},
      Case{"\"\xED\xA0\x80\"", "not UTF-8"},
  };
  for (const Case& one : kCases) {
    EXPECT_EQ(fault_of(one.text), one.fault) << one.text;
  }
}

TEST(JsonScanner, nesting_is_limited_and_deeper_texts_are_refused_before_they_end) {
  const std::string deepest = std::string(kMaxJsonDepth, '[') + std::string(kMaxJsonDepth, ']');
  EXPECT_EQ(fault_of(deepest), "accepted");
  EXPECT_EQ(fault_of("[" + deepest + "]"), "too deep");
  EXPECT_EQ(fault_of(std::string(100'000, '[')), "too deep");
}

TEST(JsonScanner, wanted_members_are_spans_of_the_text) {
  std::array fields{JsonField{"type"}, JsonField{"payload"}, JsonField{"absent"}};
  const std::string_view text =
      R"( { "x":{"type":1}, "type" : "a\"b" , "payload" :  { "n" : 1.0 , "m":[ 1e3 ] }  } )";
  ASSERT_TRUE(std::holds_alternative<JsonValue>(scan_json(text, fields)));
  EXPECT_EQ(fields[0].value->raw, R"("a\"b")");
  EXPECT_EQ(fields[0].value->kind, JsonKind::string);
  EXPECT_EQ(fields[1].value->raw, R"({ "n" : 1.0 , "m":[ 1e3 ] })");
  EXPECT_EQ(fields[1].value->kind, JsonKind::object);
  EXPECT_FALSE(fields[2].value.has_value());
}

TEST(JsonScanner, the_last_of_several_members_counts_and_escaped_names_are_the_same_names) {
  std::array fields{JsonField{"a"}};
  (void)scan_json(R"({"a":1,"\u0061":2,"a ":3})", fields);
  EXPECT_EQ(fields[0].value->raw, "2");
}

TEST(JsonScanner, elements_come_in_order_with_what_is_inside_them) {
  const JsonScan scan = scan_json(R"( [ 1 , [2,[3]] ,"a,]" , {"b":[]} ] )");
  JsonElements elements{std::get<JsonValue>(scan)};
  std::string seen;
  while (const auto element = elements.next()) {
    seen += std::string{element->raw} + "|";
  }
  EXPECT_EQ(seen, R"(1|[2,[3]]|"a,]"|{"b":[]}|)");
}

TEST(JsonScanner, members_come_in_order_with_those_of_the_same_name) {
  const auto members_of = [](std::string_view text) {
    const JsonScan scan = scan_json(text);
    std::string seen;
    JsonMembers members{std::get<JsonValue>(scan)};
    while (const auto member = members.next()) {
      seen += *decode_json_string(member->name) + "=" + std::string{member->value.raw} + ";";
    }
    return seen;
  };
  EXPECT_EQ(members_of("{}"), "");
  EXPECT_EQ(members_of(" { } "), "");
  EXPECT_EQ(members_of(R"( { "a" : {"b":[1,2]} , "a":"}" ,"\u0063:": null } )"),
            R"(a={"b":[1,2]};a="}";c:=null;)");
}

TEST(JsonScanner, strings_are_decoded_and_half_pairs_are_no_text) {
  const auto decode = [](std::string_view raw) {
    return decode_json_string({JsonKind::string, raw});
  };
  EXPECT_EQ(decode(R"("a\n\u00e9\ud83d\ude00\/")"), "a\né😀/");
  EXPECT_EQ(decode(R"("\u0000")"), std::string(1, '\0'));
  EXPECT_FALSE(decode(R"("\ud800")").has_value());
  EXPECT_FALSE(decode(R"("\ude00\ud83d")").has_value());
  EXPECT_FALSE(decode(R"("\ud800\u0041")").has_value());
}

TEST(JsonScanner, what_is_echoed_is_spelled_as_python_spells_it) {
  EXPECT_EQ(compacted(R"( { "a" : [ 1 , 1.50 , 1e3, -0, 1E400 ] , "b" : "\u00e9\/\ud800" } )"),
            R"({"a":[1,1.5,1000.0,0,1E400],"b":"\u00e9\/\ud800"})");
  EXPECT_EQ(compacted(R"([ "\u00e9 x" , true , null , 1e16 , 1e-5 ])"),
            R"(["é x",true,null,1e+16,1e-05])");
}

// boost::json is the independent judge of what JSON is.
bool boost_accepts(const std::string& text) {
  boost::json::parse_options options;
  options.max_depth = kMaxJsonDepth;
  boost::json::error_code error;
  boost::json::parse(text, error, {}, options);
  return !error;
}

std::string mutate(fakes::SimRandom& random, std::string text) {
  static constexpr std::string_view kBytes = "{}[]\",:\\u0123456789aeE+-.ntf \n\x01\xC3\xA9\xFF";
  const auto changes = random.between(std::int64_t{1}, std::int64_t{4});
  for (std::int64_t i = 0; i < changes && !text.empty(); ++i) {
    const auto at = static_cast<std::size_t>(
        random.between(std::int64_t{0}, static_cast<std::int64_t>(text.size()) - 1));
    const char byte = kBytes[static_cast<std::size_t>(
        random.between(std::int64_t{0}, static_cast<std::int64_t>(kBytes.size()) - 1))];
    switch (random.between(std::int64_t{0}, std::int64_t{2})) {
      case 0: text[at] = byte; break;
      case 1: text.insert(at, 1, byte); break;
      default: text.erase(at, 1);
    }
  }
  return text;
}

TEST(JsonScanner, accepts_what_boost_json_accepts) {
  constexpr std::array<std::string_view, 6> kSeeds{
      R"({"type":"a.b","source":"s","payload":{"a":[1,2.5,-3e4,true,false,null]}})",
      R"([{"a":{"b":{"c":[[],{}]}}},"é\u00e9\n\ud83d\ude00"])",
      R"(  {"x" : "\\\"\/\b\f\n\r\t", "y":0.1e+5}  )",
      R"("plain")",
      R"(-0.0)",
      R"([[[[[[1]]]]]])"};
  fakes::SimRandom random{20'260'101};
  int accepted = 0;
  for (int i = 0; i < 60'000; ++i) {
    const auto seed = kSeeds[static_cast<std::size_t>(i) % kSeeds.size()];
    const std::string text = mutate(random, std::string{seed});
    // Halves of surrogate pairs are JSON to us, as to Python, but not to Boost.
    if (text.find("\\u") != std::string::npos || text.starts_with("\xEF\xBB\xBF")) {
      continue;
    }
    const bool is_ours = fault_of(text) == "accepted";
    ASSERT_EQ(is_ours, boost_accepts(text)) << text << "\n" << fault_of(text);
    accepted += is_ours ? 1 : 0;
  }
  EXPECT_GT(accepted, 1000);
}

}  // namespace
}  // namespace dispatcher
