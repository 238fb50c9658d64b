#include "hosts/export_command.hpp"

#include "base/csv_text.hpp"
#include "hosts/answer_tables.hpp"
#include "hosts/client_answers.hpp"
#include "hosts/events_filter.hpp"
#include "hosts/paged_list.hpp"
#include "hosts/whole_file.hpp"

#include <array>
#include <optional>
#include <utility>

namespace dispatcher {
namespace {

// The columns of the service's own export.
constexpr std::array<std::string_view, 6> kTextColumns{"id",     "type",       "source",
                                                       "status", "created_at", "updated_at"};

std::string csv_row(std::string_view event) {
  std::array<JsonField, kTextColumns.size() + 1> fields;
  for (std::size_t i = 0; i < kTextColumns.size(); ++i) {
    fields[i].name = kTextColumns[i];
  }
  fields.back().name = "payload";
  (void)scan_json(event, fields);  // what cannot be read is an empty field
  std::string row;
  for (std::size_t i = 0; i < kTextColumns.size(); ++i) {
    const auto& value = fields[i].value;
    const bool is_text = value && value->kind == JsonKind::string;
    append_csv_field(row, is_text ? decode_json_string(*value).value_or(std::string{}) : "");
    row += ',';
  }
  append_csv_field(row, fields.back().value ? fields.back().value->raw : std::string_view{});
  return row + "\r\n";
}

// The text of the export, piece by piece.
class ExportText {
 public:
  explicit ExportText(bool is_csv) : is_csv_(is_csv) {}

  [[nodiscard]] std::string begin() const {
    return is_csv_ ? "id,type,source,status,created_at,updated_at,payload\r\n" : "[";
  }

  [[nodiscard]] std::string piece(std::string_view items) {
    std::string text;
    for (const auto& item : elements_of(JsonValue{JsonKind::array, items})) {
      if (is_csv_) {
        text += csv_row(item);
        continue;
      }
      text += std::exchange(has_events_, true) ? "," : "";
      text += item;
    }
    return text;
  }

  [[nodiscard]] std::string end() const { return is_csv_ ? "" : "]\n"; }

 private:
  bool is_csv_;
  bool has_events_ = false;
};

// Standard output or the file.
class Destination {
 public:
  Destination(std::ostream& out, std::optional<WholeFile> file)
      : out_(out), file_(std::move(file)) {}

  [[nodiscard]] Result<void> write(std::string_view text) {
    return file_ ? file_->write(text) : after(out_ << text);
  }
  [[nodiscard]] Result<void> finish() {
    return file_ ? file_->finish() : after(out_ << std::flush);
  }

 private:
  [[nodiscard]] static Result<void> after(const std::ostream& out) {
    return out ? Result<void>{} : make_error(ErrorKind::refused, "cannot write to standard output");
  }

  std::ostream& out_;
  std::optional<WholeFile> file_;
};

boost::asio::awaitable<Result<void>> export_events(PagedList events, ExportText text,
                                                   Destination destination) {
  auto written = destination.write(text.begin());
  while (written) {
    const auto page = co_await events.next();
    if (!page) {
      co_return page.error();
    }
    if (!*page) {
      written = destination.write(text.end());
      co_return written ? destination.finish() : written;
    }
    written = destination.write(text.piece(**page));
  }
  co_return written;
}

Result<std::optional<WholeFile>> open_file(const std::string& path) {
  if (path.empty()) {
    return std::optional<WholeFile>{};
  }
  auto file = WholeFile::make(path);
  if (!file) {
    return file.error();
  }
  return std::optional<WholeFile>{std::move(*file)};
}

}  // namespace

boost::asio::awaitable<int> run_export(ClientPorts ports, ExportConfig config, std::ostream& out,
                                       std::ostream& err) {
  auto file = open_file(config.file);
  if (!file) {
    co_return report_error(err, file.error());
  }
  PagedList events{ports, "/events", query_of(config.filter), PagedList::kAll};
  ExportText text{config.is_csv};
  Destination destination{out, std::move(*file)};
  const auto done = co_await export_events(std::move(events), text, std::move(destination));
  co_return done ? 0 : report_error(err, done.error());
}

}  // namespace dispatcher
