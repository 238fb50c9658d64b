#include "hosts/endpoint_body.hpp"

#include "base/json_text.hpp"
#include "hosts/given_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <utility>
#include <vector>

namespace dispatcher {
namespace {

// More than the service takes of any of them.
constexpr std::size_t kMaxTextBytes = 64 * 1024;

constexpr std::array kFlags{
    FlagName{"url", "URL"},
    FlagName{"description", "--description"},
    FlagName{"types", "--type"},
    FlagName{"sources", "--source"},
    FlagName{"body", "--body"},
    FlagName{"headers", "--header"},
    FlagName{"concurrency", "--concurrency"},
    FlagName{"rate_per_second", "--rate"},
    FlagName{"timeout_seconds", "--timeout"},
    FlagName{"retries", "--retries"},
    FlagName{"schedule_seconds", "--schedule"},
    FlagName{"start", "--start"},
    FlagName{"secret", "--secret"},
    FlagName{"overlap_seconds", "--overlap"},
};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const auto first = text.find_first_not_of(kBlank);
  return first == std::string_view::npos
             ? std::string_view{}
             : text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

class Body {
 public:
  void add(std::string_view name, std::string_view json) {
    text_ += fmt::format("{}\"{}\":{}", text_.size() > 1 ? "," : "", name, json);
  }
  void add_text(std::string_view name, std::string_view text) {
    std::string json;
    append_json_string(json, text);
    add(name, json);
  }
  void add_texts(std::string_view name, const std::vector<std::string>& texts) {
    std::string json;
    for (const std::string& text : texts) {
      json += json.empty() ? "" : ",";
      append_json_string(json, text);
    }
    add(name, "[" + json + "]");
  }
  [[nodiscard]] std::string text() const { return text_ + "}"; }

 private:
  std::string text_ = "{";
};

using Headers = std::vector<std::pair<std::string, std::string>>;

Result<void> add_header(Headers& headers, std::string_view line) {
  const auto colon = line.find(':');
  const auto name = trimmed(line.substr(0, colon));
  if (colon == std::string_view::npos || name.empty()) {
    // What it is instead may be a secret: it is not shown.
    return make_error(ErrorKind::invalid,
                      "--header: is not a name and a value (give e.g. 'X-Tenant: 7')");
  }
  const bool is_twice = std::any_of(headers.begin(), headers.end(),
                                    [&](const auto& header) { return header.first == name; });
  if (is_twice) {
    return make_error(ErrorKind::invalid,
                      fmt::format("--header: {} is given twice (give it once)", name));
  }
  headers.emplace_back(name, trimmed(line.substr(colon + 1)));
  return {};
}

Result<std::string> headers_json(const std::vector<std::string>& given, std::istream& in) {
  Headers headers;
  for (const std::string& one : given) {
    const auto text = read_given_text("--header", one, in, kMaxTextBytes);
    if (!text) {
      return text.error();
    }
    std::istringstream lines{*text};
    for (std::string line; std::getline(lines, line);) {
      if (trimmed(line).empty()) {
        continue;
      }
      const auto added = add_header(headers, line);
      if (!added) {
        return added.error();
      }
    }
  }
  Body body;
  for (const auto& [name, value] : headers) {
    std::string key;
    append_json_string(key, name);
    body.add_text(std::string_view{key}.substr(1, key.size() - 2), value);
  }
  return body.text();
}

Result<void> add_given(Body& body, std::string_view name, std::string_view flag,
                       const std::optional<std::string>& given, std::istream& in) {
  if (!given) {
    return {};
  }
  const auto text = read_given_text(flag, *given, in, kMaxTextBytes);
  if (!text) {
    return text.error();
  }
  body.add_text(name, trimmed(*text));
  return {};
}

std::string seconds_json(std::chrono::microseconds time) {
  return fmt::format("{}", std::chrono::duration<double>{time}.count());
}

void add_limits(Body& body, const EndpointChanges& changes) {
  if (changes.concurrency) {
    body.add("concurrency", fmt::format("{}", *changes.concurrency));
  }
  if (changes.rate_per_second) {
    const auto rate = *changes.rate_per_second;
    body.add("rate_per_second", rate ? fmt::format("{}", *rate) : "null");
  }
  if (changes.timeout) {
    body.add("timeout_seconds", seconds_json(*changes.timeout));
  }
  if (changes.retries) {
    body.add("retries", fmt::format("{}", *changes.retries));
  }
  if (changes.schedule) {
    std::vector<std::int64_t> steps;
    for (const auto step : *changes.schedule) {
      steps.push_back(step.count());
    }
    body.add("schedule_seconds", fmt::format("[{}]", fmt::join(steps, ",")));
  }
}

}  // namespace

Result<std::string> endpoint_body(const EndpointChanges& changes, std::istream& in) {
  Body body;
  const auto url = add_given(body, "url", "URL", changes.url, in);
  if (!url) {
    return url.error();
  }
  if (changes.description) {
    body.add_text("description", *changes.description);
  }
  if (changes.types) {
    body.add_texts("types", *changes.types);
  }
  if (changes.sources) {
    body.add_texts("sources", *changes.sources);
  }
  if (changes.body) {
    body.add_text("body", *changes.body);
  }
  if (changes.headers) {
    const auto headers = headers_json(*changes.headers, in);
    if (!headers) {
      return headers.error();
    }
    body.add("headers", *headers);
  }
  add_limits(body, changes);
  if (changes.start) {
    body.add_text("start", *changes.start);
  }
  const auto secret = add_given(body, "secret", "--secret", changes.secret, in);
  if (!secret) {
    return secret.error();
  }
  return body.text();
}

std::span<const FlagName> endpoint_flags() {
  return kFlags;
}

}  // namespace dispatcher
