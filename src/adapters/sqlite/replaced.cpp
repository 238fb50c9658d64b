// What an endpoint has in review when another URL takes its place: due again, at the new URL, in
// steps that a kill may come between.
#include "adapters/sqlite/operations.hpp"

#include <algorithm>

namespace dispatcher::sqlite {
namespace {

constexpr std::size_t kReleaseStep = 300;  // deliveries

constexpr const char* kFindReview =
    "SELECT place FROM deliveries INDEXED BY deliveries_review_of WHERE state = 3 AND endpoint = ? "
    "AND place BETWEEN ? AND ? ORDER BY place LIMIT ?";

std::vector<std::int64_t> find_review(Connection& db, const KnownEndpoint& endpoint) {
  std::vector<std::int64_t> seqs;
  Query rows = db.query(kFindReview);
  rows.bind(endpoint.number, first_place(*endpoint.review_from), last_place(endpoint.review_to),
            static_cast<std::int64_t>(kReleaseStep));
  while (rows.step()) {
    seqs.push_back(seq_at(rows.integer(0)));
  }
  return seqs;
}

void release_one(Transaction& transaction, EndpointNumber endpoint, std::int64_t seq) {
  auto event = load_event(transaction.db, seq, endpoint);
  DeliveryRow* row = event ? event->find(endpoint) : nullptr;
  if (row != nullptr) {
    // A consumer that holds the event keeps it until its lease ends.
    start_anew(*row, std::max(transaction.now_us, event->lease_until_us));
    save_event(transaction, *event);
  }
}

// True when there is more to do.
bool release_some(Transaction& transaction, KnownEndpoint& endpoint) {
  const auto seqs = find_review(transaction.db, endpoint);
  const auto fresh = transaction.state.fresh_review.find(endpoint.number);
  for (const std::int64_t seq : seqs) {
    const bool is_fresh =
        fresh != transaction.state.fresh_review.end() && fresh->second.contains(seq);
    if (!is_fresh) {
      release_one(transaction, endpoint.number, seq);
    }
  }
  const bool has_more = seqs.size() == kReleaseStep;
  if (has_more) {
    endpoint.review_from = seqs.back() + 1;
  } else {
    endpoint.review_from.reset();
    transaction.state.fresh_review.erase(endpoint.number);
  }
  save_review(transaction.db, endpoint);
  return has_more;
}

}  // namespace

void begin_release_of_review(Transaction& transaction, KnownEndpoint& endpoint) {
  endpoint.review_from = 1;
  endpoint.review_to = transaction.state.next_seq - 1;
  save_review(transaction.db, endpoint);
  transaction.state.fresh_review.erase(endpoint.number);
  transaction.state.replaced_at.insert_or_assign(endpoint.number, transaction.state.claims.next());
}

bool was_of_replaced(const Transaction& transaction, EndpointNumber endpoint, ClaimToken token) {
  const auto replaced = transaction.state.replaced_at.find(endpoint);
  return replaced != transaction.state.replaced_at.end() && token.value < replaced->second.value;
}

bool release_replaced(Transaction& transaction) {
  bool has_more = false;
  for (KnownEndpoint& endpoint : transaction.state.routes.all()) {
    if (endpoint.review_from) {
      has_more = release_some(transaction, endpoint) || has_more;
    }
  }
  return has_more;
}

}  // namespace dispatcher::sqlite
