// What the record of an endpoint says, with its secrets opened; and a record made of what was said.
// Pure.
#pragma once

#include "base/seal.hpp"
#include "model/endpoint_settings.hpp"
#include "ports/endpoint_records.hpp"

#include <memory>
#include <optional>
#include <string>

namespace dispatcher {

// An endpoint as it can be shown and worked on.
struct EndpointView {
  // Without URL, headers and signing keys when they are not known.
  Endpoint endpoint;
  // Whether everything needed to deliver to it is known. If not, it is disabled, `state_reason`
  // says why, and its events wait.
  bool is_usable = true;
  std::optional<std::string> state_reason;
  std::string description;
  std::string url;     // a secret, in full; empty when it is not known
  std::string target;  // `https://host`
  WallTime created_at{};
  WallTime updated_at{};
};
using EndpointViewPtr = std::shared_ptr<const EndpointView>;

struct ReadRecord {
  EndpointViewPtr view;
  bool is_under_first_key = true;  // otherwise it is to be sealed anew
};

// What the secret gives at present.
struct ConfiguredEndpoint {
  Endpoint endpoint;
  std::string url;
};

// `configured` is what the secret gives for this number; null for one that it does not give.
[[nodiscard]] ReadRecord read_record(const EndpointRecord& record,
                                     const ConfiguredEndpoint* configured, const KeyRing& keys,
                                     const DeliveryDefaults& defaults);

// What can be changed about an endpoint of the API.
[[nodiscard]] Result<EndpointDraft> draft_of(const EndpointRecord& record, const KeyRing& keys);

// Writes the draft into the record, which has its id. `refused`: there is no key to seal with.
[[nodiscard]] Result<void> put_draft(EndpointRecord& record, const EndpointDraft& draft,
                                     const KeyRing& keys, const SealNonce& nonce);

}  // namespace dispatcher
