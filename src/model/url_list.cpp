#include "model/url_list.hpp"

#include <boost/algorithm/string/predicate.hpp>

namespace dispatcher {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

bool starts_url(std::string_view text) {
  const auto rest = trimmed(text);
  return rest.empty() || boost::algorithm::istarts_with(rest, "http://") ||
         boost::algorithm::istarts_with(rest, "https://");
}

}  // namespace

std::vector<std::string> split_url_list(std::string_view text) {
  std::vector<std::string> urls;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const bool is_end = i == text.size() || (text[i] == ',' && starts_url(text.substr(i + 1)));
    if (!is_end) {
      continue;
    }
    const auto url = trimmed(text.substr(begin, i - begin));
    if (!url.empty()) {
      urls.emplace_back(url);
    }
    begin = i + 1;
  }
  return urls;
}

}  // namespace dispatcher
