#include "engine/endpoint_view.hpp"

namespace dispatcher {
namespace {

constexpr std::string_view kKeyMissing =
    "its encryption key is missing: none of encryption_keys in the secret opens what is kept of it";
constexpr std::string_view kAltered = "what is kept of it was altered and cannot be opened";
constexpr std::string_view kUnreadable = "what is kept of it cannot be read";
constexpr std::string_view kLeftSecret = "its URL is no longer in the secret";

void make_unusable(EndpointView& view, std::string_view reason) {
  view.is_usable = false;
  view.state_reason = std::string{reason};
}

void read_configured(const EndpointRecord& record, const ConfiguredEndpoint* configured,
                     const DeliveryDefaults& defaults, EndpointView& view) {
  if (configured == nullptr) {
    view.endpoint = make_endpoint(record.filter, {}, defaults);
    make_unusable(view, record.state_reason ? std::string_view{*record.state_reason} : kLeftSecret);
    return;
  }
  view.endpoint = configured->endpoint;
  view.url = configured->url;
  view.target = view.endpoint.url.display();
}

// Whether it was opened by the first key, or not at all.
bool read_sealed(const EndpointRecord& record, const KeyRing& keys, EndpointView& view) {
  const auto opened = keys.open(record.sealed, record.id);
  if (!opened) {
    make_unusable(view, opened.error().kind == ErrorKind::not_found ? kKeyMissing : kAltered);
    return true;
  }
  auto secrets = decode_secrets(opened->text);
  if (!secrets) {
    make_unusable(view, kUnreadable);
    return true;
  }
  view.url = secrets->url;
  if (!add_secrets(view.endpoint, *std::move(secrets))) {
    make_unusable(view, kUnreadable);
  }
  return opened->is_under_first_key;
}

bool read_made(const EndpointRecord& record, const KeyRing& keys, const DeliveryDefaults& defaults,
               EndpointView& view) {
  const auto settings = decode_settings(record.settings);
  view.endpoint = make_endpoint(record.filter, settings ? *settings : EndpointSettings{}, defaults);
  if (!settings) {
    make_unusable(view, kUnreadable);
    return true;
  }
  view.description = settings->description;
  return read_sealed(record, keys, view);
}

}  // namespace

ReadRecord read_record(const EndpointRecord& record, const ConfiguredEndpoint* configured,
                       const KeyRing& keys, const DeliveryDefaults& defaults) {
  ReadRecord read;
  auto view = std::make_shared<EndpointView>();
  view->target = record.target;
  view->state_reason = record.state_reason;
  view->created_at = record.created_at;
  view->updated_at = record.updated_at;
  if (record.origin == EndpointOrigin::secret) {
    read_configured(record, configured, defaults, *view);
  } else {
    read.is_under_first_key = read_made(record, keys, defaults, *view);
  }
  view->endpoint.number = record.number;
  view->endpoint.id = record.id;
  view->endpoint.origin = record.origin;
  view->endpoint.revision = record.revision;
  view->endpoint.state = view->is_usable ? record.state : EndpointState::disabled;
  read.view = std::move(view);
  return read;
}

Result<EndpointDraft> draft_of(const EndpointRecord& record, const KeyRing& keys) {
  const auto opened = keys.open(record.sealed, record.id);
  if (!opened) {
    return opened.error();
  }
  auto settings = decode_settings(record.settings);
  if (!settings) {
    return settings.error();
  }
  auto secrets = decode_secrets(opened->text);
  if (!secrets) {
    return secrets.error();
  }
  return EndpointDraft{record.filter, *std::move(settings), *std::move(secrets)};
}

Result<void> put_draft(EndpointRecord& record, const EndpointDraft& draft, const KeyRing& keys,
                       const SealNonce& nonce) {
  if (!keys.can_seal()) {
    return make_error(
        ErrorKind::refused,
        "Endpoints hold secrets, and there is no key to keep them under: add encryption_keys (32 "
        "random bytes in base64) to the secret");
  }
  Endpoint endpoint;
  const auto added = add_secrets(endpoint, draft.secrets);
  if (!added) {
    return added.error();
  }
  record.filter = draft.filter;
  record.target = endpoint.url.display();
  record.settings = encode_settings(draft.settings);
  record.sealed = keys.seal(encode_secrets(draft.secrets), record.id, nonce);
  return {};
}

}  // namespace dispatcher
