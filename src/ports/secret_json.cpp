#include "ports/secret_json.hpp"

#include "base/bytes.hpp"
#include "model/url_list.hpp"

#include <fmt/format.h>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace dispatcher {
namespace {

constexpr std::size_t kEncryptionKeyBytes = 32;
constexpr std::string_view kWebhookUrl = "zapier_webhook_url";

Error wrong(std::string_view key, const std::string& where, std::string_view what) {
  return make_error(ErrorKind::invalid, fmt::format("{}: {} (in {})", key, what, where));
}

std::string_view kind_of(const boost::json::value& value) {
  switch (value.kind()) {
    case boost::json::kind::null: return "null";
    case boost::json::kind::bool_: return "a boolean";
    case boost::json::kind::int64:
    case boost::json::kind::uint64:
    case boost::json::kind::double_: return "a number";
    case boost::json::kind::string: return "a text";
    case boost::json::kind::array: return "a list";
    case boost::json::kind::object: return "an object";
  }
  return "unknown";
}

std::string text_of(const boost::json::value& value) {
  const auto& text = value.get_string();
  return {text.data(), text.size()};
}

// What a key has: a text or a list of texts. Absent, null and empty are the same.
Result<std::vector<std::string>> read_texts(const boost::json::object& object, std::string_view key,
                                            const std::string& where) {
  std::vector<std::string> texts;
  const auto* value = object.if_contains({key.data(), key.size()});
  if (value == nullptr || value->is_null()) {
    return texts;
  }
  if (value->is_string()) {
    if (!value->get_string().empty()) {
      texts.push_back(text_of(*value));
    }
    return texts;
  }
  if (!value->is_array()) {
    return wrong(key, where, fmt::format("is {}, not a text or a list of texts", kind_of(*value)));
  }
  for (const auto& element : value->get_array()) {
    if (!element.is_string() || element.get_string().empty()) {
      return wrong(key, where, "has an entry that is not a text, or is empty");
    }
    texts.push_back(text_of(element));
  }
  return texts;
}

std::vector<std::string> split_urls(const std::vector<std::string>& texts) {
  std::vector<std::string> urls;
  for (const std::string& text : texts) {
    auto some = split_url_list(text);
    std::move(some.begin(), some.end(), std::back_inserter(urls));
  }
  return urls;
}

// A text of blanks and commas names nobody: whoever needs a URL would seem to be done for ever.
bool is_empty(std::string_view key, const std::vector<std::string>& texts) {
  return key == kWebhookUrl ? split_urls(texts).empty() : texts.empty();
}

// Of the keys required, the first that is absent.
Result<void> check_required(const boost::json::object& object,
                            const std::vector<std::string>& required, const std::string& where) {
  for (const std::string& key : required) {
    const auto texts = read_texts(object, key, where);
    if (!texts) {
      return texts.error();
    }
    if (is_empty(key, *texts)) {
      return wrong(key, where, "is missing or empty; add it");
    }
  }
  return {};
}

Result<SecretBundle> read_bundle(const boost::json::object& object, const std::string& where) {
  SecretBundle bundle;
  std::vector<std::string> webhook_secrets;
  struct Place {
    std::string_view key;
    std::vector<std::string>* texts;
  };
  for (const Place place :
       {Place{"zapier_api_key", &bundle.api_keys}, Place{kWebhookUrl, &bundle.webhook_urls},
        Place{"jwt_secret", &bundle.jwt_secrets}, Place{"zapier_webhook_secret", &webhook_secrets},
        Place{"encryption_keys", &bundle.encryption_keys}}) {
    auto texts = read_texts(object, place.key, where);
    if (!texts) {
      return texts.error();
    }
    *place.texts = std::move(*texts);
  }
  if (webhook_secrets.size() > 1) {
    return wrong("zapier_webhook_secret", where, "is a list; give one text");
  }
  for (const std::string& key : bundle.encryption_keys) {
    const auto bytes = from_base64(key);
    if (!bytes || bytes->size() != kEncryptionKeyBytes) {
      return wrong("encryption_keys", where, "has an entry that is not 32 bytes in base64");
    }
  }
  bundle.webhook_urls = split_urls(bundle.webhook_urls);
  bundle.webhook_secret = webhook_secrets.empty() ? std::string{} : webhook_secrets.front();
  return bundle;
}

}  // namespace

Result<SecretBundle> parse_secrets(std::string_view json, const std::string& where,
                                   const std::vector<std::string>& required) {
  boost::json::error_code error;
  const auto value = boost::json::parse({json.data(), json.size()}, error);
  if (error || !value.is_object()) {
    return make_error(ErrorKind::invalid, fmt::format("{} is not a JSON object{}", where,
                                                      error ? ": " + error.message() : ""));
  }
  const auto complete = check_required(value.get_object(), required, where);
  if (!complete) {
    return complete.error();
  }
  return read_bundle(value.get_object(), where);
}

}  // namespace dispatcher
