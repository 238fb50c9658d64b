// The input of an UpdateItem, put together from what it sets, removes and demands. Pure.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html
#pragma once

#include "ports/event_table.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace dispatcher {

// In expressions every name stands behind `#` and every value behind `:`, so that none is a
// reserved word.
class ItemUpdate {
 public:
  explicit ItemUpdate(EventKey key) : key_(std::move(key)) {}

  // `#n1`, for the attribute of that name, whatever is in it; the same each time.
  [[nodiscard]] std::string name(std::string_view attribute);
  // `:v1`, for an attribute value's JSON.
  [[nodiscard]] std::string value(std::string attribute_value);

  // `path` and `operand` are made of the two above.
  void set(std::string_view path, std::string_view operand);
  void remove(std::string_view path);
  // All of them are demanded.
  void require(std::string_view condition);

  // With the item as it was where the condition is not met, so that the caller can see why.
  // `wants_new`: with the item as it is afterwards.
  [[nodiscard]] std::string input(std::string_view table, bool wants_new) const;

 private:
  EventKey key_;
  std::vector<std::string> names_;   // each used as `#nN`, from 1 on
  std::vector<std::string> values_;  // each used as `:vN`, from 1 on
  std::string set_;
  std::string remove_;
  std::string condition_;
};

// `{"id":{"S":…},"created_at":{"S":…}` and, of an index, `,"status":{"S":…}`, without the end.
[[nodiscard]] std::string open_key(const EventKey& key);

}  // namespace dispatcher
