#include "hosts/paged_list.hpp"

#include "base/url_text.hpp"
#include "hosts/client_answers.hpp"
#include "hosts/text_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace dispatcher {
namespace {

// The service's pages.
constexpr std::int64_t kMaxPage = 1000;

// Prints items as they come: an array, or a table a page.
class ListPrinter {
 public:
  ListPrinter(std::ostream& out, std::span<const Column> columns, bool is_json)
      : out_(out), columns_(columns), is_json_(is_json) {}

  void print(std::span<const std::string_view> items) {
    if (is_json_) {
      for (const auto& item : items) {
        out_ << (std::exchange(has_begun_, true) ? "," : "[") << item;
      }
      return;
    }
    std::vector<TableRow> rows;
    if (!std::exchange(has_begun_, true)) {
      rows.push_back(heading(columns_));
    }
    for (const auto& item : items) {
      rows.push_back(row_of_object(item, columns_));
    }
    out_ << text_table(rows);
  }

  void end() {
    if (is_json_) {
      out_ << (has_begun_ ? "]\n" : "[]\n");
    }
    out_.flush();
  }

 private:
  std::ostream& out_;
  std::span<const Column> columns_;
  bool is_json_;
  bool has_begun_ = false;
};

}  // namespace

boost::asio::awaitable<Result<std::optional<std::string>>> PagedList::next() {
  if (is_at_end_ || left_ <= 0) {
    co_return std::optional<std::string>{};
  }
  TriggersRequest request;
  request.path = fmt::format("{}?limit={}{}", resource_, std::min(left_, kMaxPage), query_);
  request.path += cursor_.empty() ? "" : "&cursor=" + percent_encode(cursor_);
  const auto answer = co_await request_patiently(ports_, std::move(request), true);
  if (!answer) {
    co_return answer.error();
  }
  if (answer->status != 200) {
    co_return answer_error(*answer);
  }
  auto items = take(answer->body);
  if (!items) {
    co_return items.error();
  }
  co_return std::optional{std::move(*items)};
}

Result<std::string> PagedList::take(std::string_view page) {
  std::array fields{JsonField{"items"}, JsonField{"next_cursor"}};
  (void)scan_json(page, fields);  // what cannot be read has no items
  const auto& items = fields[0].value;
  if (!items || items->kind != JsonKind::array) {
    return make_error(ErrorKind::refused,
                      fmt::format("the service answered GET {} with something else than a page of "
                                  "a list (is the base URL right?)",
                                  resource_));
  }
  left_ -= static_cast<std::int64_t>(elements_of(items).size());
  const auto& next = fields[1].value;
  if (!next || next->kind != JsonKind::string) {
    is_at_end_ = true;
    return std::string{items->raw};
  }
  auto cursor = decode_json_string(*next).value_or(std::string{});
  if (cursor.empty() || cursor == cursor_) {
    // It would be the same page for ever.
    return make_error(
        ErrorKind::refused,
        fmt::format("the service answered GET {} with a next_cursor that leads nowhere",
                    resource_));
  }
  cursor_ = std::move(cursor);
  return std::string{items->raw};
}

boost::asio::awaitable<int> print_list(PagedList list, std::span<const Column> columns,
                                       bool is_json, std::ostream& out, std::ostream& err) {
  ListPrinter printer{out, columns, is_json};
  for (;;) {
    const auto page = co_await list.next();
    if (!page) {
      co_return report_error(err, page.error());
    }
    if (!*page) {
      break;
    }
    printer.print(elements_of(JsonValue{JsonKind::array, **page}));
  }
  printer.end();
  co_return out ? 0 : 1;
}

}  // namespace dispatcher
