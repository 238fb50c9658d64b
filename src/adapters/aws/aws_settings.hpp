// Which region and which endpoints calls go to, as every AWS client decides it.
#pragma once

#include "adapters/aws/profile_files.hpp"
#include "base/result.hpp"
#include "model/webhook_url.hpp"
#include "ports/aws_api.hpp"
#include "ports/environment.hpp"

#include <array>
#include <string>
#include <string_view>

namespace dispatcher {

enum class AwsProtocol : std::uint8_t { json, query };

// What the client must know of a service.
struct AwsServiceInfo {
  AwsService service;
  std::string_view name;          // as people and X-Ray know it
  std::string_view host_prefix;   // of `prefix.region.amazonaws.com`
  std::string_view signing_name;  // in a signature's scope
  std::string_view profile_key;   // in a profile's `services`
  AwsProtocol protocol;
  std::string_view version;  // json: that of the media type; query: the API's
  std::string_view target;   // json: the prefix of X-Amz-Target
};

[[nodiscard]] const AwsServiceInfo& info_of(AwsService service);

inline constexpr std::size_t kAwsServices = 3;

struct AwsSettings {
  std::string region;
  std::array<WebhookUrl, kAwsServices> endpoints;  // in the order of AwsService

  [[nodiscard]] const WebhookUrl& endpoint(AwsService service) const {
    return endpoints[static_cast<std::size_t>(service)];
  }
};

// `given_region` is what the program's own settings say; empty: nothing. `invalid` names what to
// set. An endpoint may be plain http: it is not a webhook's target.
[[nodiscard]] Result<AwsSettings> make_aws_settings(const Environment& environment,
                                                    const Profile& profile,
                                                    const std::string& given_region);

}  // namespace dispatcher
