#include "base/log.hpp"

#include "base/bytes.hpp"
#include "base/json_text.hpp"
#include "base/time.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

namespace dispatcher {
namespace {

std::string_view cut(std::string_view text) {
  if (text.size() <= Log::kMaxFieldBytes) {
    return text;
  }
  std::size_t end = Log::kMaxFieldBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
    --end;  // never through the middle of a character
  }
  return text.substr(0, end);
}

std::string clean(std::string_view text) {
  std::string out{cut(text)};
  if (!is_valid_utf8(out)) {
    for (char& c : out) {
      if (static_cast<unsigned char>(c) >= 0x80) {
        c = '?';
      }
    }
  }
  if (out.size() < text.size()) {
    out += "…";
  }
  return out;
}

// For a terminal: control characters could start a line of their own, or move the cursor.
std::string on_one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  return text;
}

void append_value(std::string& line, const LogField& field) {
  if (const auto* text = std::get_if<std::string_view>(&field.value)) {
    append_json_string(line, clean(*text));
  } else if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
    fmt::format_to(std::back_inserter(line), "{}", *number);
  } else if (const auto* real = std::get_if<double>(&field.value)) {
    // JSON has no infinity and no NaN.
    fmt::format_to(std::back_inserter(line), "{}",
                   std::isfinite(*real) ? fmt::to_string(*real) : "null");
  } else {
    line += std::get<bool>(field.value) ? "true" : "false";
  }
}

}  // namespace

std::string_view to_string(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::warning: return "warning";
    case LogLevel::error: return "error";
  }
  return "unknown";
}

Log::Log(LogLevel threshold, LogFormat format, Sink sink)
    : threshold_(threshold), format_(format), sink_(std::move(sink)) {}

Log::Sink Log::stderr_sink() {
  return [](std::string_view line) {
    std::string whole{line};
    whole.push_back('\n');
    // A log that cannot be written must not stop deliveries; there is nowhere to say so.
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, whole.data(), whole.size());
  };
}

Log Log::with(std::string name, std::string value) const {
  Log log = *this;
  log.context_.emplace_back(std::move(name), std::move(value));
  return log;
}

void Log::write(LogLevel level, std::string_view message,
                std::initializer_list<LogField> fields) const {
  if (!is_enabled(level)) {
    return;
  }
  // The log stamps its own lines: the time at which a line was written is not an input of anything.
  const auto now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  std::string line;
  line.reserve(256);
  const auto for_each_field = [&](auto append) {
    for (const auto& [name, value] : context_) {
      append(LogField{name, value});
    }
    for (const LogField& field : fields) {
      append(field);
    }
  };
  if (format_ == LogFormat::json) {
    line += R"({"time":")";
    append_timestamp(line, now);
    line += R"(","level":")";
    line += to_string(level);
    line += R"(","message":)";
    append_json_string(line, clean(message));
    for_each_field([&](const LogField& field) {
      line.push_back(',');
      append_json_string(line, field.name);
      line.push_back(':');
      append_value(line, field);
    });
    line.push_back('}');
  } else {
    append_timestamp(line, now);
    fmt::format_to(std::back_inserter(line), " {:<7} {}", to_string(level),
                   on_one_line(clean(message)));
    for_each_field([&](const LogField& field) {
      fmt::format_to(std::back_inserter(line), " {}=", field.name);
      append_value(line, field);
    });
  }
  sink_(line);
}

}  // namespace dispatcher
