#include "hosts/command_table.hpp"

#include "base/check.hpp"

#include <array>

namespace dispatcher {
namespace {

using enum Command;

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
    CommandRow{events_replay, "events", "replay", "deliver again: one event, or all that match",
               "dispatcher events replay 0192d2f0-6f5e-7c3a-9a4b-2f6f0c8f1a2b --note 'fixed'\n"
               "  dispatcher events replay --reason rejected --endpoint-id ep_1a2b3c4d --dry-run"},
    CommandRow{events_discard, "events", "discard",
               "give up for good what waits or is in review: of one event, or of all that match",
               "dispatcher events discard 0192d2f0-6f5e-7c3a-9a4b-2f6f0c8f1a2b --note 'obsolete'\n"
               "  dispatcher events discard --reason exhausted --to 2024-12-31 --dry-run"},
    CommandRow{events_delete, "events", "delete", "erase one event and all that is known of it",
               "dispatcher events delete 0192d2f0-6f5e-7c3a-9a4b-2f6f0c8f1a2b"},
    CommandRow{events_export, "events", "export", "write out all events that match, newest first",
               "dispatcher events export --format csv --from 2024-01-01 --file events.csv"},
    CommandRow{endpoints_list, "endpoints", "list", "the endpoints and how they do",
               "dispatcher endpoints list"},
    CommandRow{endpoints_add, "endpoints", "add",
               "deliver to one more URL; prints its id and its secret",
               "dispatcher endpoints add https://hooks.example.com/abc --type 'order.*'\n"
               "  dispatcher endpoints add @url.txt --rate 10 --header 'X-Tenant: 7'"},
    CommandRow{endpoints_show, "endpoints", "show", "one endpoint, its settings and its counts",
               "dispatcher endpoints show ep_1a2b3c4d"},
    CommandRow{endpoints_set, "endpoints", "set", "change what is named; the rest stays",
               "dispatcher endpoints set ep_1a2b3c4d --concurrency 8 --timeout 10s"},
    CommandRow{endpoints_pause, "endpoints", "pause", "send nothing more; its events wait",
               "dispatcher endpoints pause ep_1a2b3c4d"},
    CommandRow{endpoints_resume, "endpoints", "resume",
               "send again, also after it was disabled, or paused by a 429",
               "dispatcher endpoints resume ep_1a2b3c4d"},
    CommandRow{endpoints_test, "endpoints", "test",
               "send one signed test event and show the whole exchange; status 1 unless answered "
               "2xx",
               "dispatcher endpoints test ep_1a2b3c4d"},
    CommandRow{endpoints_rotate_secret, "endpoints", "rotate-secret",
               "make a new signing secret and print it; the old one signs too for a while",
               "dispatcher endpoints rotate-secret ep_1a2b3c4d --overlap 24h"},
    CommandRow{endpoints_remove, "endpoints", "remove", "deliver to it no more, and forget it",
               "dispatcher endpoints remove ep_1a2b3c4d --waiting discard"},
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
    GroupRow{"events", "look at events, and decide about those that need it"},
    GroupRow{"endpoints", "where events are delivered to"},
    GroupRow{"store", "look after the embedded store"},
};

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

}  // namespace dispatcher
