// Every setting, in one table: the command line, the environment, the config file, the help and the
// docs are all made from it.
#pragma once

#include "hosts/command_table.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace dispatcher {

enum class Setting : std::uint8_t {
  // where things are
  config,
  api,
  listen,
  listen_receiver,
  data,
  store,
  secrets_file,
  secret_arn,
  table_name,
  aws_region,
  tls_cert,
  tls_key,
  // delivering
  endpoint,
  schedule,
  max_events,
  deadline,
  dry_run,
  max_in_flight,
  endpoint_concurrency,
  request_timeout,
  max_retries,
  retry_base,
  retry_max,
  retry_schedule,
  retryable_statuses,
  allow_target,
  ca_file,
  // the service
  max_body_bytes,
  metrics_token,
  cloudwatch_metrics,
  retention_days,
  retention_max_events,
  // what to send and show
  type,
  source,
  payload,
  batch,
  id,
  status,
  state,
  reason,
  endpoint_id,
  from,
  to,
  order,
  limit,
  release_limit,
  release_dry_run,
  note,
  export_format,
  export_file,
  // endpoints of the API
  endpoint_url,
  endpoint_subject,
  endpoint_new_url,
  description,
  event_types,
  event_sources,
  body_format,
  header,
  concurrency,
  rate,
  timeout,
  retries,
  endpoint_schedule,
  start,
  endpoint_secret,
  reveal,
  waiting,
  overlap,
  // the receiver
  plain,
  answer_status,
  fail_rate,
  delay,
  signing_secret,
  record,
  // the store
  file,
  // output
  json,
  log_format,
  log_level,
  count_,  // how many there are
};

enum class ValueType : std::uint8_t {
  text,
  list,       // several texts: the flag again, or commas
  texts,      // several texts, which may hold commas: the flag again
  urls,       // the same, of URLs, which may hold commas
  choice,     // one of `choices`
  whole,      // from `min` to `max`
  share,      // from 0 to 1
  duration,   // `250ms`, `30s`; `min` and `max` in milliseconds
  time,       // a date, or a date and a time of day
  seconds,    // a duration, or a number of seconds with a fraction
  durations,  // several, or `none`
  statuses,   // HTTP statuses, each with an optional `!` before it
  flag,       // there or not
};

struct SettingRow {
  Setting setting;
  std::string_view flag;         // `--api`; without dashes: a positional argument; empty: none
  std::string_view placeholder;  // what stands for the flag's value in the help
  std::string_view variable;     // of the environment; empty: none
  std::string_view key;          // in the config file; empty: none
  ValueType type;
  std::int64_t min;  // where the type says so
  std::int64_t max;
  std::string_view fallback;  // the value when none is given, as it would be written; empty: none
  std::string_view example;   // a good value, for error messages
  std::string_view choices;   // separated by `|`
  bool is_secret;             // its value is never shown
  CommandSet commands;        // that take it
  std::string_view help;
};

// In the order of the enum.
[[nodiscard]] std::span<const SettingRow> setting_table();
[[nodiscard]] const SettingRow& row_of(Setting setting);

}  // namespace dispatcher
