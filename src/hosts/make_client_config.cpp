// What `send` and the `events` commands are told.
#include "hosts/config_parts.hpp"
#include "hosts/make_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace dispatcher {
namespace {

constexpr std::array kFilterSettings{Setting::status,      Setting::state, Setting::reason,
                                     Setting::endpoint_id, Setting::type,  Setting::source,
                                     Setting::from,        Setting::to};

EventsFilter make_filter(const Settings& settings) {
  EventsFilter filter;
  filter.status = settings.text(Setting::status);
  filter.state = settings.text(Setting::state);
  filter.endpoint_id = settings.text(Setting::endpoint_id);
  filter.type = settings.text(Setting::type);
  filter.source = settings.text(Setting::source);
  filter.reason = settings.text(Setting::reason);
  filter.from = settings.text(Setting::from);
  filter.to = settings.text(Setting::to);
  return filter;
}

EventsAction action_of(Command command) {
  switch (command) {
    case Command::events_show: return EventsAction::show;
    case Command::events_attempts: return EventsAction::attempts;
    case Command::events_delete: return EventsAction::erase;
    default: return EventsAction::list;
  }
}

// One event, or those that a filter matches: never all of them for want of an argument.
std::optional<Error> subject_fault(const Settings& settings) {
  const bool has_id = settings.is_given(Setting::id);
  bool has_filter = false;
  for (const Setting setting : kFilterSettings) {
    has_filter = has_filter || settings.is_given(setting);
    if (has_id && settings.is_given(setting) && setting != Setting::endpoint_id) {
      return invalid(
          fmt::format("{}: contradicts ID, which names one event (leave one of the two "
                      "out)",
                      row_of(setting).flag));
    }
  }
  for (const Setting setting : {Setting::release_limit, Setting::release_dry_run}) {
    if (has_id && settings.is_given(setting)) {
      return invalid(fmt::format("{}: is for a filter, and ID names one event (leave it out)",
                                 row_of(setting).flag));
    }
  }
  if (!has_id && !has_filter) {
    return invalid("which events: there is no filter (give e.g. --reason rejected)");
  }
  return std::nullopt;
}

}  // namespace

Result<SendConfig> make_send_config(const Settings& settings, const Surroundings& around) {
  SendConfig config;
  const bool is_batch = settings.is_given(Setting::batch);
  for (const Setting single : {Setting::type, Setting::source, Setting::payload}) {
    const auto flag = row_of(single).flag;
    if (is_batch && settings.is_given(single)) {
      return invalid(fmt::format(
          "{}: contradicts --batch, whose lines have their own (leave one of the two out)", flag));
    }
    if (!is_batch && !settings.is_given(single)) {
      return invalid(
          fmt::format("{}: is missing (give --type, --source and --payload, or --batch "
                      "FILE)",
                      flag));
    }
  }
  auto client = make_client_config(settings, around);
  if (!client) {
    return client.error();
  }
  config.client = std::move(*client);
  config.type = settings.text(Setting::type);
  config.source = settings.text(Setting::source);
  config.payload = settings.text(Setting::payload);
  config.batch_file = settings.text(Setting::batch);
  config.is_json = settings.flag(Setting::json);
  return config;
}

Result<EventsConfig> make_events_config(Command command, const Settings& settings,
                                        const Surroundings& around) {
  EventsConfig config;
  config.action = action_of(command);
  config.id = settings.text(Setting::id);
  if (config.action != EventsAction::list && config.id.empty()) {
    return invalid(
        "ID: is missing (give the id of the event, as `dispatcher events list` shows "
        "it)");
  }
  Taker take;
  take(make_client_config(settings, around), config.client);
  if (take.error) {
    return *take.error;
  }
  config.filter = make_filter(settings);
  config.order = settings.text(Setting::order);
  config.limit = settings.whole(Setting::limit);
  config.is_json = settings.flag(Setting::json);
  return config;
}

Result<ReleaseConfig> make_release_config(Command command, const Settings& settings,
                                          const Surroundings& around) {
  ReleaseConfig config;
  config.action =
      command == Command::events_replay ? ReleaseAction::replay : ReleaseAction::discard;
  if (auto fault = subject_fault(settings)) {
    return *std::move(fault);
  }
  Taker take;
  take(make_client_config(settings, around), config.client);
  if (take.error) {
    return *take.error;
  }
  config.filter = make_filter(settings);
  config.id = settings.text(Setting::id);
  if (settings.is_given(Setting::release_limit)) {
    config.limit = settings.whole(Setting::release_limit);
  }
  config.is_dry_run = settings.flag(Setting::release_dry_run);
  config.note = settings.text(Setting::note);
  config.is_json = settings.flag(Setting::json);
  return config;
}

Result<ExportConfig> make_export_config(const Settings& settings, const Surroundings& around) {
  ExportConfig config;
  Taker take;
  take(make_client_config(settings, around), config.client);
  if (take.error) {
    return *take.error;
  }
  config.filter = make_filter(settings);
  config.is_csv = settings.text(Setting::export_format) == "csv";
  config.file = settings.text(Setting::export_file);
  return config;
}

}  // namespace dispatcher
