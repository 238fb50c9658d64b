// Promises: an UpdateItem's input has each name behind `#` and each value behind `:`, whatever they
// are; what it does not set, remove or demand is not in it.
#include "adapters/dynamodb/item_update.hpp"

#include "adapters/dynamodb/attribute.hpp"

#include <gtest/gtest.h>

#include <set>

namespace dispatcher {
namespace {

ItemUpdate update() {
  return ItemUpdate{EventKey{"one", "2026-01-01T00:00:00Z"}};
}

TEST(item_update, it_is_one_input_of_update_item) {
  ItemUpdate made = update();
  made.set(made.name("lease_until"), made.value(number_attribute(7)));
  made.set(made.name("status"), made.value(string_attribute("pending")));
  made.remove(made.name("lease_token"));
  made.remove(made.name("ttl"));
  made.require("attribute_exists(" + made.name("status") + ")");
  made.require(made.name("ttl") + " = " + made.value(number_attribute(8)));
  EXPECT_EQ(
      made.input("events", true),
      R"({"TableName":"events","Key":{"id":{"S":"one"},"created_at":{"S":"2026-01-01T00:00:00Z"}},)"
      R"("UpdateExpression":"SET #n1 = :v1, #n2 = :v2 REMOVE #n3, #n4",)"
      R"("ConditionExpression":"attribute_exists(#n2) AND #n4 = :v3",)"
      R"("ExpressionAttributeNames":{"#n1":"lease_until","#n2":"status",)"
      R"("#n3":"lease_token","#n4":"ttl"},)"
      R"("ExpressionAttributeValues":{":v1":{"N":"7"},":v2":{"S":"pending"},":v3":{"N":"8"}},)"
      R"("ReturnValues":"ALL_NEW","ReturnValuesOnConditionCheckFailure":"ALL_OLD"})");
}

TEST(item_update, what_it_has_not_is_not_there) {
  ItemUpdate made = update();
  made.remove(made.name("ttl"));
  made.require("attribute_exists(" + made.name("id") + ")");
  EXPECT_EQ(
      made.input("a\"b", false),
      R"({"TableName":"a\"b","Key":{"id":{"S":"one"},"created_at":{"S":"2026-01-01T00:00:00Z"}},)"
      R"-("UpdateExpression":"REMOVE #n1","ConditionExpression":"attribute_exists(#n2)",)-"
      R"("ExpressionAttributeNames":{"#n1":"ttl","#n2":"id"},)"
      R"("ReturnValuesOnConditionCheckFailure":"ALL_OLD"})");
}

TEST(item_update, a_key_is_text_like_any_other) {
  EXPECT_EQ(open_key({"a\"", "b\\"}), R"({"id":{"S":"a\""},"created_at":{"S":"b\\"})");
}

TEST(item_update, a_name_stands_behind_one_placeholder) {
  ItemUpdate made = update();
  const std::string first = made.name("attempts");
  EXPECT_EQ(made.name("attempts"), first);
  made.set(first, made.value("{}"));
  const std::string input = made.input("events", false);
  EXPECT_NE(input.find(R"("ExpressionAttributeNames":{"#n1":"attempts"})"), std::string::npos)
      << input;
}

// An id in an item may be anything; a placeholder has letters, digits and underscores.
TEST(item_update, no_two_names_share_a_placeholder_and_each_is_one) {
  ItemUpdate made = update();
  std::set<std::string> placeholders;
  const std::vector<std::string> names{"ep-1",    "ep_1", "ep.1",    "a b",  "é",
                                       "#status", "\"",   "ep-1-ep", "state"};
  for (const std::string& name : names) {
    const std::string placeholder = made.name(name);
    EXPECT_TRUE(placeholders.insert(placeholder).second) << name;
    ASSERT_GT(placeholder.size(), 1U) << name;
    EXPECT_EQ(placeholder.front(), '#') << name;
    EXPECT_EQ(placeholder.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_", 1),
              std::string::npos)
        << placeholder;
    made.remove(placeholder);
  }
  const auto input = parse_answer(made.input("events", false));
  ASSERT_TRUE(input);
  const auto& said = input->at("ExpressionAttributeNames").as_object();
  ASSERT_EQ(said.size(), names.size());
  for (const std::string& name : names) {
    EXPECT_EQ(said.at(made.name(name)).as_string(), name);
  }
}

}  // namespace
}  // namespace dispatcher
