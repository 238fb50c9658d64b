// What each subcommand is told to do: the settings, checked and in their own types. Made by
// `settings.hpp` from flags, environment and file; the wiring builds the program from it.
#pragma once

#include "base/log.hpp"
#include "model/delivery.hpp"
#include "model/event.hpp"
#include "model/retry.hpp"
#include "model/webhook_url.hpp"
#include "ports/endpoint_records.hpp"
#include "ports/store.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dispatcher {

struct LogConfig {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::json;
};

// Where the secret is read from.
struct SecretConfig {
  std::string file;                // SECRETS_FILE, else DATA/secrets.json; empty with an ARN
  std::string arn;                 // SECRET_ARN, in AWS Secrets Manager; empty for a file
  std::string aws_region;          // empty: what AWS's own variables and profile say
  bool is_made_if_absent = false;  // `serve` with DATA/secrets.json: made on its first start
};

// What requests to receivers and services may do.
struct NetworkConfig {
  // ALLOW_TARGETS and --allow-target, joined by commas; empty for none. Its entries are checked by
  // the HTTPS client's own parser.
  std::string allow_targets;
  std::vector<std::string> ca_files;
};

struct DeliveryConfig {
  std::vector<std::string> endpoints;  // --endpoint; each is a secret. Empty: what the secret names
  RetryPolicy retry;
  std::chrono::microseconds request_timeout = std::chrono::seconds{30};
  int endpoint_concurrency = 64;
  std::size_t max_in_flight = 1024;  // over all endpoints
};

struct ListenAddress {
  std::string host;        // an address, IPv6 without its brackets, or `localhost`
  std::uint16_t port = 0;  // 0: any that is free

  [[nodiscard]] bool is_loopback() const;
  [[nodiscard]] std::string text() const;  // `127.0.0.1:8080`, `[::1]:8080`
};

// PEM files.
struct TlsFiles {
  std::string certificate;
  std::string key;
};

struct ServeConfig {
  LogConfig log;
  SecretConfig secret;
  NetworkConfig network;
  DeliveryConfig delivery;
  std::string data_dir = "./data";
  ListenAddress listen{"127.0.0.1", 8080};
  std::optional<TlsFiles> tls;
  std::optional<std::chrono::microseconds> pass_interval;  // --schedule; empty: realtime
  std::size_t max_body_bytes = 1024 * 1024;
  std::string metrics_token;  // empty for none
  RetentionPolicy retention;
  std::vector<std::string> warnings;  // to be logged at start
};

struct RunConfig {
  LogConfig log;
  SecretConfig secret;
  NetworkConfig network;
  DeliveryConfig delivery;
  WebhookUrl api;     // the service's base; its `target` is the path's prefix, without a last slash
  std::string table;  // of the events, in DynamoDB; empty: none
  std::int64_t max_events = 100;
  std::optional<std::chrono::microseconds> deadline;  // from the start of the run
  bool is_dry_run = false;
  bool is_json = false;
  std::vector<std::string> warnings;
};

// The Lambda function. Its deadline is the invocation's, its number of events may be.
struct LambdaConfig {
  RunConfig run;
  std::string cloudwatch_metrics = "seed";  // which are published: seed, all, none
};

// How a command finds a service and proves who it is.
struct ClientConfig {
  LogConfig log;
  SecretConfig secret;
  NetworkConfig network;
  WebhookUrl api;                                                // as in RunConfig
  std::chrono::microseconds timeout = std::chrono::seconds{30};  // of one request
};

struct SendConfig {
  ClientConfig client;
  std::string type;
  std::string source;
  std::string payload;     // as given: JSON, `@FILE` or `-`
  std::string batch_file;  // NDJSON; `-` for standard input. Empty: one event
  bool is_json = false;
};

// As the service takes them; what is empty does not narrow.
struct EventsFilter {
  std::string status;
  std::string state;
  std::string type;
  std::string source;
  std::string reason;
  std::string endpoint_id;
  std::string from;
  std::string to;
};

enum class EventsAction : std::uint8_t { list, show, attempts, erase };

struct EventsConfig {
  ClientConfig client;
  EventsAction action = EventsAction::list;
  std::string id;  // of all but list
  EventsFilter filter;
  std::string order;
  std::int64_t limit = 100;
  bool is_json = false;
};

struct ReleaseConfig {
  ClientConfig client;
  ReleaseAction action = ReleaseAction::replay;
  std::string id;       // of one event; empty: what the filter matches
  EventsFilter filter;  // with an id: its endpoint alone
  std::optional<std::int64_t> limit;
  bool is_dry_run = false;
  std::string note;
  bool is_json = false;
};

struct ExportConfig {
  ClientConfig client;
  EventsFilter filter;
  bool is_csv = false;
  std::string file;  // empty: standard output
};

enum class EndpointsAction : std::uint8_t {
  list,
  add,
  show,
  set,
  pause,
  resume,
  test,
  rotate_secret,
  remove
};

// What is absent stays as it is; of a new endpoint, as the service has it.
struct EndpointChanges {
  std::optional<std::string> url;  // as given: itself, `@FILE` or `-`; `secret` too
  std::optional<std::string> description;
  std::optional<std::vector<std::string>> types;
  std::optional<std::vector<std::string>> sources;
  std::optional<std::string> body;
  std::optional<std::vector<std::string>> headers;  // `Name: value` or `@FILE`; empty for none
  std::optional<std::int64_t> concurrency;
  std::optional<std::optional<double>> rate_per_second;  // empty inside: no limit
  std::optional<std::chrono::microseconds> timeout;
  std::optional<std::int64_t> retries;
  std::optional<std::vector<std::chrono::seconds>> schedule;
  std::optional<std::string> start;
  std::optional<std::string> secret;
};

struct EndpointsConfig {
  ClientConfig client;
  EndpointsAction action = EndpointsAction::list;
  std::string id;           // of all but list and add
  EndpointChanges changes;  // of add and set
  bool reveals = false;
  bool discards_waiting = false;                     // of remove
  std::optional<std::chrono::microseconds> overlap;  // of rotate_secret
  bool is_json = false;
};

struct ListenConfig {
  LogConfig log;
  std::string data_dir = "./data";  // where its certificate is made
  ListenAddress address{"127.0.0.1", 8443};
  bool is_plain = false;  // HTTP
  int status = 200;
  double fail_rate = 0;  // share of the requests that are answered 503
  std::chrono::microseconds delay{0};
  std::vector<std::string> secrets;  // `whsec_…`, or raw; none: signatures are not looked at
  std::string record_file;           // empty for none
};

enum class StoreAction : std::uint8_t { backup, check, restore };

struct StoreCommandConfig {
  LogConfig log;
  StoreAction action = StoreAction::check;
  std::string data_dir = "./data";
  std::string file;  // of backup and restore
  bool is_json = false;
};

}  // namespace dispatcher
