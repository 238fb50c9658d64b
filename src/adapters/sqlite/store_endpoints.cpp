// The store's calls about endpoints, and about what persons release.
#include "adapters/sqlite/operations.hpp"
#include "adapters/sqlite/queries.hpp"
#include "adapters/sqlite/store_calls.hpp"

#include <algorithm>

namespace dispatcher {

using boost::asio::awaitable;
using sqlite::Admission;
using sqlite::Reading;
using sqlite::Transaction;

namespace {

// Endpoints whose counts one read looks up.
constexpr std::size_t kCountsStep = 200;

std::size_t bytes_of(const EndpointRecord& record) {
  return sizeof(record) + record.settings.size() + record.sealed.size();
}

}  // namespace

awaitable<Result<std::vector<Endpoint>>> SqliteStore::configure_endpoints(
    std::vector<Endpoint> endpoints, std::vector<Sha256Digest> url_hashes) {
  return write<std::vector<Endpoint>>(
      Admission::limited, 0,
      [endpoints = std::move(endpoints),
       url_hashes = std::move(url_hashes)](Transaction& transaction) {
        return sqlite::configure_endpoints(transaction, endpoints, url_hashes);
      });
}

awaitable<Result<std::vector<EndpointRecord>>> SqliteStore::endpoints() {
  return read<std::vector<EndpointRecord>>(
      [](const Reading& reading) { return sqlite::find_endpoints(reading); });
}

awaitable<Result<EndpointRecord>> SqliteStore::create_endpoint(EndpointRecord record,
                                                               EndpointStart start) {
  const std::size_t bytes = bytes_of(record);
  return write<EndpointRecord>(Admission::limited, bytes,
                               [record = std::move(record), start](Transaction& transaction) {
                                 return sqlite::create_endpoint(transaction, record, start);
                               });
}

awaitable<Result<EndpointRecord>> SqliteStore::save_endpoint(EndpointRecord record) {
  const std::size_t bytes = bytes_of(record);
  return write<EndpointRecord>(Admission::limited, bytes,
                               [record = std::move(record)](Transaction& transaction) {
                                 return sqlite::save_endpoint(transaction, record);
                               });
}

awaitable<Result<void>> SqliteStore::remove_endpoint(std::string id, bool discards_waiting,
                                                     ReleaseNote note) {
  return write<void>(
      Admission::limited, 0,
      [id = std::move(id), discards_waiting, note = std::move(note)](Transaction& transaction) {
        return sqlite::remove_endpoint(transaction, id, discards_waiting, note);
      });
}

awaitable<Result<std::vector<EndpointCounts>>> SqliteStore::endpoint_counts(
    std::vector<EndpointNumber> numbers) {
  std::vector<EndpointCounts> counts;
  counts.reserve(numbers.size());
  while (counts.size() < numbers.size()) {
    const auto step = std::span{numbers}.subspan(
        counts.size(), std::min(kCountsStep, numbers.size() - counts.size()));
    auto work = [step](const Reading& reading) { return sqlite::find_counts(reading, step); };
    const auto part = co_await read<std::vector<EndpointCounts>>(std::move(work));
    if (!part) {
      co_return part.error();
    }
    counts.insert(counts.end(), part->begin(), part->end());
  }
  co_return counts;
}

awaitable<Result<std::int64_t>> SqliteStore::release(EventId id,
                                                     std::optional<std::string> endpoint_id,
                                                     ReleaseAction action, ReleaseNote note) {
  return write<std::int64_t>(Admission::limited, 0,
                             [id, endpoint_id = std::move(endpoint_id), action,
                              note = std::move(note)](Transaction& transaction) {
                               return sqlite::release(transaction, id, endpoint_id, action, note);
                             });
}

// A reader finds the events, so that the writer waits for no walk. Only the first step may be shed:
// a release that has begun goes on, however long the queues are.
awaitable<Result<ReleaseStep>> SqliteStore::release_step(EventQuery query,
                                                         std::optional<std::int64_t> after,
                                                         std::size_t max_events,
                                                         ReleaseAction action, ReleaseNote note) {
  const Admission admission = after ? Admission::always : Admission::limited;
  const auto from = after ? sqlite::unpack(*after) : sqlite::ReleasePosition{};
  auto find = [&query, from, max_events](const Reading& reading) {
    return sqlite::find_matching(reading, query, from, max_events);
  };
  const auto matching = co_await read<sqlite::Matching>(std::move(find), admission);
  if (!matching) {
    co_return matching.error();
  }
  ReleaseStep step;
  step.matched = std::ssize(matching->seqs);
  if (matching->next) {
    step.next = sqlite::pack(*matching->next);
  }
  if (!matching->seqs.empty()) {
    auto work = [&query, &matching, action, &note](Transaction& transaction) {
      return sqlite::release_events(transaction, query, matching->seqs, action, note);
    };
    const auto released = co_await write<std::int64_t>(admission, 0, std::move(work));
    if (!released) {
      co_return released.error();
    }
    step.released = *released;
  }
  co_return step;
}

awaitable<Result<ReleaseStep>> SqliteStore::try_release_step(EventQuery query,
                                                             std::optional<std::int64_t> after,
                                                             std::size_t max_events,
                                                             ReleaseAction action) {
  const Admission admission = after ? Admission::always : Admission::limited;
  const auto from = after ? sqlite::unpack(*after) : sqlite::ReleasePosition{};
  auto work = [query = std::move(query), from, max_events, action](const Reading& reading) {
    return sqlite::try_release(reading, query, from, max_events, action);
  };
  co_return co_await read<ReleaseStep>(std::move(work), admission);
}

awaitable<Result<std::vector<Release>>> SqliteStore::releases(EventId id) {
  return read<std::vector<Release>>(
      [id](const Reading& reading) { return sqlite::find_releases(reading, id); });
}

}  // namespace dispatcher
