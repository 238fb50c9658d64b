#include "adapters/https/request_writer.hpp"

#include "base/bytes.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace dispatcher {
namespace {

// In lower case.
constexpr std::array<std::string_view, 5> kOurHeaders{"host", "content-length", "transfer-encoding",
                                                      "connection", "expect"};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

// ASCII alone: a comparison by locale costs more than all the rest of writing a request.
bool is_named(std::string_view name, std::string_view lower_case) {
  return name.size() == lower_case.size() &&
         std::equal(name.begin(), name.end(), lower_case.begin(),
                    [](char left, char right) { return lower(left) == right; });
}

bool is_token(std::string_view text) {
  static constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";  // RFC 9110, section 5.6.2
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

bool is_value(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

bool is_target(std::string_view text) {
  return text.starts_with('/') && std::none_of(text.begin(), text.end(), [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte <= 0x20 || byte == 0x7f;
         });
}

Failure refuse(std::string message) {
  return Failure{FailureKind::protocol, "the request cannot be written: " + std::move(message)};
}

std::optional<Failure> check(const HttpRequest& request) {
  if (!is_token(request.method)) {
    return refuse("its method is not a token");
  }
  if (!is_target(request.url.target)) {
    return refuse("its path has a space or a control character");
  }
  for (const HttpHeader& header : request.headers) {
    if (!is_token(header.name)) {
      return refuse("a header's name is not a token");
    }
    if (!is_value(header.value)) {
      return refuse("the value of header " + header.name + " has a line break or a NUL");
    }
    for (const std::string_view ours : kOurHeaders) {
      if (is_named(header.name, ours)) {
        return refuse("header " + header.name + " is the client's to write");
      }
    }
  }
  return std::nullopt;
}

bool has_authorization(const HttpRequest& request) {
  return std::any_of(request.headers.begin(), request.headers.end(), [](const HttpHeader& header) {
    return is_named(header.name, "authorization");
  });
}

// RFC 9110, section 8.6: also an empty body has a length where the method expects one.
bool states_length(const HttpRequest& request) {
  return !request.body.empty() || request.method == "POST" || request.method == "PUT" ||
         request.method == "PATCH";
}

}  // namespace

std::optional<Failure> write_request(const HttpRequest& request, std::string& out) {
  out.clear();
  if (auto failure = check(request)) {
    return failure;
  }
  const auto line = [&out](std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
  };
  out.append(request.method).append(" ").append(request.url.target).append(" HTTP/1.1\r\n");
  line("Host", request.url.host_header());
  if (!request.url.basic_credentials.empty() && !has_authorization(request)) {
    line("Authorization", "Basic " + to_base64(request.url.basic_credentials));
  }
  for (const HttpHeader& header : request.headers) {
    line(header.name, header.value);
  }
  if (states_length(request)) {
    line("Content-Length", std::to_string(request.body.size()));
  }
  if (request.max_idle_connections == 0) {
    line("Connection", "close");
  }
  out.append("\r\n").append(request.body);
  return std::nullopt;
}

}  // namespace dispatcher
