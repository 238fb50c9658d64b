// What the Lambda function is told: a run's settings, of which nothing is looked for in a
// directory.
#include "hosts/make_config.hpp"

#include <fmt/format.h>

namespace dispatcher {
namespace {

Error missing(const Settings& settings, Setting setting, std::string_view fix) {
  return make_error(ErrorKind::invalid,
                    fmt::format("{}: is not set ({})", settings.name(setting), fix));
}

}  // namespace

Result<LambdaConfig> make_lambda_config(const Settings& settings, const Surroundings& around) {
  if (!settings.is_given(Setting::api)) {
    return missing(settings, Setting::api, "set it to the base URL of the Triggers API");
  }
  if (!settings.is_given(Setting::secret_arn) && !settings.is_given(Setting::secrets_file)) {
    return missing(settings, Setting::secret_arn,
                   "set it to the ARN of the secret with zapier_api_key and zapier_webhook_url");
  }
  auto run = make_run_config(settings, around);
  if (!run) {
    return run.error();
  }
  return LambdaConfig{std::move(*run), settings.text(Setting::cloudwatch_metrics)};
}

}  // namespace dispatcher
