// The endpoints: those that the secret gives and those that the API made, kept in the store, with
// their secrets sealed, and handed to whoever delivers.
#pragma once

#include "base/log.hpp"
#include "base/turns.hpp"
#include "engine/endpoint_view.hpp"
#include "ports/clock.hpp"
#include "ports/endpoint_runtime.hpp"
#include "ports/random.hpp"
#include "ports/store.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace dispatcher {

// What `zapier_webhook_url`, or --endpoint, gives; the three belong together place by place.
struct SecretEndpoints {
  std::vector<Endpoint> endpoints;  // in the order of the URLs; numbers are the store's to give
  std::vector<Sha256Digest> url_hashes;
  std::vector<std::string> urls;  // as they were given
};

struct CreatedEndpoint {
  EndpointViewPtr view;
  std::string signing_secret;  // `whsec_…`: not given out again
};

struct RotatedSecret {
  std::string signing_secret;
  std::optional<WallTime> previous_until;  // empty: the one before no longer signs
};

struct TestedEndpoint {
  EndpointViewPtr view;
  std::optional<TestExchange> exchange;  // empty: not now, too many tests are running
};

// All outlive the registry.
struct RegistryPorts {
  Store& store;
  EndpointRuntime& runtime;
  const Clock& clock;
  Random& random;
  const Log& log;
  // The store has something to do in the background (`Store::maintain`): a backlog is to be routed,
  // or discarded. Called from any thread.
  std::function<void()> on_background_work;
};

// Callable from any executor, several calls at once. Each change is durable, and known to the
// runtime, when its call returns.
//
// Errors: `not_found`; `refused` and `conflict` with a message for whoever asked, which holds no
// secret; the rest are the store's.
class EndpointRegistry {
 public:
  EndpointRegistry(RegistryPorts ports, DeliveryDefaults defaults);

  // At the start, and whenever the secret was read again: what it gives takes the place of what it
  // gave. How many endpoints there are. On an error everything stays as it was, but where the store
  // has changed and cannot be read: then nothing is sent to the URLs that left until the next load.
  // One load at a time.
  [[nodiscard]] boost::asio::awaitable<Result<std::size_t>> load(SecretEndpoints from_secret,
                                                                 KeyRing keys);

  // One short step of sealing anew, under the first key, what is under another. True when there may
  // be more to do.
  [[nodiscard]] boost::asio::awaitable<Result<bool>> renew_seals();

  // In the order of their numbers.
  [[nodiscard]] boost::asio::awaitable<Result<std::vector<EndpointViewPtr>>> list();
  [[nodiscard]] boost::asio::awaitable<Result<EndpointViewPtr>> find(std::string id);

  // Draws a signing key when the draft has none.
  [[nodiscard]] boost::asio::awaitable<Result<CreatedEndpoint>> create(EndpointDraft draft,
                                                                       EndpointStart start);
  // `edit` may be called several times, each time on the latest draft.
  using DraftEdit = std::function<void(EndpointDraft&)>;
  [[nodiscard]] boost::asio::awaitable<Result<EndpointViewPtr>> change(std::string id,
                                                                       DraftEdit edit);
  [[nodiscard]] boost::asio::awaitable<Result<EndpointViewPtr>> pause(std::string id);
  // Also ends that it is disabled, or paused by a 429, by what was answered.
  [[nodiscard]] boost::asio::awaitable<Result<EndpointViewPtr>> resume(std::string id);
  [[nodiscard]] boost::asio::awaitable<Result<RotatedSecret>> rotate_secret(
      std::string id, std::chrono::seconds overlap);
  [[nodiscard]] boost::asio::awaitable<Result<void>> remove(std::string id, bool discards_waiting,
                                                            ReleaseNote note);

  // Sends one test event now; nothing of it is kept.
  [[nodiscard]] boost::asio::awaitable<Result<TestedEndpoint>> test(std::string id);

  [[nodiscard]] boost::asio::awaitable<std::vector<EndpointHealth>> health() {
    return ports_.runtime.health();
  }

 private:
  // A record and what it says; made anew when the record has changed.
  struct Known {
    EndpointRecord record;
    ReadRecord read;

    [[nodiscard]] const EndpointView& view() const { return *read.view; }
  };
  // What is to be saved in place of a record.
  using RecordEdit = std::function<Result<EndpointRecord>(const Known& known)>;

  boost::asio::awaitable<Result<Known>> read(const std::string& id);
  boost::asio::awaitable<Result<EndpointViewPtr>> save(std::string id, RecordEdit edit);
  boost::asio::awaitable<Result<EndpointViewPtr>> save_in_turn(const std::string& id,
                                                               RecordEdit edit);
  boost::asio::awaitable<Result<EndpointViewPtr>> set_state(std::string id, EndpointState state);
  boost::asio::awaitable<Result<void>> refresh();
  // No attempt begins at a URL that the secret gave and that is not among these, once it returns.
  boost::asio::awaitable<void> hold_all_but(const std::vector<std::string>& urls);
  boost::asio::awaitable<Error> why_not_removed(const EndpointView& view);

  // Takes over what was saved, and tells the runtime.
  EndpointViewPtr accept(EndpointRecord record);

  // All of these under the mutex.
  void note(EndpointRecord record);
  void publish() const;
  [[nodiscard]] ReadRecord interpret(const EndpointRecord& record) const;
  [[nodiscard]] std::vector<EndpointRecord> to_be_sealed_anew() const;
  void warn_of_unusable() const;

  const RegistryPorts ports_;
  const DeliveryDefaults defaults_;

  mutable std::mutex mutex_;
  KeyRing keys_;
  std::unordered_map<EndpointNumber, ConfiguredEndpoint> from_secret_;
  std::map<EndpointNumber, Known> known_;
  // Told to the runtime as paused, whatever they are: their URLs are being replaced.
  std::unordered_set<EndpointNumber> held_;
  // What a list that was read before the removal must not bring back; numbers are never reused.
  std::unordered_set<EndpointNumber> removed_;
  Turns<std::string> turns_;  // changes of one endpoint, by its id
};

}  // namespace dispatcher
