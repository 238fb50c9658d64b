// The answers that every part of the Triggers API gives in the same words. Pure.
#pragma once

#include "api/faults.hpp"
#include "base/result.hpp"
#include "ports/http_service.hpp"

#include <string>
#include <string_view>

namespace dispatcher {

[[nodiscard]] ServerAnswer json_answer(int status, std::string body);

// `{"detail":"…"}`
[[nodiscard]] ServerAnswer error_answer(int status, std::string_view detail);

[[nodiscard]] ServerAnswer faults_answer(const Faults& faults);

// 401 with `www-authenticate: Bearer`.
[[nodiscard]] ServerAnswer unauthorized_answer(std::string_view detail);

// 404 `Event with ID X not found`; `id` as the client gave it, decoded.
[[nodiscard]] ServerAnswer event_not_found_answer(std::string_view id);
[[nodiscard]] std::string event_not_found_detail(std::string_view id);
[[nodiscard]] std::string lease_conflict_detail(std::string_view id);
[[nodiscard]] std::string not_leased_detail(std::string_view id);

// 404 `Endpoint with ID X not found`, 409 with the registry's words, or as for the store.
[[nodiscard]] ServerAnswer endpoint_error_answer(const Error& error);

// 400 for a body that is not UTF-8 or nests too deep.
[[nodiscard]] ServerAnswer unreadable_body_answer();

// What a failed call of the store means to a client: 503 with `Retry-After`, never 500. The store's
// own words stay inside: they may name files.
[[nodiscard]] ServerAnswer store_error_answer(const Error& error);
// The same for a call about one event: 404, and 409 where another lease lives.
[[nodiscard]] ServerAnswer event_error_answer(const Error& error, std::string_view id);

}  // namespace dispatcher
