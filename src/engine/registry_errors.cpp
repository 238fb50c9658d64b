#include "engine/registry_errors.hpp"

namespace dispatcher {

Error endpoint_not_found(const std::string& id) {
  return make_error(ErrorKind::not_found, "Endpoint with ID " + id + " not found");
}

Error endpoint_unusable(const EndpointView& view, std::string_view what) {
  return make_error(ErrorKind::refused, "Endpoint " + view.endpoint.id + " cannot be " +
                                            std::string{what} + ": " +
                                            view.state_reason.value_or("it is disabled"));
}

Error endpoint_disabled(const EndpointView& view) {
  return make_error(ErrorKind::refused, "Endpoint " + view.endpoint.id +
                                            " cannot be paused, it is disabled: resume it first");
}

Error endpoint_of_the_secret(const std::string& id) {
  return make_error(
      ErrorKind::refused,
      "Endpoint " + id +
          " is given by the secret: it can be paused and resumed, and is changed there");
}

Error store_cannot(const Error& error) {
  const bool is_passing = error.kind == ErrorKind::overloaded || error.kind == ErrorKind::stopped;
  return make_error(is_passing ? error.kind : ErrorKind::retry_later, error.message);
}

}  // namespace dispatcher
