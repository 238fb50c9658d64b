// `listen`: a receiver on this machine, to try things with.
#include "adapters/http_server/http_server.hpp"
#include "adapters/http_server/receiver.hpp"
#include "adapters/https/certificate.hpp"
#include "hosts/wiring.hpp"
#include "hosts/wiring_parts.hpp"

#include <boost/asio/signal_set.hpp>

#include <csignal>

namespace dispatcher {
namespace {

// What an answer under way may still take when the receiver stops.
constexpr std::chrono::seconds kGrace{2};

ReceiverOptions receiver_options(const ListenConfig& config, Random& random) {
  ReceiverOptions options;
  options.status = config.status;
  options.fail_rate = config.fail_rate;
  options.seed = random.next();
  options.delay = config.delay;
  options.secrets = config.secrets;
  options.record_file = config.record_file;
  return options;
}

void log_request(const Log& log, const ReceivedRequest& request) {
  const std::string_view what = request.status >= 300 ? "refused" : "received";
  if (!request.reason.empty()) {
    log.warning(what, {{"id", request.id}, {"status", request.status}, {"reason", request.reason}});
    return;
  }
  log.debug(what, {{"id", request.id},
                   {"status", request.status},
                   {"body_bytes", request.body_bytes},
                   {"duplicate", request.is_duplicate}});
}

void wait_for_stop() {
  boost::asio::io_context loop{1};
  boost::asio::signal_set signals{loop, SIGTERM, SIGINT};
  signals.async_wait([](const boost::system::error_code&, int) {});
  loop.run();
}

}  // namespace

Result<int> listen(const ListenConfig& config, std::ostream& out) {
  const Log log = make_log(config.log);
  const SystemClock clock;
  SystemRandom random;
  HttpServerOptions options;
  options.host = config.address.host;
  options.port = config.address.port;
  if (!config.is_plain) {
    const auto files = make_certificate(config.data_dir, clock.wall());
    if (!files) {
      return files.error();
    }
    options.tls_certificate_file = files->certificate;
    options.tls_key_file = files->key;
    log.info("trust this certificate to send here (--ca-file)", {{"file", files->certificate}});
  }
  auto receiver =
      ReceiverService::open(receiver_options(config, random), clock,
                            [&](const ReceivedRequest& request) { log_request(log, request); });
  if (!receiver) {
    return receiver.error();
  }
  auto server = HttpServer::start(options, **receiver, log);
  if (!server) {
    return server.error();
  }
  out << "listening on " << (*server)->url() << std::endl;
  wait_for_stop();
  (*server)->stop(kGrace);
  const ReceiverCounts counts = (*receiver)->counts();
  log.info("stopped", {{"requests", counts.requests},
                       {"accepted", counts.accepted},
                       {"distinct", counts.distinct_accepted},
                       {"duplicates", counts.duplicates},
                       {"failed_on_purpose", counts.failed_on_purpose},
                       {"bad_signatures", counts.bad_signatures}});
  return 0;
}

}  // namespace dispatcher
