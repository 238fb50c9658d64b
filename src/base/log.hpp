// The log: one line for each thing worth knowing, to stderr. Text on a terminal, one JSON object a
// line elsewhere. A field never holds a payload or a secret: callers pass endpoint ids and hosts,
// not URLs.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace dispatcher {

enum class LogLevel { debug, info, warning, error };
enum class LogFormat { text, json };

[[nodiscard]] std::string_view to_string(LogLevel level);

struct LogField {
  std::string_view name;
  std::variant<std::string_view, std::int64_t, double, bool> value;

  LogField(std::string_view field, std::string_view text) : name(field), value(text) {}
  LogField(std::string_view field, const std::string& text)
      : name(field), value(std::string_view{text}) {}
  LogField(std::string_view field, const char* text) : name(field), value(std::string_view{text}) {}
  LogField(std::string_view field, bool flag) : name(field), value(flag) {}
  LogField(std::string_view field, double number) : name(field), value(number) {}
  template <std::integral Integer>
  LogField(std::string_view field, Integer number)
      : name(field), value(static_cast<std::int64_t>(number)) {}
};

class Log {
 public:
  // Takes each finished line, without its newline; called from any thread.
  using Sink = std::function<void(std::string_view line)>;

  // Longer field values are cut, and end in an ellipsis.
  static constexpr std::size_t kMaxFieldBytes = 1024;

  Log(LogLevel threshold, LogFormat format, Sink sink);

  // To stderr, a whole line in one write.
  [[nodiscard]] static Sink stderr_sink();

  // The same log, with this field on each of its lines.
  [[nodiscard]] Log with(std::string name, std::string value) const;

  void debug(std::string_view message, std::initializer_list<LogField> fields = {}) const {
    write(LogLevel::debug, message, fields);
  }
  void info(std::string_view message, std::initializer_list<LogField> fields = {}) const {
    write(LogLevel::info, message, fields);
  }
  void warning(std::string_view message, std::initializer_list<LogField> fields = {}) const {
    write(LogLevel::warning, message, fields);
  }
  void error(std::string_view message, std::initializer_list<LogField> fields = {}) const {
    write(LogLevel::error, message, fields);
  }

  [[nodiscard]] bool is_enabled(LogLevel level) const { return level >= threshold_; }

 private:
  void write(LogLevel level, std::string_view message,
             std::initializer_list<LogField> fields) const;

  LogLevel threshold_;
  LogFormat format_;
  Sink sink_;
  std::vector<std::pair<std::string, std::string>> context_;
};

}  // namespace dispatcher
