#include "adapters/aws/xray_tracer.hpp"

#include "adapters/aws/xray_document.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>
#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <charconv>
#include <string>

namespace dispatcher {
namespace {

using boost::asio::ip::udp;

Error wrong_address(std::string_view text) {
  return make_error(ErrorKind::invalid,
                    fmt::format("AWS_XRAY_DAEMON_ADDRESS: \"{}\" is not an address and a port (set "
                                "it to e.g. 127.0.0.1:2000)",
                                text));
}

// Of `tcp:… udp:…` the second.
std::string_view udp_part(std::string_view text) {
  constexpr std::string_view kPrefix = "udp:";
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    if (word.starts_with(kPrefix)) {
      return word.substr(kPrefix.size());
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

}  // namespace

Result<udp::endpoint> parse_xray_address(std::string_view text) {
  std::string_view place = udp_part(text);
  if (place.empty()) {
    place = text;
  }
  const auto colon = place.rfind(':');
  if (colon == std::string_view::npos) {
    return wrong_address(text);
  }
  std::string host{place.substr(0, colon)};
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  if (host == "localhost") {
    host = "127.0.0.1";
  }
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  std::uint16_t port = 0;
  const char* const end = place.data() + place.size();
  const auto parsed = std::from_chars(place.data() + colon + 1, end, port);
  if (error || parsed.ec != std::errc{} || parsed.ptr != end || port == 0) {
    return wrong_address(text);
  }
  return udp::endpoint{address, port};
}

XrayTracer::XrayTracer(const Clock& clock, Random& random, std::optional<udp::endpoint> daemon)
    : clock_(clock), random_(random), daemon_(std::move(daemon)) {}

XrayTracer::~XrayTracer() {
  if (socket_ >= 0) {
    ::close(socket_);
  }
}

void XrayTracer::begin_run(std::string_view trace_header) {
  run_ = parse_xray_header(trace_header);
  bytes_sent_ = 0;
  dropped_ = 0;
}

Span XrayTracer::start() {
  Span span;
  if (!run_) {
    return span;
  }
  span.context = run_;
  span.parent_id = run_->span_id;
  span.context->span_id = std::max<std::uint64_t>(random_.next(), 1);  // 0 is none
  span.started_at = clock_.wall();
  return span;
}

void XrayTracer::finish(const Span& span, const SpanReport& report) {
  // Without a parent there is no segment that a subsegment could belong to.
  if (!daemon_ || !span.is_recorded() || span.parent_id == 0) {
    return;
  }
  const std::string datagram = xray_datagram(span, report, clock_.wall());
  const bool fits =
      datagram.size() <= kMaxXrayBytes && bytes_sent_ + datagram.size() <= kMaxBytesPerRun;
  if (!fits || !send(datagram)) {
    ++dropped_;
    return;
  }
  bytes_sent_ += datagram.size();
}

bool XrayTracer::send(std::string_view datagram) {
  if (socket_ < 0) {
    socket_ = ::socket(daemon_->data()->sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  }
  // Not connected: where no daemon listens, nothing tells us, and nothing has to be cleared.
  return socket_ >= 0 && ::sendto(socket_, datagram.data(), datagram.size(), MSG_NOSIGNAL,
                                  daemon_->data(), static_cast<socklen_t>(daemon_->size())) >= 0;
}

}  // namespace dispatcher
