// Promises: an attribute value is the same plain JSON every time, with its numbers as they are
// stored; what is no attribute value is none, and stands for nothing.
#include "adapters/dynamodb/attribute.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include <vector>

namespace dispatcher {
namespace {

std::optional<std::string> plain(std::string_view attribute) {
  const auto answer = parse_answer(R"({"a":)" + std::string{attribute} + "}");
  return answer ? plain_json(answer->at("a")) : std::nullopt;
}

TEST(plain_json, each_type_is_read) {
  struct Case {
    std::string_view attribute;
    std::string_view json;
  };
  for (const Case& one : {
           Case{R"({"S":"a\"b\\c\n\u00e9"})", R"("a\"b\\c\né")"},
           Case{R"({"S":""})", R"("")"},
           Case{R"({"N":"7"})", "7"},
           Case{R"({"B":"aGk="})", R"("aGk=")"},
           Case{R"({"BOOL":true})", "true"},
           Case{R"({"BOOL":false})", "false"},
           Case{R"({"NULL":true})", "null"},
           Case{R"({"M":{}})", "{}"},
           Case{R"({"M":{"a":{"S":"b"}}})", R"({"a":"b"})"},
           Case{R"({"L":[]})", "[]"},
           Case{R"({"L":[{"N":"1"},{"S":"1"},{"L":[]}]})", R"([1,"1",[]])"},
           Case{R"({"SS":["b","a"]})", R"(["a","b"])"},
           Case{R"({"BS":["Yg==","YQ=="]})", R"(["YQ==","Yg=="])"},
           Case{R"({"NS":["2","10"]})", "[10,2]"},
       }) {
    EXPECT_EQ(plain(one.attribute), one.json) << one.attribute;
  }
}

TEST(plain_json, a_number_is_as_it_is_stored) {
  for (const std::string number :
       {"0", "-0.5", "1.10", "1E+2", "123456789012345678901234567890.12345678",
        "9.9999999999999999999999999999999999999E+125", "1E-130"}) {
    EXPECT_EQ(plain(R"({"N":")" + number + R"("})"), number);
  }
}

TEST(plain_json, members_are_sorted_by_the_bytes_of_their_names) {
  const std::string_view sorted = R"({"":5,"A":{"a":1,"b":2},"B":3,"a":4,"é":6})";
  EXPECT_EQ(plain(R"({"M":{"é":{"N":"6"},"B":{"N":"3"},"":{"N":"5"},"a":{"N":"4"},)"
                  R"("A":{"M":{"b":{"N":"2"},"a":{"N":"1"}}}}})"),
            sorted);
  EXPECT_EQ(plain(R"({"M":{"A":{"M":{"a":{"N":"1"},"b":{"N":"2"}}},"a":{"N":"4"},)"
                  R"("":{"N":"5"},"B":{"N":"3"},"é":{"N":"6"}}})"),
            sorted);
}

TEST(plain_json, a_list_keeps_its_order_and_a_set_has_none) {
  EXPECT_EQ(plain(R"({"L":[{"S":"b"},{"S":"a"}]})"), R"(["b","a"])");
  EXPECT_EQ(plain(R"({"SS":["c","a","b"]})"), plain(R"({"SS":["b","c","a"]})"));
}

TEST(plain_json, what_is_no_attribute_value_is_empty) {
  for (const std::string_view attribute : {
           "7",
           "null",
           R"("S")",
           "[]",
           "{}",  // not under a type
           R"({"S":"a","N":"1"})",
           R"({"X":"a"})",  // not under one that there is
           R"({"s":"a"})",
           R"({"S":7})",
           R"({"S":null})",  //
           R"({"N":7})",
           R"({"N":""})",
           R"({"N":"a"})",  // no number
           R"({"N":" 1"})",
           R"({"N":"1 "})",
           R"({"N":"01"})",  //
           R"({"N":"NaN"})",
           R"({"N":"1,2"})",
           R"({"N":"[]"})",
           R"({"N":"\"1\""})",
           R"({"B":7})",
           R"({"BOOL":"true"})",
           R"({"BOOL":1})",  //
           R"({"M":[]})",
           R"({"M":{"a":7}})",
           R"({"M":{"a":{"b":{"S":""}}}})",
           R"({"L":{}})",
           R"({"L":["a"]})",
           R"({"L":[{"S":"a"},{}]})",  //
           R"({"SS":"a"})",
           R"({"SS":[7]})",
           R"({"SS":[{"S":"a"}]})",
           R"({"NS":["1","a"]})",
           R"({"BS":[null]})",
       }) {
    EXPECT_EQ(plain(attribute), std::nullopt) << attribute;
  }
}

TEST(plain_json, a_set_of_what_is_no_text_is_empty_however_long_it_is) {
  std::string elements;
  for (int i = 0; i < 200; ++i) {
    elements += i % 3 == 0 ? "7," : R"("t)" + std::to_string((i * 37) % 200) + R"(",)";
  }
  EXPECT_EQ(plain(R"({"SS":[)" + elements + R"("z"]})"), std::nullopt);
}

// 32 levels, and the value in them, which is what DynamoDB holds.
TEST(plain_json, the_deepest_item_is_read) {
  std::string attribute;
  std::string json;
  std::string ends;
  std::string json_ends;
  for (int level = 0; level < 16; ++level) {
    attribute += R"({"M":{"m":{"L":[)";
    json += R"({"m":[)";
    ends += "]}}}";
    json_ends += "]}";
  }
  attribute += R"({"N":"1"})" + ends;
  json += "1" + json_ends;
  const auto answer = parse_answer(R"({"Items":[{"id":{"S":"x"},"payload":)" + attribute + "}]}");
  ASSERT_TRUE(answer);
  EXPECT_EQ(plain_json(answer->at("Items").at(0).at("payload")), json);
}

TEST(answer, only_an_object_is_one) {
  EXPECT_TRUE(parse_answer("{}"));
  EXPECT_TRUE(parse_answer(R"( {"Items":[]} )"));
  for (const std::string_view text :
       {"", "[]", "null", "7", "{", "{}{}", R"({"a":})", "{\"a\":\"\xff\"}", R"({"a":"\ud800"})"}) {
    EXPECT_FALSE(parse_answer(text)) << text;
  }
  EXPECT_FALSE(parse_answer(R"({"a":)" + std::string(1'000'000, '[')));
}

TEST(attribute, it_is_read_under_its_own_type_alone) {
  const auto item = parse_answer(
      R"({"s":{"S":"text"},"n":{"N":"-7"},"m":{"M":{"a":{}}},"plain":"text","none":{"NULL":true}})");
  ASSERT_TRUE(item);
  EXPECT_EQ(string_in(*item, "s"), "text");
  EXPECT_EQ(whole_number_in(*item, "n"), -7);
  ASSERT_NE(map_in(*item, "m"), nullptr);
  EXPECT_EQ(map_in(*item, "m")->size(), 1U);
  for (const std::string_view name : {"n", "m", "plain", "none", "absent"}) {
    EXPECT_EQ(string_in(*item, name), std::nullopt) << name;
  }
  for (const std::string_view name : {"s", "m", "plain", "none", "absent"}) {
    EXPECT_EQ(whole_number_in(*item, name), std::nullopt) << name;
  }
  for (const std::string_view name : {"s", "n", "plain", "none", "absent"}) {
    EXPECT_EQ(map_in(*item, name), nullptr) << name;
  }
  EXPECT_NE(object_in(*item, "s"), nullptr);
  EXPECT_EQ(object_in(*item, "plain"), nullptr);
}

TEST(attribute, a_whole_number_is_one_that_fits) {
  struct Case {
    std::string_view content;
    std::optional<std::int64_t> number;
  };
  for (const Case& one :
       {Case{R"("0")", 0}, Case{R"("9223372036854775807")", INT64_MAX},
        Case{R"("-9223372036854775808")", INT64_MIN}, Case{R"("9223372036854775808")", {}},
        Case{R"("1.5")", {}}, Case{R"("1E+2")", {}}, Case{R"("+1")", {}}, Case{R"("")", {}},
        Case{R"(" 1")", {}}, Case{"1", {}}, Case{"null", {}}}) {
    const auto item = parse_answer(R"({"n":{"N":)" + std::string{one.content} + "}}");
    ASSERT_TRUE(item);
    EXPECT_EQ(whole_number_in(*item, "n"), one.number) << one.content;
  }
}

TEST(attribute, what_is_written_is_read_back) {
  const std::string text = "a\"b\\c\n\t\x01é😀";
  const auto item = parse_answer(R"({"s":)" + string_attribute(text) + R"(,"n":)" +
                                 number_attribute(INT64_MIN) + "}");
  ASSERT_TRUE(item);
  EXPECT_EQ(string_in(*item, "s"), text);
  EXPECT_EQ(whole_number_in(*item, "n"), INT64_MIN);
  EXPECT_EQ(string_attribute("a"), R"({"S":"a"})");
  EXPECT_EQ(number_attribute(-7), R"({"N":"-7"})");
}

}  // namespace
}  // namespace dispatcher
