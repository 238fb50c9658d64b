#include "hosts/settings_table.hpp"

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

constexpr CommandSet kReleases = events_replay | events_discard;
constexpr CommandSet kFiltering = kReleases | events_list;
constexpr CommandSet kEvents =
    kFiltering | events_show | events_attempts | events_delete | events_export;
constexpr CommandSet kChanges = endpoints_add | endpoints_set;
constexpr CommandSet kOneEndpoint = endpoints_show | endpoints_set | endpoints_pause |
                                    endpoints_resume | endpoints_test | endpoints_rotate_secret |
                                    endpoints_remove;
constexpr CommandSet kEndpoints = kOneEndpoint | endpoints_list | endpoints_add;
constexpr CommandSet kClients = kEvents | kEndpoints | send;
constexpr CommandSet kRuns = run | lambda;
constexpr CommandSet kDeliverers = kRuns | serve;
constexpr CommandSet kStores = store_backup | store_check | store_restore;
constexpr CommandSet kWithSecret = kClients | kDeliverers;
// What the function needs, its environment names: it looks for nothing in a directory.
constexpr CommandSet kWithData = kClients | kStores | serve | run | listen;
// The export has a format of its own.
constexpr CommandSet kWithOutput = kFiltering | kEndpoints | kStores | send | events_show |
                                   events_attempts | events_delete | run | version;
constexpr CommandSet kAllButVersion = kWithData | lambda;

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
               "", false, kDeliverers,
               "requests under way to one endpoint, not more than in all"},
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
               kFiltering | send | events_export, "the event's type"},
    SettingRow{Setting::source, "--source", "SOURCE", "", "", text, 0, 0, "", "shop", "", false,
               kFiltering | send, "the event's source"},
    SettingRow{Setting::payload, "--payload", "JSON|@FILE|-", "", "", text, 0, 0, "",
               "'{\"id\":1}'", "", false, only(send),
               "a JSON object, a file that holds one, or standard input"},
    SettingRow{Setting::batch, "--batch", "FILE", "", "", text, 0, 0, "", "events.ndjson", "",
               false, only(send),
               "many events, each on a line of its own: {\"type\",\"source\",\"payload\"}; - is "
               "standard input"},
    SettingRow{Setting::id, "ID", "", "", "", text, 0, 0, "", "", "", false,
               events_show | events_attempts | kReleases | events_delete, "the event's id"},
    SettingRow{Setting::status, "--status", "STATUS", "", "", choice, 0, 0, "", "pending",
               "pending|delivered|failed", false, kFiltering, "events of this status"},
    SettingRow{Setting::state, "--state", "STATE", "", "", choice, 0, 0, "", "review",
               "waiting|in_flight|delivered|review|discarded", false, kFiltering,
               "events with a delivery in this state"},
    SettingRow{Setting::reason, "--reason", "REASON", "", "", choice, 0, 0, "", "rejected",
               "rejected|redirected|blocked|exhausted", false, kFiltering,
               "events in review for this reason"},
    SettingRow{Setting::endpoint_id, "--endpoint-id", "ID", "", "", text, 0, 0, "",
               "secret-1a2b3c4d", "", false, kFiltering, "events for this endpoint"},
    SettingRow{Setting::from, "--from", "TIME", "", "", time, 0, 0, "", "2024-01-01T00:00:00Z", "",
               false, kFiltering | events_export, "created at this time or later"},
    SettingRow{Setting::to, "--to", "TIME", "", "", time, 0, 0, "", "2024-12-31", "", false,
               kFiltering | events_export, "created at this time or earlier"},
    SettingRow{Setting::order, "--order", "ORDER", "", "", choice, 0, 0, "desc", "desc",
               "desc|asc", false, only(events_list), "newest or oldest first"},
    SettingRow{Setting::limit, "--limit", "N", "", "", whole, 1, 1'000'000, "100", "100", "", false,
               only(events_list), "at most so many"},
    SettingRow{Setting::release_limit, "--limit", "N", "", "", whole, 1, 1'000'000'000'000, "",
               "1000", "", false, kReleases, "at most so many events, the oldest first; else all"},
    SettingRow{Setting::release_dry_run, "--dry-run", "", "", "", flag, 0, 0, "", "", "", false,
               kReleases, "say how many events match, and how many deliveries it would be; change nothing"},
    SettingRow{Setting::note, "--note", "TEXT", "", "", text, 0, 0, "", "'receiver is fixed'", "",
               false, kReleases, "why; it is kept with each event"},
    SettingRow{Setting::export_format, "--format", "FORMAT", "", "", choice, 0, 0, "json", "csv",
               "json|csv", false, only(events_export), "one JSON array, or CSV with a heading"},
    SettingRow{Setting::export_file, "--file", "FILE", "", "", text, 0, 0, "", "events.json", "",
               false, only(events_export),
               "write to this file, which is there when it is whole; else to standard output"},
    SettingRow{Setting::endpoint_url, "URL", "", "", "", text, 0, 0, "",
               "https://hooks.example.com/abc", "", true, only(endpoints_add),
               "where to deliver; @FILE or - (standard input) keep it out of the list of processes, which "
               "others on this machine see"},
    SettingRow{Setting::endpoint_subject, "ID", "", "", "", text, 0, 0, "", "", "", false,
               kOneEndpoint, "the endpoint's id, as `dispatcher endpoints list` shows it"},
    SettingRow{Setting::endpoint_new_url, "--url", "URL|@FILE|-", "", "", text, 0, 0, "",
               "https://hooks.example.com/abc", "", true, only(endpoints_set),
               "deliver there from now on"},
    SettingRow{Setting::description, "--description", "TEXT", "", "", text, 0, 0, "", "'billing'",
               "", false, kChanges, "for people"},
    SettingRow{Setting::event_types, "--type", "TYPE", "", "", texts, 0, 0, "", "'order.*'", "",
               false, kChanges,
               "events of this type alone, or of all that begin so: a last * (repeatable)"},
    SettingRow{Setting::event_sources, "--source", "SOURCE", "", "", texts, 0, 0, "", "shop", "",
               false, kChanges, "events from this source alone, or with a last * (repeatable)"},
    SettingRow{Setting::body_format, "--body", "FORMAT", "", "", choice, 0, 0, "", "standard",
               "event|payload|standard", false, kChanges,
               "what is sent: the event, its payload alone, or as Standard Webhooks have it"},
    SettingRow{Setting::header, "--header", "'NAME: VALUE'|@FILE", "", "", texts, 0, 0, "",
               "'X-Tenant: 7'", "", true, kChanges,
               "a header to send besides (repeatable), or a file with one on each line; they replace those "
               "it has, and none removes them"},
    SettingRow{Setting::concurrency, "--concurrency", "N", "", "", whole, 1, kMostInFlight, "", "8",
               "", false, kChanges, "requests under way to it"},
    SettingRow{Setting::rate, "--rate", "N", "", "", text, 0, 0, "", "10", "", false, kChanges,
               "requests begun a second, fractions too; none: no limit"},
    SettingRow{Setting::timeout, "--timeout", "TIME", "", "", seconds, 10, kHour - kMinute, "",
               "10s", "", false, kChanges, "for one request to it, connecting included"},
    SettingRow{Setting::retries, "--retries", "N", "", "", whole, 0, 100, "", "3", "", false,
               kChanges, "retries right after an attempt that failed"},
    SettingRow{Setting::endpoint_schedule, "--schedule", "TIMES", "", "", durations, 1'000,
               30 * kDay, "", "5m,30m,2h", "", false, kChanges,
               "waits between rounds of retries; after the last comes review; none: at once"},
    SettingRow{Setting::start, "--start", "WHEN", "", "", choice, 0, 0, "", "now", "now|pending",
               false, only(endpoints_add),
               "with events from now on, or with those too that wait and matched no endpoint"},
    SettingRow{Setting::endpoint_secret, "--secret", "whsec_…|@FILE|-", "", "", text, 0, 0, "",
               "@secret.txt", "", true, only(endpoints_add), "sign with this secret; without it one is made"},
    SettingRow{Setting::reveal, "--reveal", "", "", "", flag, 0, 0, "", "", "", false,
               endpoints_list | endpoints_show | endpoints_test, "show URLs and header values whole"},
    SettingRow{Setting::waiting, "--waiting", "WHAT", "", "", choice, 0, 0, "", "discard",
               "discard", false, only(endpoints_remove),
               "what becomes of its deliveries that wait or are in review; without it they keep it "
               "from being removed"},
    SettingRow{Setting::overlap, "--overlap", "TIME", "", "", duration, 0, 30 * kDay, "", "24h", "",
               false, only(endpoints_rotate_secret),
               "how long the old secret signs too; else 24h"},
    SettingRow{Setting::plain, "--plain", "", "", "", flag, 0, 0, "", "", "", false,
               only(Command::listen), "HTTP instead of HTTPS"},
    SettingRow{Setting::answer_status, "--status", "CODE", "", "", whole, 200, 599, "200", "200",
               "", false, only(Command::listen), "the status of the answers"},
    SettingRow{Setting::fail_rate, "--fail-rate", "SHARE", "", "", share, 0, 0, "0", "0.1", "",
               false, only(Command::listen), "answer this share of the requests with 503"},
    SettingRow{Setting::delay, "--delay", "TIME", "", "", duration, 0, kHour, "0s", "50ms", "",
               false, only(Command::listen), "wait before each answer"},
    SettingRow{Setting::signing_secret, "--secret", "whsec_…", "DISPATCHER_LISTEN_SECRET", "", texts,
               0, 0, "", "whsec_…", "", true, only(Command::listen),
               "verify signatures with this secret (repeatable: any of them may have signed)"},
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

std::span<const SettingRow> setting_table() {
  return kSettings;
}

const SettingRow& row_of(Setting setting) {
  return kSettings[static_cast<std::size_t>(setting)];
}

}  // namespace dispatcher
