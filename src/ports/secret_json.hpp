// The secret's JSON, wherever it is kept: what it may hold, and what must be in it. Pure.
#pragma once

#include "base/result.hpp"
#include "ports/secrets.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace dispatcher {

// `zapier_api_key` and `jwt_secret` are a text or a list of texts, `zapier_webhook_url` is one URL,
// several with commas between them, or a list, `zapier_webhook_secret` is a text, `encryption_keys`
// a list of 32 bytes each in base64. Whatever else is in it is left alone. An empty text counts as
// absent. `invalid` names the key that is wrong or, of the required ones, absent, and `where` it
// was looked for (`the secret file data/secrets.json`); never a value.
[[nodiscard]] Result<SecretBundle> parse_secrets(std::string_view json, const std::string& where,
                                                 const std::vector<std::string>& required);

}  // namespace dispatcher
