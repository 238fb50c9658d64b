// What `dispatcher listen` serves: a receiver of webhooks to try things with. It checks signatures,
// fails as many requests as it is told to, and writes down what came.
#pragma once

#include "base/result.hpp"
#include "ports/clock.hpp"
#include "ports/http_service.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace dispatcher {

struct ReceiverOptions {
  int status = 200;        // of the answers that are not failures
  double fail_rate = 0;    // share of the requests answered 503, in [0, 1]
  std::uint64_t seed = 1;  // of which ones: the same requests in the same order fail the same
  std::chrono::microseconds delay{0};  // before each answer

  // `whsec_…` or raw, as in model/signature.hpp. None: signatures are not looked at. Otherwise
  // `webhook-signature` and `X-Webhook-Signature` must be right where they are there, and one of
  // them must be; else 401.
  std::vector<std::string> secrets;

  // Appended to: one JSON object a line for each request, written before its answer is sent:
  // `id` (webhook-id or null), `time`, `method`, `path`, `status` (that of the answer), `headers`
  // (an object, names in lower case), `body` (`body_base64` when it is not UTF-8). Empty for none.
  std::string record_file;
};

// One request, as the callback sees it.
struct ReceivedRequest {
  std::string id;  // webhook-id; empty when there is none
  int status = 0;  // what it is answered
  std::size_t body_bytes = 0;
  bool is_duplicate = false;  // its id was accepted (2xx) before
  std::string reason;         // of a refusal: what is wrong with the signature
};

struct ReceiverCounts {
  std::uint64_t requests = 0;
  std::uint64_t accepted = 0;           // answered 2xx
  std::uint64_t distinct_accepted = 0;  // distinct webhook-ids among those
  std::uint64_t duplicates = 0;         // accepted with an id that was accepted before
  std::uint64_t failed_on_purpose = 0;  // by the fail rate
  std::uint64_t bad_signatures = 0;
};

// Callable from several loops at once.
class ReceiverService : public HttpService {
 public:
  // Called once for each request, from the server's loops, one call at a time.
  using OnRequest = std::function<void(const ReceivedRequest& request)>;

  // `clock` must outlive the service. Errors: `invalid` a secret, a rate or a status that is none;
  // `refused` the record file cannot be opened.
  [[nodiscard]] static Result<std::unique_ptr<ReceiverService>> open(const ReceiverOptions& options,
                                                                     const Clock& clock,
                                                                     OnRequest on_request = {});

  [[nodiscard]] virtual ReceiverCounts counts() const = 0;
};

}  // namespace dispatcher
