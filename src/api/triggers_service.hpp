// The Triggers API as a service that an HTTP server can serve.
#pragma once

#include "api/access.hpp"
#include "api/context.hpp"
#include "api/login_limit.hpp"
#include "engine/intake.hpp"
#include "ports/http_service.hpp"

#include <optional>
#include <string_view>
#include <variant>

namespace dispatcher {

struct Route;

// Callable from any of the server's loops, several at once. What the references name must outlive
// it, and it must outlive its requests and their streams.
class TriggersService final : public HttpService {
 public:
  TriggersService(Store& store, EndpointRegistry& endpoints, const Clock& clock, Random& random,
                  Metrics& metrics, SecretBundle secrets, ApiOptions options);

  // For the requests that begin from now on; tokens that it does not verify end. Callable from any
  // thread.
  void set_secrets(SecretBundle secrets) { access_.set_secrets(std::move(secrets)); }

  [[nodiscard]] std::optional<ServerAnswer> refuse_early(const RequestHead& head) override;
  [[nodiscard]] boost::asio::awaitable<ServerAnswer> serve(RequestHead head,
                                                           std::string body) override;
  [[nodiscard]] ServerAnswer error(int status, std::string_view detail) override;

 private:
  struct Admitted {
    const Route* route = nullptr;
    std::string id;
  };

  // The route that may be taken, or the answer that refuses the request.
  [[nodiscard]] std::variant<Admitted, ServerAnswer> admit(const RequestHead& head) const;
  // Adds what every answer has, and counts it.
  [[nodiscard]] ServerAnswer finish(ServerAnswer answer, bool is_cross_origin) const;

  Metrics& metrics_;
  const Clock& clock_;
  const ApiOptions options_;
  Access access_;
  LoginLimit login_limit_;
  Intake intake_;
  const ApiContext context_;
};

}  // namespace dispatcher
