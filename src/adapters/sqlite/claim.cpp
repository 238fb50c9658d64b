// The engine's claims: a walk along an endpoint's due index, from where the last one ended. Nothing
// is written; what is claimed is known by heart until it is settled.
#include "adapters/sqlite/operations.hpp"

#include <unordered_map>

namespace dispatcher::sqlite {
namespace {

constexpr const char* kReadProgress =
    "SELECT attempts, retries_used, step FROM deliveries WHERE place = ?";
constexpr const char* kReadEvent =
    "SELECT e.id, e.type, e.source, e.created_us, p.body FROM events e "
    "JOIN payloads p ON p.seq = e.seq WHERE e.seq = ?";
constexpr const char* kReadDue = "SELECT due_us FROM deliveries WHERE place = ? AND state = 0";

std::shared_ptr<const Event> read_event(Connection& db, std::int64_t seq) {
  Query found = db.query(kReadEvent);
  found.bind(seq);
  if (!found.step()) {
    return nullptr;
  }
  auto event = std::make_shared<Event>();
  event->id = found.uuid(0);
  event->type = found.text(1);
  event->source = found.text(2);
  event->created_at = wall_from_micros(found.integer(3));
  event->payload = found.text(4);
  return event;
}

DeliveryProgress read_progress(Connection& db, std::int64_t place) {
  DeliveryProgress progress;
  Query found = db.query(kReadProgress);
  found.bind(place);
  if (found.step()) {
    progress.attempts = found.integer(0);
    progress.retries_used = static_cast<int>(found.integer(1));
    progress.step = static_cast<int>(found.integer(2));
  }
  return progress;
}

class Claiming {
 public:
  Claiming(Transaction& transaction, std::size_t max_bytes)
      : transaction_(transaction), bytes_left_(max_bytes) {}

  LaneDue claim_from(const ClaimRequest& request) {
    LaneDue due{request.endpoint, std::nullopt};
    if (is_removed(request.endpoint)) {
      return due;  // what still waits is about to be discarded
    }
    Lane& lane = transaction_.state.lanes.at(request.endpoint);
    DueWalk walk{transaction_.db, request.endpoint, lane.from};
    std::size_t taken = 0;
    while (const auto row = walk.next()) {
      const DeliveryKey key{seq_at(row->place), request.endpoint};
      lane.from = *row;
      if (transaction_.state.claims.has(key)) {
        continue;
      }
      if (taken == request.max || row->due_us > transaction_.now_us || !take(key, row->place)) {
        due.next_due = wall_from_micros(row->due_us);
        break;
      }
      ++taken;
    }
    transaction_.state.lanes.note_said(
        request.endpoint,
        due.next_due ? std::optional{micros_since_epoch(*due.next_due)} : std::nullopt);
    return due;
  }

  std::vector<ClaimedDelivery> take_claimed() { return std::move(claimed_); }

 private:
  [[nodiscard]] bool is_removed(EndpointNumber number) {
    const KnownEndpoint* known = transaction_.state.routes.find(number);
    return known != nullptr && known->kind == EndpointKind::removed;
  }

  // False when there is no room for its payload.
  bool take(const DeliveryKey& key, std::int64_t place) {
    const auto known = events_.find(key.seq);
    std::shared_ptr<const Event> event = known == events_.end() ? nullptr : known->second;
    if (event == nullptr) {
      event = is_full_ ? nullptr : read_event(transaction_.db, key.seq);
      if (event == nullptr) {
        return false;  // else only after a failure, which sticks
      }
      if (!claimed_.empty() && event->payload.size() > bytes_left_) {
        is_full_ = true;
        return false;
      }
      bytes_left_ -= std::min(bytes_left_, event->payload.size());
      events_.emplace(key.seq, event);
    }
    ClaimedDelivery& claimed = claimed_.emplace_back();
    claimed.event = std::move(event);
    claimed.endpoint = key.endpoint;
    claimed.token = transaction_.state.claims.add(key);
    claimed.progress = read_progress(transaction_.db, place);
    return true;
  }

  Transaction& transaction_;
  std::size_t bytes_left_;
  bool is_full_ = false;  // one did not fit: no other is read, and claimed are those that are here
  std::unordered_map<std::int64_t, std::shared_ptr<const Event>> events_;
  std::vector<ClaimedDelivery> claimed_;
};

}  // namespace

Result<ClaimAnswer> claim(Transaction& transaction, const std::vector<ClaimRequest>& requests,
                          std::size_t max_bytes) {
  Claiming claiming{transaction, max_bytes};
  ClaimAnswer answer;
  answer.lanes.reserve(requests.size());
  for (const ClaimRequest& request : requests) {
    answer.lanes.push_back(claiming.claim_from(request));
  }
  answer.deliveries = claiming.take_claimed();
  return answer;
}

Result<void> give_back(Transaction& transaction, const std::vector<ClaimToken>& tokens) {
  for (const ClaimToken token : tokens) {
    const auto key = transaction.state.claims.find(token);
    if (!key) {
      continue;
    }
    transaction.state.claims.remove(token);
    Query found = transaction.db.query(kReadDue);
    found.bind(place_of(key->seq, key->endpoint));
    if (found.step()) {
      transaction.state.lanes.note_waiting(key->endpoint, found.integer(0), key->seq);
    }
  }
  return {};
}

}  // namespace dispatcher::sqlite
