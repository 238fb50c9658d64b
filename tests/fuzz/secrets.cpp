// Promise: a secret is read whole or refused with a message that names the file and shows no value;
// what is read is fit to be used.
#include "ports/secret_json.hpp"

#include "base/bytes.hpp"
#include "fuzz/fuzz_target.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <string>

namespace dispatcher::fuzz {
namespace {

// Other texts may stand in a message by chance: no message has this by itself.
constexpr char kMark = '#';

void check_texts_are_hidden(const boost::json::value& value, const std::string& message) {
  if (const auto* text = value.if_string()) {
    promise(!text->starts_with(kMark) || text->size() < 3 ||
                message.find(std::string{text->data(), text->size()}) == std::string::npos,
            "an error shows no value");
  } else if (const auto* array = value.if_array()) {
    for (const auto& element : *array) {
      check_texts_are_hidden(element, message);
    }
  } else if (const auto* object = value.if_object()) {
    for (const auto& member : *object) {
      check_texts_are_hidden(member.value(), message);
    }
  }
}

void check(std::string_view input) {
  const auto bundle = parse_secrets(input, "the-file", {"zapier_api_key", "jwt_secret"});
  if (!bundle) {
    const std::string& message = bundle.error().message;
    promise(message.find("the-file") != std::string::npos, "an error names the file");
    boost::json::error_code error;
    const auto value = boost::json::parse({input.data(), input.size()}, error);
    if (!error) {
      check_texts_are_hidden(value, message);
    }
    return;
  }
  const auto is_filled = [](const std::string& text) { return !text.empty(); };
  for (const auto* texts : {&bundle->api_keys, &bundle->jwt_secrets, &bundle->webhook_urls}) {
    promise(std::all_of(texts->begin(), texts->end(), is_filled), "no text of a secret is empty");
  }
  promise(!bundle->api_keys.empty() && !bundle->jwt_secrets.empty(), "what is required is there");
  for (const std::string& key : bundle->encryption_keys) {
    const auto bytes = from_base64(key);
    promise(bytes && bytes->size() == 32, "an encryption key has 32 bytes");
  }
}

const Registration kTarget{"secrets", check};

}  // namespace
}  // namespace dispatcher::fuzz
