#include "api/answers.hpp"

#include "base/json_text.hpp"

namespace dispatcher {

ServerAnswer json_answer(int status, std::string body) {
  ServerAnswer answer;
  answer.status = status;
  answer.body = std::move(body);
  return answer;
}

ServerAnswer error_answer(int status, std::string_view detail) {
  std::string body = R"({"detail":)";
  append_json_string(body, detail);
  body.push_back('}');
  return json_answer(status, std::move(body));
}

ServerAnswer faults_answer(const Faults& faults) {
  return json_answer(422, faults.body());
}

ServerAnswer unauthorized_answer(std::string_view detail) {
  ServerAnswer answer = error_answer(401, detail);
  answer.headers.push_back({"www-authenticate", "Bearer"});
  return answer;
}

std::string event_not_found_detail(std::string_view id) {
  return "Event with ID " + std::string{id} + " not found";
}

std::string lease_conflict_detail(std::string_view id) {
  return "Lease of event " + std::string{id} + " is held by another consumer";
}

std::string not_leased_detail(std::string_view id) {
  return "Event " + std::string{id} +
         " is not leased under this token: its lease has ended, or the event is done";
}

ServerAnswer event_not_found_answer(std::string_view id) {
  return error_answer(404, event_not_found_detail(id));
}

ServerAnswer endpoint_error_answer(const Error& error) {
  switch (error.kind) {
    case ErrorKind::not_found: return error_answer(404, error.message);
    case ErrorKind::refused:
    case ErrorKind::conflict: return error_answer(409, error.message);
    default: return store_error_answer(error);
  }
}

ServerAnswer unreadable_body_answer() {
  return error_answer(400, "There was an error parsing the body");
}

ServerAnswer store_error_answer(const Error& error) {
  std::string_view detail = "The store cannot do this now, try again";
  if (error.kind == ErrorKind::overloaded) {
    detail = "Too many requests are waiting, try again";
  } else if (error.kind == ErrorKind::stopped) {
    detail = "The service is stopping";
  }
  ServerAnswer answer = error_answer(503, detail);
  answer.headers.push_back({"retry-after", "1"});
  return answer;
}

ServerAnswer event_error_answer(const Error& error, std::string_view id) {
  switch (error.kind) {
    case ErrorKind::not_found: return event_not_found_answer(id);
    case ErrorKind::conflict: return error_answer(409, lease_conflict_detail(id));
    default: return store_error_answer(error);
  }
}

}  // namespace dispatcher
