#include "adapters/sqlite/store.hpp"

#include "adapters/sqlite/operations.hpp"
#include "adapters/sqlite/queries.hpp"
#include "adapters/sqlite/schema.hpp"
#include "adapters/sqlite/store_calls.hpp"

#include <fmt/format.h>

namespace dispatcher {

using boost::asio::awaitable;
using sqlite::Admission;
using sqlite::Connection;
using sqlite::Reading;
using sqlite::Transaction;

namespace {

// Page caches: the writer's holds the ends of all tables and the front of the due index, where its
// work is; a reader's what one page of a list needs.
constexpr int kWriterCacheKib = 8 * 1024;
constexpr int kReaderCacheKib = 1024;
constexpr int kCheckpointerCacheKib = 64;
constexpr int kReaders = 2;

void set_up(Connection& db, std::int64_t max_pages) {
  db.execute("PRAGMA journal_mode=WAL");
  db.execute("PRAGMA synchronous=FULL");
  db.execute("PRAGMA wal_autocheckpoint=0");
  if (max_pages > 0) {
    db.execute(fmt::format("PRAGMA max_page_count={}", max_pages).c_str());
  }
}

Result<std::unique_ptr<Connection>> open_for_writing(const std::string& path,
                                                     std::int64_t max_pages) {
  auto opened = Connection::open(path, sqlite::Access::read_write, kWriterCacheKib);
  if (!opened) {
    return opened.error();
  }
  Connection& db = **opened;
  set_up(db, max_pages);
  if (db.failure()) {
    return *db.failure();
  }
  const auto prepared = sqlite::prepare_schema(db);
  if (!prepared) {
    return prepared.error();
  }
  return opened;
}

std::size_t bytes_of(const AppendRequest& request) {
  std::size_t bytes = 0;
  for (const Event& event : request.events) {
    bytes += sizeof(Event) + event.type.size() + event.source.size() + event.payload.size();
  }
  return bytes;
}

std::size_t bytes_of(const WebhookLogEntry& entry) {
  return sizeof(entry) + entry.event_type.size() + entry.payload.size();
}

std::int64_t size_of(const std::filesystem::path& file) {
  std::error_code code;
  const auto size = std::filesystem::file_size(file, code);
  return code ? 0 : static_cast<std::int64_t>(size);
}

}  // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(SqliteStoreOptions options,
                                                       const Clock& clock, Random& random,
                                                       const Log& log) {
  if (auto prepared = sqlite::prepare_directory(options.directory); !prepared) {
    return prepared.error();
  }
  auto lock = sqlite::DirectoryLock::take(options.directory);
  if (!lock) {
    return lock.error();
  }
  const auto file = sqlite::database_path(options.directory);
  if (auto prepared = sqlite::prepare_file(file); !prepared) {
    return prepared.error();
  }
  std::unique_ptr<SqliteStore> store{new SqliteStore{std::move(*lock), file}};
  if (auto started = store->start(options, clock, random, log); !started) {
    return started.error();
  }
  return store;
}

Result<void> SqliteStore::start(const SqliteStoreOptions& options, const Clock& clock,
                                Random& random, const Log& log) {
  const std::string path = file_.string();
  auto writing = open_for_writing(path, options.max_pages);
  if (!writing) {
    return writing.error();
  }
  sqlite::WriterOptions writer_options{options.max_queued_writes, options.max_queued_bytes,
                                       options.consumer_schedule};
  writer_ = std::make_unique<sqlite::Writer>(
      std::move(*writing), clock, random, log, std::move(writer_options),
      sqlite::WriterListeners{[this](int pages, bool has_erased) {
                                checkpointer_->note_wal_pages(pages);
                                if (has_erased) {
                                  checkpointer_->note_erased();
                                }
                              },
                              [this] { checkpointer_->note_wal_emptied(); }});
  if (auto loaded = writer_->load(); !loaded) {
    return loaded.error();
  }
  auto checkpointing = Connection::open(path, sqlite::Access::read_write, kCheckpointerCacheKib);
  if (!checkpointing) {
    return checkpointing.error();
  }
  (*checkpointing)->execute("PRAGMA wal_autocheckpoint=0");
  std::vector<std::unique_ptr<Connection>> reading;
  for (int i = 0; i < kReaders; ++i) {
    auto opened = Connection::open(path, sqlite::Access::read_only, kReaderCacheKib);
    if (!opened) {
      return opened.error();
    }
    reading.push_back(std::move(*opened));
  }
  checkpointer_ = std::make_unique<sqlite::Checkpointer>(
      std::move(*checkpointing), log,
      sqlite::Checkpointer::Requests{[this] { writer_->finish_checkpoint(); },
                                     [this] { writer_->empty_wal(); }});
  readers_ = std::make_unique<sqlite::Readers>(
      std::move(reading), clock, [this] { return writer_->in_flight(); }, options.max_queued_reads);
  writer_->start();
  return {};
}

SqliteStore::~SqliteStore() {
  // The last connection to close brings the WAL into the file and removes it. The checkpointer and
  // the writer speak to each other, so both threads end before either goes.
  readers_.reset();
  if (writer_) {
    writer_->stop();
  }
  checkpointer_.reset();
  writer_.reset();
}

// -- the engine's

awaitable<Result<ClaimAnswer>> SqliteStore::claim(std::vector<ClaimRequest> requests,
                                                  std::size_t max_bytes) {
  auto work = [requests = std::move(requests), max_bytes](Transaction& transaction) {
    return sqlite::claim(transaction, requests, max_bytes);
  };
  return write<ClaimAnswer>(Admission::always, 0, std::move(work), sqlite::Effect::remembered);
}

awaitable<Result<SettleAnswer>> SqliteStore::settle(Settlement settlement) {
  // Before the settlement is moved: the order of arguments is the compiler's.
  const std::size_t bytes = settlement.attempt.response_body.size();
  return write<SettleAnswer>(Admission::always, bytes,
                             [settlement = std::move(settlement)](Transaction& transaction) {
                               return sqlite::settle(transaction, settlement);
                             });
}

awaitable<Result<void>> SqliteStore::give_back(std::vector<ClaimToken> tokens) {
  return write<void>(Admission::always, 0, [tokens = std::move(tokens)](Transaction& transaction) {
    return sqlite::give_back(transaction, tokens);
  });
}

void SqliteStore::on_due(DueHint hint) {
  writer_->on_due(std::move(hint));
}

// -- writes

awaitable<Result<AppendAnswer>> SqliteStore::append(AppendRequest request) {
  const std::size_t bytes = bytes_of(request);
  return write<AppendAnswer>(Admission::limited, bytes,
                             [request = std::move(request)](Transaction& transaction) {
                               return sqlite::append(transaction, request);
                             });
}

awaitable<Result<LeasedEvents>> SqliteStore::lease(LeaseRequest request) {
  return write<LeasedEvents>(Admission::limited, 0,
                             [request = std::move(request)](Transaction& transaction) {
                               return sqlite::lease(transaction, request);
                             });
}

awaitable<Result<std::vector<bool>>> SqliteStore::renew(std::string token, std::vector<EventId> ids,
                                                        std::chrono::seconds duration) {
  return write<std::vector<bool>>(
      Admission::limited, 0,
      [token = std::move(token), ids = std::move(ids), duration](Transaction& transaction) {
        return sqlite::renew(transaction, token, ids, duration);
      });
}

awaitable<Result<std::vector<Result<AckAnswer>>>> SqliteStore::ack(
    std::vector<EventId> ids, std::optional<std::string> token) {
  return write<std::vector<Result<AckAnswer>>>(
      Admission::limited, 0,
      [ids = std::move(ids), token = std::move(token)](Transaction& transaction) {
        return sqlite::acknowledge_events(transaction, ids, token);
      });
}

awaitable<Result<EventView>> SqliteStore::nack(EventId id, std::string token, NackRequest request) {
  return write<EventView>(
      Admission::limited, 0,
      [id, token = std::move(token), request = std::move(request)](Transaction& transaction) {
        return sqlite::nack(transaction, id, token, request);
      });
}

awaitable<Result<void>> SqliteStore::erase(EventId id) {
  return write<void>(Admission::limited, 0,
                     [id](Transaction& transaction) { return sqlite::erase(transaction, id); });
}

awaitable<Result<void>> SqliteStore::append_webhook_log(WebhookLogEntry entry) {
  const std::size_t bytes = bytes_of(entry);
  return write<void>(Admission::limited, bytes,
                     [entry = std::move(entry)](Transaction& transaction) {
                       return sqlite::append_webhook_log(transaction, entry);
                     });
}

awaitable<Result<bool>> SqliteStore::maintain(RetentionPolicy policy) {
  return write<bool>(Admission::limited, 0, [policy](Transaction& transaction) {
    return sqlite::maintain(transaction, policy);
  });
}

// -- reads

awaitable<Result<EventView>> SqliteStore::event(EventId id) {
  return read<EventView>([id](const Reading& reading) { return sqlite::find_event(reading, id); });
}

awaitable<Result<std::vector<Attempt>>> SqliteStore::attempts(EventId id) {
  return read<std::vector<Attempt>>(
      [id](const Reading& reading) { return sqlite::find_attempts(reading, id); });
}

awaitable<Result<EventPage>> SqliteStore::list(EventQuery query, std::optional<std::int64_t> after,
                                               std::size_t limit, std::size_t max_bytes) {
  return read<EventPage>(
      [query = std::move(query), after, limit, max_bytes](const Reading& reading) {
        return sqlite::list_events(reading, query, after, limit, max_bytes);
      });
}

awaitable<Result<std::int64_t>> SqliteStore::count(EventQuery query) {
  std::int64_t matched = 0;
  std::optional<std::int64_t> after;
  do {
    auto work = [query, after](const Reading& reading) {
      return sqlite::count_events(reading, query, after);
    };
    const auto part = co_await read<sqlite::PartialCount>(std::move(work));
    if (!part) {
      co_return part.error();
    }
    matched += part->matched;
    after = part->next;
  } while (after);
  co_return matched;
}

awaitable<Result<std::vector<EventView>>> SqliteStore::pending(std::size_t limit,
                                                               std::size_t max_bytes) {
  return read<std::vector<EventView>>([limit, max_bytes](const Reading& reading) {
    return sqlite::find_pending(reading, limit, max_bytes);
  });
}

awaitable<Result<StoreFigures>> SqliteStore::figures() {
  auto figures = co_await read<StoreFigures>(
      [](const Reading& reading) { return sqlite::read_figures(reading); });
  if (figures) {
    figures->in_flight = static_cast<std::int64_t>(writer_->in_flight_count());
    figures->queued_writes = static_cast<std::int64_t>(writer_->queued());
    figures->commits = writer_->commits();
    figures->file_bytes = size_of(file_) + size_of(file_.string() + "-wal");
  }
  co_return figures;
}

awaitable<Result<LatencyFigures>> SqliteStore::latency() {
  return read<LatencyFigures>([](const Reading& reading) { return sqlite::read_latency(reading); });
}

awaitable<Result<std::vector<WebhookLogEntry>>> SqliteStore::webhook_log(WebhookLogQuery query) {
  return read<std::vector<WebhookLogEntry>>([query = std::move(query)](const Reading& reading) {
    return sqlite::find_webhook_log(reading, query);
  });
}

}  // namespace dispatcher
