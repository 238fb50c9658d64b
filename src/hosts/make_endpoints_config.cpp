// What the `endpoints` commands are told.
#include "base/number_text.hpp"
#include "hosts/config_parts.hpp"
#include "hosts/make_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

namespace dispatcher {
namespace {

// The value of a flag that stands for nothing.
constexpr std::string_view kNone = "none";

EndpointsAction action_of(Command command) {
  switch (command) {
    case Command::endpoints_add: return EndpointsAction::add;
    case Command::endpoints_show: return EndpointsAction::show;
    case Command::endpoints_set: return EndpointsAction::set;
    case Command::endpoints_pause: return EndpointsAction::pause;
    case Command::endpoints_resume: return EndpointsAction::resume;
    case Command::endpoints_test: return EndpointsAction::test;
    case Command::endpoints_rotate_secret: return EndpointsAction::rotate_secret;
    case Command::endpoints_remove: return EndpointsAction::remove;
    default: return EndpointsAction::list;
  }
}

std::optional<std::string> given_text(const Settings& settings, Setting setting) {
  return settings.is_given(setting) ? std::optional{settings.text(setting)} : std::nullopt;
}

std::optional<std::vector<std::string>> given_list(const Settings& settings, Setting setting) {
  return settings.is_given(setting) ? std::optional{settings.list(setting)} : std::nullopt;
}

std::optional<std::int64_t> given_whole(const Settings& settings, Setting setting) {
  return settings.is_given(setting) ? std::optional{settings.whole(setting)} : std::nullopt;
}

// Empty: not given. Empty inside: no limit.
using Rate = std::optional<std::optional<double>>;

Result<Rate> make_rate(const Settings& settings) {
  const auto text = given_text(settings, Setting::rate);
  if (!text) {
    return Rate{};
  }
  if (*text == kNone) {
    return Rate{std::optional<double>{}};
  }
  const auto rate = parse_float(*text);
  if (!rate || *rate <= 0) {
    return invalid("--rate: is no number above 0 (set it to e.g. 10, 0.5 or none)");
  }
  return Rate{rate};
}

std::optional<std::vector<std::string>> make_headers(const Settings& settings) {
  auto headers = given_list(settings, Setting::header);
  if (headers && headers->size() == 1 && headers->front() == kNone) {
    headers->clear();
  }
  return headers;
}

bool is_any_given(const Settings& settings, std::initializer_list<Setting> all) {
  return std::any_of(all.begin(), all.end(),
                     [&](Setting setting) { return settings.is_given(setting); });
}

// What the command cannot do without.
std::optional<Error> missing(EndpointsAction action, const Settings& settings) {
  const bool has_subject = action == EndpointsAction::list || action == EndpointsAction::add ||
                           !settings.text(Setting::endpoint_subject).empty();
  if (!has_subject) {
    return invalid(
        "ID: is missing (give the endpoint's id, as `dispatcher endpoints list` shows it)");
  }
  if (action == EndpointsAction::add && settings.text(Setting::endpoint_url).empty()) {
    return invalid("URL: is missing (give where to deliver, @FILE or -)");
  }
  const bool has_changes =
      is_any_given(settings, {Setting::endpoint_new_url, Setting::description, Setting::event_types,
                              Setting::event_sources, Setting::body_format, Setting::header,
                              Setting::concurrency, Setting::rate, Setting::timeout,
                              Setting::retries, Setting::endpoint_schedule});
  if (action == EndpointsAction::set && !has_changes) {
    return invalid("there is nothing to change (give e.g. --concurrency 8)");
  }
  return std::nullopt;
}

Result<EndpointChanges> make_changes(const Settings& settings) {
  EndpointChanges changes;
  changes.url =
      given_text(settings, settings.is_given(Setting::endpoint_url) ? Setting::endpoint_url
                                                                    : Setting::endpoint_new_url);
  changes.secret = given_text(settings, Setting::endpoint_secret);
  if (changes.url == "-" && changes.secret == "-") {
    return invalid("--secret: the URL is read from standard input already (give @FILE)");
  }
  changes.description = given_text(settings, Setting::description);
  changes.types = given_list(settings, Setting::event_types);
  changes.sources = given_list(settings, Setting::event_sources);
  changes.body = given_text(settings, Setting::body_format);
  changes.headers = make_headers(settings);
  changes.concurrency = given_whole(settings, Setting::concurrency);
  changes.retries = given_whole(settings, Setting::retries);
  changes.start = given_text(settings, Setting::start);
  if (settings.is_given(Setting::timeout)) {
    changes.timeout = settings.duration(Setting::timeout);
  }
  if (settings.is_given(Setting::endpoint_schedule)) {
    changes.schedule = settings.durations(Setting::endpoint_schedule);
  }
  auto rate = make_rate(settings);
  if (!rate) {
    return rate.error();
  }
  changes.rate_per_second = *rate;
  return changes;
}

}  // namespace

Result<EndpointsConfig> make_endpoints_config(Command command, const Settings& settings,
                                              const Surroundings& around) {
  EndpointsConfig config;
  config.action = action_of(command);
  if (auto fault = missing(config.action, settings)) {
    return *std::move(fault);
  }
  Taker take;
  take(make_changes(settings), config.changes);
  take(make_client_config(settings, around), config.client);
  if (take.error) {
    return *take.error;
  }
  config.id = settings.text(Setting::endpoint_subject);
  config.reveals = settings.flag(Setting::reveal);
  config.discards_waiting = settings.is_given(Setting::waiting);
  if (settings.is_given(Setting::overlap)) {
    config.overlap = settings.duration(Setting::overlap);
  }
  config.is_json = settings.flag(Setting::json);
  return config;
}

}  // namespace dispatcher
