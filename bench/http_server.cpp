// The HTTP server alone, with a service that answers at once: what the rest of a request costs on
// top of it can be told from `wrk` against this and against `dispatcher serve`.
//
//   http_server [PORT [LOOPS [CERTIFICATE KEY]]]
//   wrk -t1 -c64 -d10s http://127.0.0.1:PORT/health
#include "adapters/http_server/http_server.hpp"

#include <cstdlib>
#include <iostream>

namespace {

class TrivialService : public dispatcher::HttpService {
 public:
  std::optional<dispatcher::ServerAnswer> refuse_early(
      const dispatcher::RequestHead& /*head*/) override {
    return std::nullopt;
  }

  boost::asio::awaitable<dispatcher::ServerAnswer> serve(dispatcher::RequestHead /*head*/,
                                                         std::string /*body*/) override {
    dispatcher::ServerAnswer answer;
    answer.body = R"({"status":"healthy"})";
    co_return answer;
  }

  dispatcher::ServerAnswer error(int status, std::string_view detail) override {
    dispatcher::ServerAnswer answer;
    answer.status = status;
    answer.body = detail;
    return answer;
  }
};

}  // namespace

int main(int argc, char** argv) {
  const dispatcher::Log log{dispatcher::LogLevel::info, dispatcher::LogFormat::text,
                            dispatcher::Log::stderr_sink()};
  TrivialService service;
  dispatcher::HttpServerOptions options;
  options.port = argc > 1 ? static_cast<std::uint16_t>(std::atoi(argv[1])) : std::uint16_t{0};
  options.loops = argc > 2 ? static_cast<std::size_t>(std::atoi(argv[2])) : 1;
  options.tls_certificate_file = argc > 4 ? argv[3] : "";
  options.tls_key_file = argc > 4 ? argv[4] : "";
  const auto server = dispatcher::HttpServer::start(options, service, log);
  if (!server) {
    std::cerr << server.error().message << '\n';
    return 1;
  }
  std::cout << "listening on " << (*server)->url() << " until the end of standard input"
            << std::endl;
  while (std::cin.get() != std::char_traits<char>::eof()) {
  }
  (*server)->stop(std::chrono::seconds{1});
  return 0;
}
