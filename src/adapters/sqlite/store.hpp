// The embedded store: one SQLite file (WAL, `synchronous=FULL`) that one process owns. One thread
// writes, in groups; two read; one checkpoints.
#pragma once

#include "adapters/sqlite/checkpointer.hpp"
#include "adapters/sqlite/data_directory.hpp"
#include "adapters/sqlite/readers.hpp"
#include "adapters/sqlite/writer.hpp"
#include "base/log.hpp"
#include "model/retry.hpp"
#include "ports/clock.hpp"
#include "ports/random.hpp"
#include "ports/store.hpp"

#include <filesystem>
#include <memory>

namespace dispatcher {

struct SqliteStoreOptions {
  std::filesystem::path directory;  // made when it does not exist, mode 0700
  // When a consumer's report of a failure names no time: one step for each report, then review.
  std::vector<std::chrono::seconds> consumer_schedule = RetryPolicy::default_schedule();
  // What may wait for the disk before callers are told `overloaded`.
  std::size_t max_queued_writes = 16'384;
  std::size_t max_queued_bytes = 64 * 1024 * 1024;
  std::size_t max_queued_reads = 4'096;
  // Upper bound of the file in pages of 4 KiB; 0: none. For tests of a full disk.
  std::int64_t max_pages = 0;
};

class SqliteStore final : public Store {
 public:
  // `refused`: another process uses the directory, it cannot be written to, the file is damaged or
  // not ours or of a newer version. `retry_later`: disk full, I/O error. All named outlive the
  // store.
  [[nodiscard]] static Result<std::unique_ptr<SqliteStore>> open(SqliteStoreOptions options,
                                                                 const Clock& clock, Random& random,
                                                                 const Log& log);

  // Answers what is queued with `stopped`. The executors of the callers must still be there.
  ~SqliteStore() override;

  boost::asio::awaitable<Result<ClaimAnswer>> claim(std::vector<ClaimRequest> requests,
                                                    std::size_t max_bytes) override;
  boost::asio::awaitable<Result<SettleAnswer>> settle(Settlement settlement) override;
  boost::asio::awaitable<Result<void>> give_back(std::vector<ClaimToken> tokens) override;
  void on_due(DueHint hint) override;

  boost::asio::awaitable<Result<AppendAnswer>> append(AppendRequest request) override;
  boost::asio::awaitable<Result<std::vector<Endpoint>>> configure_endpoints(
      std::vector<Endpoint> endpoints, std::vector<Sha256Digest> url_hashes) override;
  boost::asio::awaitable<Result<std::vector<EndpointRecord>>> endpoints() override;
  boost::asio::awaitable<Result<EndpointRecord>> create_endpoint(EndpointRecord record,
                                                                 EndpointStart start) override;
  boost::asio::awaitable<Result<EndpointRecord>> save_endpoint(EndpointRecord record) override;
  boost::asio::awaitable<Result<void>> remove_endpoint(std::string id, bool discards_waiting,
                                                       ReleaseNote note) override;
  boost::asio::awaitable<Result<std::vector<EndpointCounts>>> endpoint_counts(
      std::vector<EndpointNumber> numbers) override;
  boost::asio::awaitable<Result<std::int64_t>> release(EventId id,
                                                       std::optional<std::string> endpoint_id,
                                                       ReleaseAction action,
                                                       ReleaseNote note) override;
  boost::asio::awaitable<Result<ReleaseStep>> release_step(EventQuery query,
                                                           std::optional<std::int64_t> after,
                                                           std::size_t max_events,
                                                           ReleaseAction action,
                                                           ReleaseNote note) override;
  boost::asio::awaitable<Result<ReleaseStep>> try_release_step(EventQuery query,
                                                               std::optional<std::int64_t> after,
                                                               std::size_t max_events,
                                                               ReleaseAction action) override;
  boost::asio::awaitable<Result<std::vector<Release>>> releases(EventId id) override;
  boost::asio::awaitable<Result<EventView>> event(EventId id) override;
  boost::asio::awaitable<Result<std::vector<Attempt>>> attempts(EventId id) override;
  boost::asio::awaitable<Result<EventPage>> list(EventQuery query,
                                                 std::optional<std::int64_t> after,
                                                 std::size_t limit, std::size_t max_bytes) override;
  boost::asio::awaitable<Result<std::int64_t>> count(EventQuery query) override;
  boost::asio::awaitable<Result<std::vector<EventView>>> pending(std::size_t limit,
                                                                 std::size_t max_bytes) override;
  boost::asio::awaitable<Result<LeasedEvents>> lease(LeaseRequest request) override;
  boost::asio::awaitable<Result<std::vector<bool>>> renew(std::string token,
                                                          std::vector<EventId> ids,
                                                          std::chrono::seconds duration) override;
  boost::asio::awaitable<Result<std::vector<Result<AckAnswer>>>> ack(
      std::vector<EventId> ids, std::optional<std::string> token) override;
  boost::asio::awaitable<Result<EventView>> nack(EventId id, std::string token,
                                                 NackRequest request) override;
  boost::asio::awaitable<Result<void>> erase(EventId id) override;
  boost::asio::awaitable<Result<StoreFigures>> figures() override;
  boost::asio::awaitable<Result<LatencyFigures>> latency() override;
  boost::asio::awaitable<Result<void>> append_webhook_log(WebhookLogEntry entry) override;
  boost::asio::awaitable<Result<std::vector<WebhookLogEntry>>> webhook_log(
      WebhookLogQuery query) override;
  boost::asio::awaitable<Result<bool>> maintain(RetentionPolicy policy) override;

 private:
  explicit SqliteStore(sqlite::DirectoryLock lock, std::filesystem::path file)
      : lock_(std::move(lock)), file_(std::move(file)) {}

  [[nodiscard]] Result<void> start(const SqliteStoreOptions& options, const Clock& clock,
                                   Random& random, const Log& log);
  template <class T, class Work>
  boost::asio::awaitable<Result<T>> write(sqlite::Admission admission, std::size_t bytes, Work work,
                                          sqlite::Effect effect = sqlite::Effect::written);
  template <class T, class Work>
  boost::asio::awaitable<Result<T>> read(Work work,
                                         sqlite::Admission admission = sqlite::Admission::limited);

  sqlite::DirectoryLock lock_;
  std::filesystem::path file_;
  std::unique_ptr<sqlite::Checkpointer> checkpointer_;
  std::unique_ptr<sqlite::Writer> writer_;
  std::unique_ptr<sqlite::Readers> readers_;
};

}  // namespace dispatcher
