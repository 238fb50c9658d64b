#include "hosts/test_exchange_text.hpp"

#include "hosts/answer_tables.hpp"
#include "hosts/terminal_text.hpp"
#include "model/webhook_url.hpp"

#include <fmt/format.h>

namespace dispatcher {
namespace {

constexpr std::string_view kSent = "> ";
constexpr std::string_view kReceived = "< ";

// A mark before each line. What a receiver answers must not steer the terminal.
void append_marked(std::string& out, std::string_view mark, std::string_view text) {
  out += mark;
  for (const char c : without_controls(text, "\t\r\n")) {
    if (c == '\n') {
      out += '\n';
      out += mark;
    } else if (c != '\r') {
      out += c;
    }
  }
  out += '\n';
}

void append_headers(std::string& out, std::string_view mark,
                    const std::optional<JsonValue>& headers) {
  if (!headers || headers->kind != JsonKind::object) {
    return;
  }
  JsonMembers members{*headers};
  while (const auto one = members.next()) {
    const auto name = decode_json_string(one->name).value_or("?");
    const bool is_text = one->value.kind == JsonKind::string;
    const auto value =
        is_text ? decode_json_string(one->value).value_or("?") : std::string{one->value.raw};
    append_marked(out, mark, fmt::format("{}: {}", name, value));
  }
}

void append_body(std::string& out, std::string_view mark, std::string_view body) {
  if (!body.empty()) {
    append_marked(out, mark, "");
    append_marked(out, mark, body);
  }
}

std::string raw_member(std::string_view object, std::string_view name) {
  const auto value = member(object, name);
  return value && value->kind != JsonKind::null ? std::string{value->raw} : std::string{};
}

void append_request(std::string& out, std::string_view request, bool reveals) {
  const std::string text = text_member(request, "url");
  const auto url = parse_webhook_url(text);
  const std::string hidden = url ? url->display() : "?";
  const std::string method = text_member(request, "method");
  append_marked(out, kSent,
                fmt::format("{} {}", method.empty() ? "POST" : method, reveals ? text : hidden));
  append_headers(out, kSent, member(request, "headers"));
  append_body(out, kSent, text_member(request, "body"));
}

void append_answer(std::string& out, std::string_view answer) {
  const std::string status = raw_member(answer, "status");
  const std::string error = text_member(answer, "error");
  append_marked(out, kReceived, status.empty() ? "no answer" : status);
  append_headers(out, kReceived, member(answer, "response_headers"));
  append_body(out, kReceived, text_member(answer, "response_body"));
  if (!error.empty()) {
    append_marked(out, "! ", error);
  }
}

std::string verdict(std::string_view answer) {
  std::string words = text_member(answer, "outcome");
  const std::string time = raw_member(answer, "duration_ms");
  const std::string address = text_member(answer, "remote_address");
  words += time.empty() ? "" : fmt::format(" in {} ms", time);
  words += address.empty() ? "" : fmt::format(" by {}", address);
  return words;
}

}  // namespace

std::string test_exchange_text(std::string_view answer, bool reveals) {
  std::string out;
  append_request(out, raw_member(answer, "request"), reveals);
  out += '\n';
  append_answer(out, answer);
  out += '\n';
  append_marked(out, "", verdict(answer));
  return out;
}

bool is_test_delivered(std::string_view answer) {
  return text_member(answer, "outcome") == "delivered";
}

}  // namespace dispatcher
