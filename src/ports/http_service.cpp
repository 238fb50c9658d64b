#include "ports/http_service.hpp"

#include <algorithm>

namespace dispatcher {
namespace {

// ASCII alone: header names are tokens (RFC 9110, section 5.1). No locale is asked, because every
// request looks up several headers.
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

bool is_same_name(std::string_view left, std::string_view right) {
  return left.size() == right.size() &&
         std::equal(left.begin(), left.end(), right.begin(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

}  // namespace

const std::string* RequestHead::header(std::string_view name) const {
  for (const HttpHeader& header : headers) {
    if (is_same_name(header.name, name)) {
      return &header.value;
    }
  }
  return nullptr;
}

}  // namespace dispatcher
