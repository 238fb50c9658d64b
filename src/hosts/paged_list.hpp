// A list of the service, read page by page: never more than one page in memory.
#pragma once

#include "hosts/answer_tables.hpp"
#include "hosts/services.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <ostream>
#include <span>
#include <string>

namespace dispatcher {

class PagedList {
 public:
  static constexpr std::int64_t kAll = std::numeric_limits<std::int64_t>::max();

  // `resource` without a query; `query` begins with `&` or is empty. At most `limit` items.
  PagedList(ClientPorts ports, std::string resource, std::string query, std::int64_t limit)
      : ports_(ports), resource_(std::move(resource)), query_(std::move(query)), left_(limit) {}

  // The items of the next page, as an array; empty at the end. A page may have no items. Errors:
  // those of the call, and `refused` for an answer that is no page. A call that fails in passing is
  // made again.
  [[nodiscard]] boost::asio::awaitable<Result<std::optional<std::string>>> next();

 private:
  [[nodiscard]] Result<std::string> take(std::string_view page);

  ClientPorts ports_;
  std::string resource_;
  std::string query_;
  std::string cursor_;
  std::int64_t left_;
  bool is_at_end_ = false;
};

// Prints the items as they come: an array, or a table a page. Exit status.
[[nodiscard]] boost::asio::awaitable<int> print_list(PagedList list,
                                                     std::span<const Column> columns, bool is_json,
                                                     std::ostream& out, std::ostream& err);

}  // namespace dispatcher
