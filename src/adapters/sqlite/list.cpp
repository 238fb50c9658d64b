// Lists and counts of events: a walk along the narrowest index that there is for the query, which
// looks at a bounded number of events and says where it stopped.
#include "adapters/sqlite/delivery_filter.hpp"
#include "adapters/sqlite/queries.hpp"
#include "adapters/sqlite/schema.hpp"
#include "adapters/sqlite/views.hpp"

#include <algorithm>
#include <functional>
#include <limits>

namespace dispatcher::sqlite {
namespace {

// Events that one read looks at, matching or not: a few milliseconds.
constexpr std::int64_t kMaxLookedAt = 4'000;

// The largest number that a place has room for.
constexpr std::int64_t kLastSeq = seq_at(std::numeric_limits<std::int64_t>::max());

#define SELECT_HEADS "SELECT " SQLITE_EVENT_HEAD_COLUMNS " FROM "
#define BY_SEQ SELECT_HEADS "events e WHERE e.seq BETWEEN ? AND ? ORDER BY e.seq"
#define BY_STATUS                                                                         \
  SELECT_HEADS                                                                            \
  "events e INDEXED BY events_status WHERE e.status = ? AND e.seq BETWEEN ? AND ? ORDER " \
  "BY e.seq"
#define BY_REVIEW_OF                                                                           \
  SELECT_HEADS                                                                                 \
  "deliveries d INDEXED BY deliveries_review_of CROSS JOIN events e ON e.seq = d.place >> 20 " \
  "WHERE d.state = 3 AND d.endpoint = ? AND d.place BETWEEN ? AND ? ORDER BY d.place"
#define BY_REVIEW                                                                           \
  SELECT_HEADS                                                                              \
  "deliveries d INDEXED BY deliveries_review CROSS JOIN events e ON e.seq = d.place >> 20 " \
  "WHERE d.state = 3 AND d.place BETWEEN ? AND ? ORDER BY d.place"
constexpr const char* kBySeq = BY_SEQ;
constexpr const char* kBySeqDown = BY_SEQ " DESC";
constexpr const char* kByStatus = BY_STATUS;
constexpr const char* kByStatusDown = BY_STATUS " DESC";
constexpr const char* kByReview = BY_REVIEW;
constexpr const char* kByReviewDown = BY_REVIEW " DESC";
constexpr const char* kByReviewOf = BY_REVIEW_OF;
constexpr const char* kByReviewOfDown = BY_REVIEW_OF " DESC";
constexpr const char* kByNumber = SELECT_HEADS "events e WHERE e.seq = ?";
#undef BY_REVIEW
#undef BY_REVIEW_OF
#undef BY_STATUS
#undef BY_SEQ
#undef SELECT_HEADS
constexpr const char* kStates =
    "SELECT endpoint, state, reason FROM deliveries WHERE place BETWEEN ? AND ?";
// An event whose other deliveries are very many is asked for one alone.
constexpr const char* kState = "SELECT endpoint, state, reason FROM deliveries WHERE place = ?";
constexpr const char* kNewest = "SELECT coalesce(max(seq), 0) FROM events";
constexpr const char* kDueOf =
    "SELECT place FROM deliveries INDEXED BY deliveries_due WHERE state = 0 AND endpoint = ? LIMIT "
    "?";
constexpr const char* kCountDays =
    "SELECT coalesce(sum(open + review), 0), coalesce(sum(delivered), 0), "
    "coalesce(sum(failed), 0) FROM day_counts";

struct Filter {
  const EventQuery& query;
  DeliveryFilter deliveries;
};

// One delivery has all that the query asks of deliveries.
bool has_delivery(const Reading& reading, const Filter& filter, std::int64_t seq) {
  const auto only = filter.deliveries.endpoint;
  Query rows = reading.db.query(only ? kState : kStates);
  if (only) {
    rows.bind(place_of(seq, *only));
  } else {
    rows.bind(first_place(seq), last_place(seq));
  }
  while (rows.step()) {
    const auto endpoint = static_cast<EndpointNumber>(rows.integer(0));
    const auto state = static_cast<RowState>(rows.integer(1));
    const bool is_in_flight = reading.in_flight.has({seq, endpoint});
    std::optional<ReviewReason> reason;
    if (const auto number = rows.optional_integer(2)) {
      reason = static_cast<ReviewReason>(*number);
    }
    if (filter.deliveries.matches(endpoint, state, reason, is_in_flight)) {
      return true;
    }
  }
  return false;
}

bool matches(const Reading& reading, const Filter& filter, const EventHead& head) {
  const EventQuery& query = filter.query;
  const Event& event = head.view.event;
  return (!query.status || head.status == *query.status) &&
         (!query.type || event.type == *query.type) &&
         (!query.source || event.source == *query.source) &&
         (!query.from || event.created_at >= *query.from) &&
         (!query.to || event.created_at <= *query.to) &&
         (!filter.deliveries.asks_for_anything() || has_delivery(reading, filter, head.seq));
}

// -- walking

enum class Step { next, stop_before, stop_after };
using Visit = std::function<Step(EventHead& head)>;

struct Range {
  std::int64_t first = 0;
  std::int64_t last = std::numeric_limits<std::int64_t>::max();
};

Range range_after(const std::optional<std::int64_t>& after, bool is_down, std::int64_t last) {
  Range range;
  range.last = last;
  if (after) {
    (is_down ? range.last : range.first) = is_down ? *after - 1 : *after + 1;
  }
  return range;
}

// Ends a walk: `next` is where it goes on, unless it came to its end.
class Walk {
 public:
  Walk(const Reading& reading, const Filter& filter, std::optional<std::int64_t> after,
       const Visit& visit, std::int64_t last = std::numeric_limits<std::int64_t>::max())
      : reading_(reading), filter_(filter), next_(after), last_(last), visit_(visit) {}

  [[nodiscard]] std::optional<std::int64_t> run() {
    if (filter_.deliveries.matches_nothing) {
      return std::nullopt;
    }
    return walk() ? std::nullopt : next_;
  }

 private:
  // True when the walk came to its end.
  bool walk() {
    const DeliveryFilter& wanted = filter_.deliveries;
    if (wanted.state == DeliveryState::in_flight) {
      return walk_numbers(reading_.in_flight.events());
    }
    if (wanted.state == DeliveryState::waiting && wanted.endpoint) {
      if (auto seqs = few_waiting(*wanted.endpoint)) {
        return walk_numbers(std::move(*seqs));
      }
    }
    return walk_index();
  }

  // What waits for the endpoint, in order; empty when it is so much that one walk of all that is
  // pending meets some of it.
  std::optional<std::vector<std::int64_t>> few_waiting(EndpointNumber endpoint) {
    std::vector<std::int64_t> seqs;
    Query rows = reading_.db.query(kDueOf);
    rows.bind(endpoint, kMaxLookedAt + 1);
    while (rows.step()) {
      seqs.push_back(seq_at(rows.integer(0)));
    }
    if (std::ssize(seqs) > kMaxLookedAt) {
      return std::nullopt;
    }
    std::ranges::sort(seqs);
    return seqs;
  }

  bool walk_index() {
    const bool is_down = filter_.query.newest_first;
    const Range range = range_after(next_, is_down, last_);
    const DeliveryFilter& wanted = filter_.deliveries;
    const bool is_review = wanted.state == DeliveryState::review || wanted.reason.has_value();
    // Whatever waits belongs to a pending event.
    const auto status = wanted.state == DeliveryState::waiting ? std::optional{EventStatus::pending}
                                                               : filter_.query.status;
    Query rows =
        reading_.db.query(is_review ? (wanted.endpoint ? (is_down ? kByReviewOfDown : kByReviewOf)
                                                       : (is_down ? kByReviewDown : kByReview))
                          : status  ? (is_down ? kByStatusDown : kByStatus)
                                    : (is_down ? kBySeqDown : kBySeq));
    if (is_review && wanted.endpoint) {
      rows.bind(*wanted.endpoint);
    } else if (!is_review && status) {
      rows.bind(static_cast<int>(*status));
    }
    if (is_review) {
      rows.bind(first_place(range.first), last_place(std::min(range.last, kLastSeq)));
    } else {
      rows.bind(range.first, range.last);
    }
    while (rows.step()) {
      if (!look_at(rows)) {
        return false;
      }
    }
    return true;
  }

  // `seqs` in order.
  bool walk_numbers(std::vector<std::int64_t> seqs) {
    const Range range = range_after(next_, filter_.query.newest_first, last_);
    if (filter_.query.newest_first) {
      std::ranges::reverse(seqs);
    }
    for (const std::int64_t seq : seqs) {
      if (seq < range.first || seq > range.last) {
        continue;
      }
      Query found = reading_.db.query(kByNumber);
      found.bind(seq);
      if (found.step() && !look_at(found)) {
        return false;
      }
    }
    return true;
  }

  // False when the walk stops here.
  bool look_at(const Query& row) {
    if (looked_at_ == kMaxLookedAt) {
      return false;
    }
    ++looked_at_;
    EventHead head = read_head(row);
    if (next_ == head.seq || !matches(reading_, filter_, head)) {
      next_ = head.seq;
      return true;
    }
    const std::int64_t seq = head.seq;
    const Step step = visit_(head);
    if (step != Step::stop_before) {
      next_ = seq;
    }
    return step == Step::next;
  }

  const Reading& reading_;
  const Filter& filter_;
  std::optional<std::int64_t> next_;
  std::int64_t last_;
  const Visit& visit_;
  std::int64_t looked_at_ = 0;
};

// Answered from the figures where they have it.
std::optional<std::int64_t> known_count(Connection& db, const EventQuery& query) {
  if (query.state || query.endpoint_id || query.type || query.source || query.reason ||
      query.from || query.to) {
    return std::nullopt;
  }
  Query row = db.query(kCountDays);
  if (!row.step()) {
    return std::nullopt;
  }
  if (!query.status) {
    return row.integer(0) + row.integer(1) + row.integer(2);
  }
  return row.integer(static_cast<int>(*query.status));
}

}  // namespace

Result<EventPage> list_events(const Reading& reading, const EventQuery& query,
                              std::optional<std::int64_t> after, std::size_t limit,
                              std::size_t max_bytes) {
  const Filter filter{query, delivery_filter(reading.db, query)};
  EventPage page;
  std::size_t bytes = 0;
  const Visit visit = [&](EventHead& head) {
    if (page.events.size() == limit) {
      return Step::stop_before;
    }
    head.view.event.payload = read_payload(reading.db, head.seq);
    bytes += head.view.event.payload.size();
    if (bytes > max_bytes && !page.events.empty()) {
      return Step::stop_before;
    }
    complete_view(reading.db, head, reading.in_flight, true);
    page.events.push_back(std::move(head.view));
    return Step::next;
  };
  page.next = Walk{reading, filter, after, visit}.run();
  return page;
}

Result<Matching> find_matching(const Reading& reading, const EventQuery& query,
                               const ReleasePosition& from, std::size_t limit) {
  EventQuery oldest_first = query;
  oldest_first.newest_first = false;
  const Filter filter{oldest_first, delivery_filter(reading.db, query)};
  Matching matching;
  const Visit visit = [&](EventHead& head) {
    matching.seqs.push_back(head.seq);
    return matching.seqs.size() < limit ? Step::next : Step::stop_after;
  };
  const std::int64_t last = from.last.value_or(reading.db.integer(kNewest));
  const auto after = from.after > 0 ? std::optional{from.after} : std::nullopt;
  if (const auto next = Walk{reading, filter, after, visit, last}.run()) {
    matching.next = ReleasePosition{*next, last};
  }
  return matching;
}

Result<PartialCount> count_events(const Reading& reading, const EventQuery& query,
                                  std::optional<std::int64_t> after) {
  PartialCount count;
  if (const auto known = known_count(reading.db, query)) {
    count.matched = *known;
    return count;
  }
  const Filter filter{query, delivery_filter(reading.db, query)};
  const Visit visit = [&](EventHead& /*head*/) {
    ++count.matched;
    return Step::next;
  };
  count.next = Walk{reading, filter, after, visit}.run();
  return count;
}

}  // namespace dispatcher::sqlite
