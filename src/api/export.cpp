// `GET /events/export`: all events that a query matches, however many, read in short steps while
// the client takes them.
#include "api/answers.hpp"
#include "api/date_range.hpp"
#include "api/handlers.hpp"

#include "base/csv_text.hpp"

#include <algorithm>

namespace dispatcher {
namespace {

// One read of the store, and so one piece of the answer: what a slow client costs in memory.
constexpr std::size_t kEventsPerPiece = 256;
constexpr std::size_t kBytesPerPiece = 256 * 1024;

enum class ExportFormat { json, csv };

void append_csv_row(std::string& out, const EventView& view) {
  append_uuid(out, view.event.id);
  out.push_back(',');
  append_csv_field(out, view.event.type);
  out.push_back(',');
  append_csv_field(out, view.event.source);
  out.push_back(',');
  out += to_string(view.progress.status);
  out.push_back(',');
  append_timestamp(out, view.event.created_at);
  out.push_back(',');
  append_timestamp(out, view.progress.updated_at);
  out.push_back(',');
  append_csv_field(out, view.event.payload);
  out += "\r\n";
}

class ExportStream final : public BodyStream {
 public:
  ExportStream(Store& store, EventQuery query, ExportFormat format)
      : store_(store), query_(std::move(query)), format_(format) {}

  boost::asio::awaitable<std::optional<std::string>> next() override {
    std::string piece = opening();
    // A read may find nothing and still have more behind it: it is short whatever it finds.
    while (!is_at_end_ && piece.empty()) {
      const bool is_read = co_await read(piece);
      if (!is_read) {
        co_return std::nullopt;
      }
    }
    if (piece.empty()) {
      co_return std::nullopt;
    }
    co_return piece;
  }

  [[nodiscard]] bool is_cut_short() const override { return is_cut_short_; }

 private:
  std::string opening() {
    if (std::exchange(is_open_, true)) {
      return {};
    }
    return format_ == ExportFormat::json
               ? "["
               : "id,type,source,status,created_at,updated_at,payload\r\n";
  }

  boost::asio::awaitable<bool> read(std::string& piece) {
    EventQuery query = query_;
    const auto page =
        co_await store_.list(std::move(query), after_, kEventsPerPiece, kBytesPerPiece);
    if (!page) {
      is_cut_short_ = true;
      is_at_end_ = true;
      co_return false;
    }
    for (const EventView& view : page->events) {
      append_event(piece, view);
    }
    after_ = page->next;
    is_at_end_ = !after_;
    if (is_at_end_ && format_ == ExportFormat::json) {
      piece.push_back(']');
    }
    co_return true;
  }

  void append_event(std::string& piece, const EventView& view) {
    if (format_ == ExportFormat::csv) {
      append_csv_row(piece, view);
      return;
    }
    if (std::exchange(has_events_, true)) {
      piece.push_back(',');
    }
    append_event_json(piece, view.event, view.progress);
  }

  Store& store_;
  EventQuery query_;
  ExportFormat format_;
  std::optional<std::int64_t> after_;
  bool is_open_ = false;
  bool has_events_ = false;
  bool is_at_end_ = false;
  bool is_cut_short_ = false;
};

std::optional<ExportFormat> read_format(const Query& query) {
  const std::string* text = query.find("format");
  if (text == nullptr || *text == "json") {
    return ExportFormat::json;
  }
  return *text == "csv" ? std::optional{ExportFormat::csv} : std::nullopt;
}

}  // namespace

HandlerResult export_events(const ApiContext& context, ApiRequest request) {
  const Query query{request.head.query};
  const auto format = read_format(query);
  if (!format) {
    co_return error_answer(400, "Invalid format. Supported formats: json, csv");
  }
  DateRange range = read_date_range(query);
  if (range.refusal) {
    co_return *std::move(range.refusal);
  }
  const WallTime now = context.clock.wall();
  EventQuery matching;
  matching.from = range.from;
  // What comes in from now on is not part of it, so that the count and the events agree.
  matching.to = std::min(range.to.value_or(now), now);
  if (const std::string* type = query.find_filled("event_type")) {
    matching.type = *type;
  }
  EventQuery counted = matching;
  const auto total = co_await context.store.count(std::move(counted));
  if (!total) {
    co_return store_error_answer(total.error());
  }
  const bool is_json = *format == ExportFormat::json;
  ServerAnswer answer;
  answer.content_type = is_json ? "application/json" : "text/csv; charset=utf-8";
  answer.headers.push_back(
      {"content-disposition",
       "attachment; filename=events_export_" + format_compact(now) + (is_json ? ".json" : ".csv")});
  answer.headers.push_back({"x-total-events", std::to_string(*total)});
  answer.stream = std::make_unique<ExportStream>(context.store, std::move(matching), *format);
  co_return answer;
}

}  // namespace dispatcher
