#include "ports/http_service.hpp"

#include <boost/algorithm/string/predicate.hpp>

namespace dispatcher {

const std::string* RequestHead::header(std::string_view name) const {
  for (const HttpHeader& header : headers) {
    if (boost::algorithm::iequals(header.name, name)) {
      return &header.value;
    }
  }
  return nullptr;
}

}  // namespace dispatcher
