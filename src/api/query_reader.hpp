// A request's query parameters, checked; each adds its fault, if any, at `["query", NAME]`, or
// where else they came from. Pure.
#pragma once

#include "api/faults.hpp"
#include "api/text.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace dispatcher {

class QueryReader {
 public:
  QueryReader(const Query& query, Faults& faults, Loc parent = {"query"})
      : query_(query), faults_(faults), parent_(std::move(parent)) {}

  // Absent values are absent in the result; so are faulty ones.
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view name);
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view name, std::int64_t minimum,
                                                    std::int64_t maximum);
  [[nodiscard]] std::optional<std::string> text(std::string_view name);
  [[nodiscard]] std::optional<WallTime> timestamp(std::string_view name);
  [[nodiscard]] std::optional<bool> boolean(std::string_view name);
  [[nodiscard]] std::optional<std::string> one_of(std::string_view name,
                                                  std::initializer_list<std::string_view> expected);

 private:
  [[nodiscard]] Loc loc_of(std::string_view name) const { return parent_ / std::string{name}; }

  const Query& query_;
  Faults& faults_;
  Loc parent_;
};

}  // namespace dispatcher
