// What must hold whatever goes wrong. It knows the guarantee of the delivery semantics alone: it
// sees what clients were answered, what receivers saw, and what the store shows; it knows nothing
// of how the engine works.
#pragma once

#include "fakes/memory_store.hpp"
#include "fakes/sim_http_client.hpp"
#include "fakes/sim_world.hpp"
#include "simulation/breaker_model.hpp"
#include "simulation/configuration.hpp"
#include "simulation/release_rules.hpp"
#include "simulation/scenario.hpp"
#include "simulation/semantics.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace dispatcher::simulation {

class Checker : public fakes::SimReceivers::Observer {
 public:
  // All outlive it.
  Checker(const Scenario& scenario, const fakes::SimWorld& world, const fakes::MemoryStore& store,
          const fakes::SimReceivers& receivers);

  // The first promise that was broken.
  [[nodiscard]] const std::optional<std::string>& violation() const { return violation_; }
  void fail(std::string what);

  // -- what clients know
  void on_accepted(std::size_t planned, const EventId& id);
  void on_leased(const EventId& id, MonoTime asked_at, WallTime until);
  // The consumer says what became of what it leased: from now on its lease may have ended.
  void on_releasing(const EventId& id);
  void on_reporting(const EventId& id, std::optional<ReviewReason> reason);
  // How often the event had been replayed: the answer says so again.
  std::size_t on_acknowledging(const EventId& id);
  void on_acknowledged(const EventId& id, std::size_t replays);
  void on_not_acknowledged(const EventId& id) { --consumed_[id].acknowledgements; }
  void on_erasing(const EventId& id);
  void on_erased(const EventId& id);

  // -- what persons know of what they release
  ReleaseNote on_releasing_deliveries(AskedRelease asked);
  void on_released_deliveries(const ReleaseNote& note);
  // It was answered that so many of the event's deliveries were.
  void check_released(const EventId& id, const ReleaseNote& note, std::int64_t released);

  // -- the dispatcher's lives
  void on_life_begins(int process, std::optional<MonoTime> deadline);
  // It was asked to stop: what is under way may be given up from then on.
  void on_stopping(MonoTime may_abort_from);
  // `in_flight`: what the engine had claimed and not recorded when it ended. `was_stopping`: it had
  // been asked to stop; then what a failing store does not record in time may be given up.
  void on_life_ends(std::size_t in_flight, bool was_stopping);

  // -- what operators know of endpoints
  // All that there are, as a life begins.
  void on_loaded(const std::vector<Endpoint>& endpoints);
  // These are so from now on.
  void on_configured(const std::vector<Endpoint>& endpoints);
  void on_creating(const Endpoint& endpoint) { configuration_.on_creating(endpoint); }
  void on_created(const Endpoint& endpoint, EndpointStart start);
  // What a 429 had asked for is over.
  void on_resuming(EndpointNumber number);
  void on_resumed(EndpointNumber number);
  ReleaseNote on_removing(AskedRelease asked);
  void on_removal_answered(const std::string& id, bool is_removed);
  // It may come back as a new one: what a 429 had asked for, and what was begun, is forgotten.
  void on_endpoint_leaves_or_returns(const std::string& host) {
    pauses_.erase(host);
    breakers_[host].lose_track();
    configuration_.forget_rate_of(host);
  }

  // -- receivers
  void on_sent(std::size_t visit) override;
  void on_ended(std::size_t visit) override;

  // Everything is answered, delivered or waits for a person or a consumer.
  [[nodiscard]] bool is_settled() const { return !unsettled(); }
  // One that is not, and why.
  [[nodiscard]] std::optional<std::string> unsettled() const;
  // At the end, when all has been well for long enough.
  void check_end();

 private:
  using DeliveryKey = std::pair<EventId, EndpointNumber>;
  struct Lease {
    MonoTime asked_at;
    WallTime until;
  };
  // What a consumer did with an event.
  struct Consumed {
    bool may_be_reported = false;  // it said that its attempt failed
    std::set<ReviewReason> may_be_reviewed;
    bool may_be_acknowledged = false;
    bool may_be_erased = false;
    int acknowledgements = 0;                 // that have no answer yet
    std::optional<MonoTime> acknowledged_at;  // the last was answered
    std::size_t replays = 0;                  // then; later ones make it pending again
    std::optional<MonoTime> erased_at;        // it was answered
  };
  // How often a visit's delivery had been replayed.
  struct Replays {
    std::size_t at_start = 0;
    std::size_t at_end = 0;
  };
  struct Pause {
    MonoTime since;
    std::chrono::microseconds length;
  };

  void check_not_ended(const DeliveryKey& key, const fakes::Visit& visit);
  void check_discard(const DeliveryKey& key, const fakes::Visit& visit);
  void check_against_earlier(const DeliveryKey& key, const fakes::Visit& visit);
  void check_lease(const EventId& id, const fakes::Visit& visit);
  [[nodiscard]] bool was_overtaken(const EventId& id, MonoTime since) const;
  void check_schedule(const DeliveryKey& key, const Endpoint& endpoint, const fakes::Visit& visit);
  void check_pause(const fakes::Visit& visit);
  void check_breaker(std::size_t index, const fakes::Visit& visit);
  void check_limits(const Endpoint& endpoint, const fakes::Visit& visit);
  void check_event_at_end(std::size_t planned, const EventId& id);
  void check_delivery_at_end(const fakes::MemoryEvent& row, EndpointNumber number,
                             const fakes::MemoryDelivery& delivery);
  void check_replay_at_end(const fakes::MemoryEvent& row, EndpointNumber number,
                           const fakes::MemoryDelivery& delivery);
  void check_attempts_at_end(const fakes::MemoryEvent& row);
  void check_status_at_end(const fakes::MemoryEvent& row);
  void check_erased();
  [[nodiscard]] bool is_review_explained(const fakes::MemoryEvent& row, EndpointNumber number,
                                         ReviewReason reason) const;
  [[nodiscard]] std::size_t unrecorded_visits() const;
  // An attempt that the store shows, and the request that it was; nullptr when no such request was
  // made.
  struct Recorded {
    const Attempt* attempt;
    const fakes::Visit* visit;
  };
  // Of one delivery, oldest first.
  [[nodiscard]] std::vector<Recorded> recorded(const fakes::MemoryEvent& row,
                                               EndpointNumber number) const;
  [[nodiscard]] std::vector<Recorded> recorded_since_replay(const fakes::MemoryEvent& row,
                                                            EndpointNumber number) const;
  // Attempts that used up a retry, as far as that can be told.
  [[nodiscard]] Failures failures_of(const fakes::MemoryEvent& row, EndpointNumber number) const;
  // How often the delivery has been replayed so far.
  [[nodiscard]] std::size_t replays_of(const DeliveryKey& key) const;
  [[nodiscard]] const Replays& replays_at(const fakes::Visit& visit) const;
  [[nodiscard]] BreakerModel::Kind kind_of(const fakes::Visit& visit) const;
  [[nodiscard]] const Endpoint* endpoint_at(const std::string& host) const;
  [[nodiscard]] EndpointNumber number_at(const std::string& host) const;
  [[nodiscard]] EndpointNumber number_with(const std::string& id) const;
  // A 410 that nobody has on record tells nobody anything.
  void forget_unrecorded_410s();
  // It matched nothing as it came, and an endpoint that wants such events takes it.
  [[nodiscard]] bool is_in_a_backlog(const fakes::MemoryEvent& row) const;
  [[nodiscard]] std::string endpoint_id_of(EndpointNumber number) const;
  [[nodiscard]] EndpointNumber number_of(const std::string& host) const;
  // How long a call of the store may be under way: what it decided may be that much older than what
  // follows from it.
  [[nodiscard]] std::chrono::microseconds call_time() const {
    return 2 * scenario_.store.longest_latency;
  }

  const Scenario& scenario_;
  const fakes::SimWorld& world_;
  const fakes::MemoryStore& store_;
  const fakes::SimReceivers& receivers_;
  std::optional<std::string> violation_;

  std::map<std::size_t, EventId> accepted_;  // by the number of the planned event
  std::map<EventId, Lease> leases_;
  std::map<EventId, Consumed> consumed_;
  std::map<DeliveryKey, std::vector<std::size_t>> visits_;
  ReleaseRules releases_;
  std::map<std::size_t, Replays> replays_;  // by visit
  // Recorded as ended when a life ended, and how often it had been replayed then.
  std::map<DeliveryKey, std::size_t> ended_in_earlier_life_;
  // Of this life.
  int process_ = 0;
  std::optional<MonoTime> deadline_;
  std::optional<MonoTime> may_abort_from_;
  std::size_t first_visit_ = 0;
  std::set<std::size_t> under_way_;
  std::map<std::string, Pause> pauses_;
  std::map<std::string, BreakerModel> breakers_;
  ConfigurationRules configuration_;
  std::set<EndpointNumber> may_be_removed_;
  // What matched nothing, up to the newest event then, is to be routed to it.
  struct Backlog {
    EventFilter filter;
    std::int64_t newest = 0;  // its sequence number
  };
  std::map<EndpointNumber, Backlog> backlogs_;
  std::set<EndpointNumber> was_gone_;
  std::map<EndpointNumber, std::size_t> gone_;  // the visit that a 410 answered
  // Of all lives: the visits that were no ordinary attempts of their deliveries.
  std::map<std::size_t, BreakerModel::Kind> kinds_;
};

}  // namespace dispatcher::simulation
