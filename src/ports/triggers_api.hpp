// Somebody's Triggers API, as a client of it: ours or one that has none of our extensions.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "model/exchange.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace dispatcher {

struct TriggersRequest {
  std::string method = "GET";
  std::string path;  // with its query; begins with `/`; goes behind the base URL's path
  std::vector<HttpHeader> headers;  // besides Authorization and Content-Type
  std::string body;
  std::string content_type;  // empty: no such header
  // Whether it does no harm when it is done twice. Otherwise it is never sent again, and never over
  // a kept connection, which may end just then and leave open whether it was done.
  bool is_repeatable = true;
  // By when the call ends. Empty: after the client's own time-out.
  std::optional<MonoTime> deadline;
  // A longer answer is an error.
  std::size_t max_answer_bytes = 64 * 1024 * 1024;
};

// Belongs to one loop; several calls at once.
class TriggersApi {
 public:
  virtual ~TriggersApi() = default;

  // The answer, whatever its status, but never a 401: the token is fetched with the first call and
  // renewed once when it is refused. `retry_later`: the service could not be reached or could not
  // answer; `refused`: it does not accept the key. Messages name the service's host alone.
  [[nodiscard]] virtual boost::asio::awaitable<Result<Answer>> request(TriggersRequest request) = 0;
};

}  // namespace dispatcher
