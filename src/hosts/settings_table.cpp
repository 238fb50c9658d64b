#include "hosts/settings_table.hpp"

#include "base/check.hpp"

#include <array>

namespace dispatcher {
namespace {

constexpr CommandSet operator|(Command left, Command right) {
  return static_cast<CommandSet>(left) | static_cast<CommandSet>(right);
}
constexpr CommandSet operator|(CommandSet left, Command right) {
  return left | static_cast<CommandSet>(right);
}
constexpr CommandSet only(Command command) {
  return static_cast<CommandSet>(command);
}

using enum Command;
using enum ValueType;

constexpr CommandSet kEvents = events_list | events_show | events_attempts;
constexpr CommandSet kClients = kEvents | send;
constexpr CommandSet kRuns = run | lambda;
constexpr CommandSet kDeliverers = kRuns | serve;
// Those that look for what they were not given in a data directory.
constexpr CommandSet kWithOwnFiles = serve | run;
constexpr CommandSet kStores = store_backup | store_check | store_restore;
constexpr CommandSet kWithSecret = kClients | kDeliverers;
constexpr CommandSet kWithData = kClients | kWithOwnFiles | kStores | listen;
constexpr CommandSet kWithOutput = kClients | kStores | run | version;
constexpr CommandSet kAllButVersion = kWithData | lambda;

constexpr std::array kCommands{
    CommandRow{serve, "", "serve", "the Triggers API and the engine",
               "dispatcher serve --endpoint https://hooks.example.com/abc"},
    CommandRow{run, "", "run", "one pass against a Triggers API, then exit",
               "API_BASE_URL=https://api.example.com SECRETS_FILE=secrets.json dispatcher run "
               "--json"},
    CommandRow{lambda, "", "lambda", "the AWS Lambda function; also when Lambda starts the program",
               "API_BASE_URL=https://api.example.com SECRET_ARN=arn:aws:… dispatcher lambda"},
    CommandRow{send, "", "send", "ingest events",
               "dispatcher send --type order.created --source shop --payload '{\"id\":1}'\n"
               "  dispatcher send --batch events.ndjson"},
    CommandRow{events_list, "events", "list", "the events, newest first",
               "dispatcher events list --status pending --type order.created"},
    CommandRow{events_show, "events", "show", "one event and its deliveries",
               "dispatcher events show 0192d2f0-6f5e-7c3a-9a4b-2f6f0c8f1a2b"},
    CommandRow{events_attempts, "events", "attempts", "the attempts to deliver one event",
               "dispatcher events attempts 0192d2f0-6f5e-7c3a-9a4b-2f6f0c8f1a2b"},
    CommandRow{listen, "", "listen", "a local HTTPS receiver to try things with",
               "dispatcher listen --fail-rate 0.1 --record received.ndjson"},
    CommandRow{store_backup, "store", "backup", "copy the store to FILE, while it is in use",
               "dispatcher store backup /var/backups/events.db"},
    CommandRow{store_check, "store", "check", "read the whole store and say whether it is sound",
               "dispatcher store check --data ./data"},
    CommandRow{store_restore, "store", "restore", "put a backup in the place of the store",
               "dispatcher store restore /var/backups/events.db --data ./data"},
    CommandRow{Command::version, "", "version", "the program's version", "dispatcher version"},
};

constexpr std::array kGroups{
    GroupRow{"events", "look at events"},
    GroupRow{"store", "look after the embedded store"},
};

constexpr std::int64_t kMinute = 60'000;  // in milliseconds, as all durations here
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::int64_t kMebibyte = 1024 * 1024;
// More waiting requests than this are more sockets than a machine has.
constexpr std::int64_t kMostInFlight = 65'536;

constexpr std::string_view kNoText;

// clang-format off
constexpr std::array kSettings{
    // setting, flag, placeholder, variable, key, type, min, max, fallback, example, choices,
    // is_secret, commands, help
    SettingRow{Setting::config, "--config", "FILE", "DISPATCHER_CONFIG", "", text, 0, 0, "",
               "dispatcher.toml", "", false, kAllButVersion,
               "a TOML file with settings; flags and the environment win over it"},
    SettingRow{Setting::api, "--api", "URL", "API_BASE_URL", "api_base_url", text, 0, 0, "",
               "https://api.example.com", "", false, kClients | kRuns,
               "base URL of the Triggers API; else what DATA/address names"},
    SettingRow{Setting::listen, "--listen", "HOST:PORT", "DISPATCHER_LISTEN", "listen", text, 0, 0,
               "127.0.0.1:8080", "127.0.0.1:8080", "", false, only(serve),
               "where to listen; port 0 takes any that is free"},
    SettingRow{Setting::listen_receiver, "--listen", "HOST:PORT", "", "", text, 0, 0,
               "127.0.0.1:8443", "127.0.0.1:8443", "", false, only(Command::listen),
               "where to listen; port 0 takes any that is free"},
    SettingRow{Setting::data, "--data", "DIR", "DISPATCHER_DATA", "data", text, 0, 0, "./data",
               "./data", "", false, kWithData,
               "directory of the store, the secrets it makes and its address"},
    SettingRow{Setting::store, "--store", "KIND", "DISPATCHER_STORE", "store", choice, 0, 0,
               "sqlite", "sqlite", "sqlite|dynamodb", false, only(serve), "where events are kept"},
    SettingRow{Setting::secrets_file, "--secrets-file", "FILE", "SECRETS_FILE", "secrets_file",
               text, 0, 0, "", "secrets.json", "", false, kWithSecret,
               "the secret as JSON: zapier_api_key, zapier_webhook_url, jwt_secret; "
               "else DATA/secrets.json"},
    SettingRow{Setting::secret_arn, "", "", "SECRET_ARN", "secret_arn", text, 0, 0, "",
               "arn:aws:secretsmanager:…", "", false, kWithSecret,
               "the same in AWS Secrets Manager"},
    SettingRow{Setting::table_name, "", "", "DYNAMODB_TABLE_NAME", "dynamodb_table_name", text, 0,
               0, "", "events", "", false, kDeliverers, "the events table"},
    SettingRow{Setting::aws_region, "", "", "AWS_REGION", "aws_region", text, 0, 0, "",
               "us-east-2", "", false, kWithSecret, "region of the table and the secret"},
    SettingRow{Setting::tls_cert, "--tls-cert", "FILE", "DISPATCHER_TLS_CERT", "tls_cert", text, 0,
               0, "", "cert.pem", "", false, only(serve),
               "serve HTTPS with this certificate chain (PEM)"},
    SettingRow{Setting::tls_key, "--tls-key", "FILE", "DISPATCHER_TLS_KEY", "tls_key", text, 0, 0,
               "", "key.pem", "", false, only(serve), "the certificate's key (PEM)"},
    SettingRow{Setting::endpoint, "--endpoint", "URL", "DISPATCHER_ENDPOINTS", "endpoints", urls, 0,
               0, "", "https://hooks.example.com/abc", "", true, kDeliverers,
               "deliver to this URL (repeatable); else to those of the secret"},
    SettingRow{Setting::schedule, "--schedule", "WHEN", "DISPATCHER_SCHEDULE", "schedule", text, 0,
               0, "realtime", "realtime or 5m", "", false, only(serve),
               "deliver at once, or in a pass every so often"},
    SettingRow{Setting::max_events, "--max-events", "N", "MAX_EVENTS_PER_RUN",
               "max_events_per_run", whole, 1, 10'000, "100", "100", "", false, kRuns,
               "events taken in one run"},
    SettingRow{Setting::deadline, "--deadline", "TIME", "DISPATCHER_DEADLINE", "deadline", duration,
               1, kDay, "", "300s", "", false, only(run), "by when the run has reported"},
    SettingRow{Setting::dry_run, "--dry-run", "", "", "", flag, 0, 0, "", "", "", false, only(run),
               "list what would be delivered; deliver nothing, take no lease"},
    SettingRow{Setting::max_in_flight, "--max-in-flight", "N", "MAX_CONCURRENCY",
               "max_concurrency", whole, 1, kMostInFlight, "1024", "1024", "", false, kDeliverers,
               "requests under way in all"},
    SettingRow{Setting::endpoint_concurrency, "--endpoint-concurrency", "N",
               "ENDPOINT_CONCURRENCY", "endpoint_concurrency", whole, 1, kMostInFlight, "64", "64",
               "", false, kDeliverers, "requests under way to one endpoint"},
    SettingRow{Setting::request_timeout, "--request-timeout", "TIME", "REQUEST_TIMEOUT_SECONDS",
               "request_timeout_seconds", seconds, 10, kHour - kMinute, "30s", "30", "", false,
               kDeliverers | kClients, "for one request, connecting included"},
    SettingRow{Setting::max_retries, "--max-retries", "N", "MAX_RETRIES", "max_retries", whole, 0,
               100, "3", "3", "", false, kDeliverers, "retries in a run after the first attempt"},
    SettingRow{Setting::retry_base, "--retry-base", "TIME", "RETRY_BASE_SECONDS",
               "retry_base_seconds", seconds, 0, kHour, "1s", "1", "", false, kDeliverers,
               "wait before the first retry; it doubles with each"},
    SettingRow{Setting::retry_max, "--retry-max", "TIME", "RETRY_MAX_SECONDS",
               "retry_max_seconds", seconds, 0, kHour, "60s", "60", "", false, kDeliverers,
               "the longest wait between retries"},
    SettingRow{Setting::retry_schedule, "--retry-schedule", "TIMES", "RETRY_SCHEDULE",
               "retry_schedule", durations, 1'000, 30 * kDay, "5m,30m,2h,5h,10h,14h,20h,24h",
               "5m,30m,2h", "", false, kDeliverers,
               "waits between rounds of retries; after the last comes review; none: at once"},
    SettingRow{Setting::retryable_statuses, "--retryable-statuses", "LIST", "RETRYABLE_STATUSES",
               "retryable_statuses", statuses, 400, 599, "", "408,425,!501", "", false, kDeliverers,
               "statuses to retry besides 429 and 5xx; with ! before it, one not to retry"},
    SettingRow{Setting::allow_target, "--allow-target", "SCHEME://CIDR", "ALLOW_TARGETS",
               "allow_targets", list, 0, 0, "", "https://127.0.0.0/8", "", false, kDeliverers,
               "exempt from the rules HTTPS only and public addresses only (repeatable)"},
    SettingRow{Setting::ca_file, "--ca-file", "FILE", "CA_FILE", "ca_file", list, 0, 0, "",
               "ca.pem", "", false, kDeliverers | kClients,
               "certificates to trust besides the system's (PEM, repeatable)"},
    SettingRow{Setting::max_body_bytes, "--max-body-bytes", "N", "MAX_BODY_BYTES",
               "max_body_bytes", whole, 1024, 64 * kMebibyte, "1048576", "1048576", "", false,
               only(serve), "the largest request body that is taken"},
    SettingRow{Setting::metrics_token, "", "", "METRICS_TOKEN", "metrics_token", text, 0, 0, "",
               "a long random text", "", true, only(serve), "a bearer for GET /metrics alone"},
    SettingRow{Setting::cloudwatch_metrics, "", "", "CLOUDWATCH_METRICS", "cloudwatch_metrics",
               choice, 0, 0, "seed", "seed", "seed|all|none", false, only(lambda),
               "what is published after each run: the original's five metrics, ours too, or none"},
    SettingRow{Setting::retention_days, "--retention-days", "N", "RETENTION_DAYS",
               "retention_days", whole, 1, 36'500, "90", "90", "", false, only(serve),
               "how long events that are done are kept"},
    SettingRow{Setting::retention_max_events, "--retention-max-events", "N",
               "RETENTION_MAX_EVENTS", "retention_max_events", whole, 0, 1'000'000'000'000,
               "10000000", "10000000", "", false, only(serve),
               "how many events that are done are kept; the oldest go first"},
    SettingRow{Setting::type, "--type", "TYPE", "", "", text, 0, 0, "", "order.created", "", false,
               send | events_list, "the event's type"},
    SettingRow{Setting::source, "--source", "SOURCE", "", "", text, 0, 0, "", "shop", "", false,
               send | events_list, "the event's source"},
    SettingRow{Setting::payload, "--payload", "JSON|@FILE|-", "", "", text, 0, 0, "",
               "'{\"id\":1}'", "", false, only(send),
               "a JSON object, a file that holds one, or standard input"},
    SettingRow{Setting::batch, "--batch", "FILE", "", "", text, 0, 0, "", "events.ndjson", "",
               false, only(send),
               "many events, each on a line of its own: {\"type\",\"source\",\"payload\"}; - is "
               "standard input"},
    SettingRow{Setting::id, "ID", "", "", "", text, 0, 0, "", "", "", false,
               events_show | events_attempts, "the event's id"},
    SettingRow{Setting::status, "--status", "STATUS", "", "", choice, 0, 0, "", "pending",
               "pending|delivered|failed", false, only(events_list), "events of this status"},
    SettingRow{Setting::state, "--state", "STATE", "", "", choice, 0, 0, "", "review",
               "waiting|in_flight|delivered|review|discarded", false, only(events_list),
               "events with a delivery in this state"},
    SettingRow{Setting::reason, "--reason", "REASON", "", "", choice, 0, 0, "", "rejected",
               "rejected|redirected|blocked|exhausted", false, only(events_list),
               "events in review for this reason"},
    SettingRow{Setting::endpoint_id, "--endpoint-id", "ID", "", "", text, 0, 0, "",
               "secret-1a2b3c4d", "", false, only(events_list), "events for this endpoint"},
    SettingRow{Setting::from, "--from", "TIME", "", "", text, 0, 0, "", "2024-01-01T00:00:00Z", "",
               false, only(events_list), "created at this time or later"},
    SettingRow{Setting::to, "--to", "TIME", "", "", text, 0, 0, "", "2024-12-31", "", false,
               only(events_list), "created at this time or earlier"},
    SettingRow{Setting::order, "--order", "ORDER", "", "", choice, 0, 0, "desc", "desc",
               "desc|asc", false, only(events_list), "newest or oldest first"},
    SettingRow{Setting::limit, "--limit", "N", "", "", whole, 1, 1'000'000, "100", "100", "", false,
               only(events_list), "at most so many"},
    SettingRow{Setting::plain, "--plain", "", "", "", flag, 0, 0, "", "", "", false,
               only(Command::listen), "HTTP instead of HTTPS"},
    SettingRow{Setting::answer_status, "--status", "CODE", "", "", whole, 200, 599, "200", "200",
               "", false, only(Command::listen), "the status of the answers"},
    SettingRow{Setting::fail_rate, "--fail-rate", "SHARE", "", "", share, 0, 0, "0", "0.1", "",
               false, only(Command::listen), "answer this share of the requests with 503"},
    SettingRow{Setting::delay, "--delay", "TIME", "", "", duration, 0, kHour, "0s", "50ms", "",
               false, only(Command::listen), "wait before each answer"},
    SettingRow{Setting::signing_secret, "--secret", "whsec_…", "DISPATCHER_LISTEN_SECRET", "", text,
               0, 0, "", "whsec_…", "", true, only(Command::listen),
               "verify signatures with this secret"},
    SettingRow{Setting::record, "--record", "FILE", "", "", text, 0, 0, "", "received.ndjson", "",
               false, only(Command::listen), "append a JSON line for each request"},
    SettingRow{Setting::file, "FILE", "", "", "", text, 0, 0, "", "", "", false,
               store_backup | store_restore, "the backup"},
    SettingRow{Setting::json, "--json", "", "", "", flag, 0, 0, "", "", "", false, kWithOutput,
               "machine-readable output"},
    SettingRow{Setting::log_format, "--log-format", "FORMAT", "DISPATCHER_LOG_FORMAT", "log_format", choice, 0,
               0, kNoText, "json", "text|json", false, kAllButVersion,
               "of the log on stderr; text on a terminal, JSON lines elsewhere"},
    SettingRow{Setting::log_level, "--log-level", "LEVEL", "DISPATCHER_LOG_LEVEL", "log_level", choice, 0, 0,
               kNoText, "info", "debug|info|warning|error", false, kAllButVersion,
               "the least that is logged; info for serve, run and listen, else warning"},
};
// clang-format on

static_assert(kSettings.size() == static_cast<std::size_t>(Setting::count_));

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < kSettings.size(); ++i) {
    if (static_cast<std::size_t>(kSettings[i].setting) != i) {
      return false;
    }
  }
  return true;
}
static_assert(is_in_order());

}  // namespace

std::span<const CommandRow> command_table() {
  return kCommands;
}

const CommandRow& row_of(Command command) {
  for (const CommandRow& row : kCommands) {
    if (row.command == command) {
      return row;
    }
  }
  DISPATCHER_CHECK(false && "every command has a row");
  return kCommands.front();
}

std::span<const GroupRow> group_table() {
  return kGroups;
}

std::span<const SettingRow> setting_table() {
  return kSettings;
}

const SettingRow& row_of(Setting setting) {
  return kSettings[static_cast<std::size_t>(setting)];
}

}  // namespace dispatcher
