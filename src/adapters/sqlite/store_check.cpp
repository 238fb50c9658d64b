// `dispatcher store check`: SQLite's own look at the file, then what the store promises itself.
#include "adapters/sqlite/connection.hpp"
#include "adapters/sqlite/data_directory.hpp"
#include "adapters/sqlite/schema.hpp"
#include "adapters/sqlite/store_files.hpp"

#include <fmt/format.h>

#include <array>

namespace dispatcher {
namespace {

using sqlite::Connection;

constexpr int kCacheKib = 8'192;
constexpr const char* kLookAtPages = "PRAGMA integrity_check(100)";

struct Rule {
  const char* what;
  const char* count_of_breaches;
};

constexpr std::array kRules{
    Rule{"pending events without a delivery that holds them open",
         "SELECT count(*) FROM events e WHERE e.status = 0 AND NOT EXISTS (SELECT 1 FROM "
         "deliveries d WHERE (d.place BETWEEN e.seq << 20 AND e.seq << 20 | 1048575) AND d.state "
         "IN (0, 3))"},
    Rule{"done events with a delivery that is still open",
         "SELECT count(*) FROM events e WHERE e.status <> 0 AND EXISTS (SELECT 1 FROM deliveries "
         "d WHERE (d.place BETWEEN e.seq << 20 AND e.seq << 20 | 1048575) AND d.state IN (0, 3))"},
    Rule{"events without a payload",
         "SELECT count(*) FROM events e WHERE NOT EXISTS (SELECT 1 FROM payloads p WHERE p.seq = "
         "e.seq)"},
    Rule{"payloads without an event",
         "SELECT count(*) FROM payloads p WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.seq = "
         "p.seq)"},
    Rule{"deliveries without an event",
         "SELECT count(*) FROM deliveries d WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.seq "
         "= d.place >> 20)"},
    Rule{"deliveries to an endpoint that is not known",
         "SELECT count(*) FROM deliveries d WHERE d.endpoint <> 0 AND NOT EXISTS (SELECT 1 FROM "
         "endpoints n WHERE n.number = d.endpoint)"},
    Rule{"deliveries in review without a reason",
         "SELECT count(*) FROM deliveries d WHERE d.state = 3 AND d.reason IS NULL"},
    Rule{"deliveries whose attempts are not all on record",
         "SELECT count(*) FROM deliveries d WHERE d.attempts <> (SELECT count(*) FROM attempts a "
         "WHERE a.seq = d.place >> 20 AND a.endpoint = d.endpoint)"},
    Rule{"attempts without a delivery",
         "SELECT count(*) FROM attempts a WHERE NOT EXISTS (SELECT 1 FROM deliveries d WHERE "
         "d.place = a.seq << 20 | a.endpoint)"},
    Rule{"releases without a delivery",
         // Of no endpoint: that delivery ends when a later endpoint takes the event.
         "SELECT count(*) FROM releases r WHERE r.place & 1048575 <> 0 AND NOT EXISTS (SELECT 1 "
         "FROM deliveries d WHERE d.place = r.place)"},
    Rule{"patterns of an endpoint that is not known",
         "SELECT count(*) FROM endpoint_patterns p WHERE NOT EXISTS (SELECT 1 FROM endpoints n "
         "WHERE n.number = p.endpoint)"},
    Rule{"open deliveries of removed endpoints that nothing would discard",
         "SELECT count(*) FROM deliveries d JOIN endpoints n ON n.number = d.endpoint WHERE n.kind "
         "= 3 AND d.state IN (0, 3) AND NOT EXISTS (SELECT 1 FROM discards c WHERE c.endpoint = "
         "n.number)"},
    // What is erased still counts as delivered or failed.
    Rule{"endpoints whose counters differ from a count of their deliveries",
         "SELECT count(*) FROM endpoints n LEFT JOIN endpoint_counts c ON c.endpoint = n.number "
         "LEFT JOIN (SELECT endpoint, sum(state = 0) AS waiting, sum(state = 3) AS review, "
         "sum(state = 2) AS delivered FROM deliveries GROUP BY endpoint) d ON d.endpoint = "
         "n.number LEFT JOIN (SELECT endpoint, sum(outcome IN (2, 3, 4)) AS failed FROM attempts "
         "GROUP BY endpoint) a ON a.endpoint = n.number WHERE coalesce(c.waiting, 0) <> "
         "coalesce(d.waiting, 0) OR coalesce(c.review, 0) <> coalesce(d.review, 0) OR "
         "coalesce(c.delivered, 0) < coalesce(d.delivered, 0) OR coalesce(c.failed, 0) < "
         "coalesce(a.failed, 0)"},
    Rule{"days whose counters differ from a count of their events",
         "WITH classes AS (SELECT CASE WHEN e.created_us >= 0 THEN e.created_us / 86400000000 "
         "ELSE (e.created_us - 86399999999) / 86400000000 END AS day, CASE e.status WHEN 1 THEN 2 "
         "WHEN 2 THEN 3 ELSE CASE WHEN EXISTS (SELECT 1 FROM deliveries d WHERE (d.place BETWEEN "
         "e.seq << 20 AND e.seq << 20 | 1048575) "
         "AND d.state = 0) THEN 0 WHEN EXISTS (SELECT 1 FROM deliveries d WHERE (d.place BETWEEN "
         "e.seq << 20 AND e.seq << 20 | 1048575) "
         "AND d.state = 3) THEN 1 ELSE 0 END END AS class FROM events e), "
         "counted AS (SELECT day, sum(class = 0) AS open, sum(class = 1) AS review, "
         "sum(class = 2) AS delivered, sum(class = 3) AS failed FROM classes GROUP BY day), "
         "kept AS (SELECT day, open, review, delivered, failed FROM day_counts WHERE open <> 0 OR "
         "review <> 0 OR delivered <> 0 OR failed <> 0) "
         "SELECT count(*) FROM (SELECT * FROM (SELECT * FROM counted EXCEPT SELECT * FROM kept) "
         "UNION SELECT * FROM (SELECT * FROM kept EXCEPT SELECT * FROM counted))"},
};

void look_at_pages(Connection& db, StoreCheck& check) {
  sqlite::Query rows = db.query(kLookAtPages);
  while (rows.step()) {
    if (rows.bytes(0) != "ok") {
      check.findings.push_back(rows.text(0));
    }
  }
}

void look_at_rules(Connection& db, StoreCheck& check) {
  for (const Rule& rule : kRules) {
    const std::int64_t breaches = db.integer(rule.count_of_breaches);
    if (breaches > 0) {
      check.findings.push_back(fmt::format("{} {}", breaches, rule.what));
    }
  }
}

}  // namespace

Result<StoreCheck> check_store(const std::filesystem::path& directory) {
  const auto file = sqlite::database_path(directory);
  std::error_code code;
  if (!std::filesystem::exists(file, code)) {
    return make_error(ErrorKind::not_found,
                      fmt::format("there is no store at {} (see --data)", file.string()));
  }
  auto opened = Connection::open(file.string(), sqlite::Access::read_write, kCacheKib);
  if (!opened) {
    return opened.error();
  }
  Connection& db = **opened;
  if (auto known = sqlite::require_schema(db); !known) {
    return known.error();
  }
  StoreCheck check;
  db.execute("BEGIN");
  look_at_pages(db, check);
  if (check.findings.empty()) {
    look_at_rules(db, check);
  }
  check.events = db.integer("SELECT count(*) FROM events");
  db.execute("COMMIT");
  if (db.failure()) {
    // A page that cannot be read is a finding, not a failure to look.
    check.findings.push_back(db.failure()->message);
    db.clear_failure();
  }
  return check;
}

}  // namespace dispatcher
