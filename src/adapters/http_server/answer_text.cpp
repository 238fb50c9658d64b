#include "adapters/http_server/answer_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace dispatcher {
namespace {

void append_number(std::string& out, std::uint64_t number) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  const auto append_clean = [&out](std::string_view text) {
    for (const char c : text) {
      out.push_back(c == '\r' || c == '\n' || c == '\0' ? ' ' : c);
    }
  };
  append_clean(name);
  out += ": ";
  append_clean(value);
  out += "\r\n";
}

// `1.55ms`
void append_process_time(std::string& out, std::chrono::nanoseconds time) {
  const auto hundredths =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, time.count()) + 5'000) / 10'000;
  out += "x-process-time: ";
  append_number(out, hundredths / 100);
  out.push_back('.');
  out.push_back(static_cast<char>('0' + hundredths / 10 % 10));
  out.push_back(static_cast<char>('0' + hundredths % 10));
  out += "ms\r\n";
}

// These statuses have no body, and no header that announces one (RFC 9110, section 6.4.1).
bool is_bodiless(int status) {
  return status < 200 || status == 204 || status == 304;
}

}  // namespace

bool sends_body(const ServerAnswer& answer, const AnswerFraming& framing) {
  return !framing.is_head_method && !is_bodiless(answer.status);
}

bool is_sent_chunked(const ServerAnswer& answer, const AnswerFraming& framing) {
  return answer.stream != nullptr && !framing.is_http_1_0 && !is_bodiless(answer.status);
}

void append_answer_head(std::string& out, const ServerAnswer& answer,
                        const AnswerFraming& framing) {
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::uint64_t>(std::clamp(answer.status, 100, 999)));
  out.push_back(' ');
  out += reason_phrase(answer.status);
  out += "\r\ndate: ";
  out += framing.date;
  out += "\r\n";
  if (!answer.content_type.empty()) {
    append_header(out, "content-type", answer.content_type);
  }
  if (is_sent_chunked(answer, framing)) {
    out += "transfer-encoding: chunked\r\n";
  } else if (!answer.stream && !is_bodiless(answer.status)) {
    out += "content-length: ";
    append_number(out, answer.body.size());
    out += "\r\n";
  }
  for (const HttpHeader& header : answer.headers) {
    append_header(out, header.name, header.value);
  }
  append_process_time(out, framing.process_time);
  if (!framing.keeps_alive) {
    out += "connection: close\r\n";
  } else if (framing.is_http_1_0) {
    out += "connection: keep-alive\r\n";
  }
  out += "\r\n";
}

std::string format_http_date(WallTime time) {
  constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::seconds>(time - day)};
  return fmt::format(
      "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[std::chrono::weekday{day}.c_encoding()],
      static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
      static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
      clock.seconds().count());
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "Unknown";
  }
}

}  // namespace dispatcher
