// An answer's status line and headers as they go over the wire. Pure.
#pragma once

#include "adapters/http_server/request_head.hpp"
#include "base/time.hpp"
#include "ports/http_service.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace dispatcher {

// What is known of an answer besides what the service said.
struct AnswerFraming {
  bool is_http_1_0 = false;     // of the request
  bool keeps_alive = true;      // afterwards
  bool is_head_method = false;  // of the request: the headers alone are sent
  std::string_view date;        // as format_http_date wrote it
  std::chrono::nanoseconds process_time{0};
};

// Whether bytes of a body follow the head.
[[nodiscard]] bool sends_body(const ServerAnswer& answer, const AnswerFraming& framing);
// Whether these are in the chunked coding: a stream to an HTTP/1.1 client. To an older one, the end
// of the connection is the end of the stream.
[[nodiscard]] bool is_sent_chunked(const ServerAnswer& answer, const AnswerFraming& framing);

// Up to and with the empty line. A line break in a header of the service's becomes a space, so that
// no value can end its line.
void append_answer_head(std::string& out, const ServerAnswer& answer, const AnswerFraming& framing);

// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7).
[[nodiscard]] std::string format_http_date(WallTime time);

[[nodiscard]] std::string_view reason_phrase(int status);

}  // namespace dispatcher
