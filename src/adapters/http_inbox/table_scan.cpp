#include "adapters/http_inbox/table_scan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>
#include <utility>

namespace dispatcher {
namespace {

// Items that are no events are named in the log up to this many of a page.
constexpr std::size_t kNamed = 10;

bool is_settled(const TableDelivery* delivery) {
  return delivery != nullptr &&
         (delivery->state == DeliveryState::delivered || delivery->state == DeliveryState::review);
}

// The index's order; within one instant it is the table's own.
bool is_older(const EventKey& a, const EventKey& b) {
  return a.created_at < b.created_at;
}

}  // namespace

const TableDelivery* find_delivery(const std::vector<TableDelivery>& deliveries,
                                   const std::string& endpoint_id) {
  const auto found = std::find_if(
      deliveries.begin(), deliveries.end(),
      [&](const TableDelivery& delivery) { return delivery.endpoint_id == endpoint_id; });
  return found == deliveries.end() ? nullptr : &*found;
}

std::vector<TableWait> waits_of(const TableEntry& entry,
                                const std::vector<std::string>& endpoint_ids, WallTime now) {
  std::vector<TableWait> waits;
  if (entry.lease_until && *entry.lease_until >= now) {
    return waits;
  }
  const WallTime created = std::min(parse_timestamp(entry.key.created_at).value_or(now), now);
  bool is_delivered = true;
  for (TableLane lane = 0; lane < endpoint_ids.size(); ++lane) {
    const TableDelivery* delivery = find_delivery(entry.deliveries, endpoint_ids[lane]);
    const WallTime due = delivery == nullptr ? created : delivery->due.value_or(created);
    if (!is_settled(delivery) && due <= now) {
      waits.push_back({lane, due});
    }
    is_delivered =
        is_delivered && delivery != nullptr && delivery->state == DeliveryState::delivered;
  }
  if (is_delivered) {
    waits.push_back({endpoint_ids.size(), created});
  }
  return waits;
}

bool is_in_review(const TableEntry& entry, const std::vector<std::string>& endpoint_ids) {
  bool is_any = false;
  for (const std::string& id : endpoint_ids) {
    const TableDelivery* delivery = find_delivery(entry.deliveries, id);
    if (!is_settled(delivery)) {
      return false;
    }
    is_any = is_any || delivery->state == DeliveryState::review;
  }
  return is_any;
}

TableScan::TableScan(EventTable& table, const Clock& clock, const Log& log,
                     std::vector<std::string> endpoint_ids, TableMemory& memory,
                     std::size_t max_events)
    : table_(table),
      clock_(clock),
      log_(log),
      endpoint_ids_(std::move(endpoint_ids)),
      memory_(memory),
      first_page_(std::min(max_events, kMaxPage)),
      looks_at_(clock.wall()),
      looked_last_(memory.last_look.value_or(looks_at_ - kFirstLook)),
      after_(memory.resume_after),
      resumed_(memory.resume_after),
      found_(endpoint_ids_.size() + 1) {}

bool TableScan::has_enough(std::size_t wanted, std::span<const TableLane> asked) const {
  return std::all_of(asked.begin(), asked.end(), [&](TableLane lane) {
    return lane == endpoint_ids_.size() || found_.has(lane, all_due_after_, wanted);
  });
}

boost::asio::awaitable<Result<void>> TableScan::look_for(std::size_t wanted,
                                                         std::span<const TableLane> asked) {
  while (stage_ != Stage::over && !has_enough(wanted, asked)) {
    auto page = co_await table_.query(next_query());
    if (!page) {
      co_return page.error();
    }
    heed(std::move(*page));
  }
  co_return Result<void>{};
}

TableQuery TableScan::next_query() const {
  TableQuery query;
  query.is_oldest_first = stage_ != Stage::newest;
  query.after = after_;
  query.limit = stage_ == Stage::oldest && pages_ == 0 ? first_page_ : kMaxPage;
  return query;
}

void TableScan::heed(TablePage page) {
  if (!page.unreadable.empty()) {
    const auto named = std::span{page.unreadable}.first(std::min(page.unreadable.size(), kNamed));
    log_.warning(
        "the table has pending items that are no events; they are left there",
        {{"count", page.unreadable.size()}, {"ids", fmt::format("{}", fmt::join(named, ", "))}});
  }
  if (pages_ == 0 && stage_ == Stage::oldest) {
    // A run that does not need all the pages that it may read lets the next begin at the oldest.
    memory_.resume_after.reset();
    memory_.last_look = looks_at_;
  }
  ++pages_;
  after_ = page.next;
  if (stage_ == Stage::newest) {
    heed_newest(page);
  } else {
    if (!page.entries.empty()) {
      all_due_after_ = parse_timestamp(page.entries.back().key.created_at).value_or(WallTime{});
    }
    heed_oldest(page);
  }
  for (TableEntry& entry : page.entries) {
    consider(std::move(entry));
  }
}

void TableScan::heed_oldest(const TablePage& page) {
  const bool is_at_end = !page.next;
  const bool is_round = stage_ == Stage::oldest_again && !page.entries.empty() &&
                        !is_older(page.entries.back().key, *resumed_);
  if (is_at_end && stage_ == Stage::oldest && resumed_) {
    // What lies before the place where it began may be due again by now.
    after_.reset();
    stage_ = pages_ < kPagesOfAnEnd ? Stage::oldest_again : Stage::over;
    return;
  }
  if (is_at_end || is_round) {
    begin(Stage::over);
    return;
  }
  if (pages_ < kPagesOfAnEnd) {
    return;
  }
  memory_.resume_after = page.next;
  reached_ = page.next;
  // Round again from the oldest, it has been at the newest already.
  begin(stage_ == Stage::oldest_again ? Stage::over : Stage::newest);
}

void TableScan::heed_newest(const TablePage& page) {
  const bool has_met = !page.entries.empty() && !is_older(*reached_, page.entries.back().key);
  if (!page.next || has_met || pages_ >= kPagesOfAnEnd) {
    begin(Stage::over);
  }
}

void TableScan::begin(Stage stage) {
  stage_ = stage;
  pages_ = 0;
  after_.reset();
}

void TableScan::consider(TableEntry entry) {
  if (!seen_.insert(entry.key).second) {
    return;
  }
  if (is_in_review(entry, endpoint_ids_)) {
    ++figures_.in_review;
  } else if (const auto created = parse_timestamp(entry.key.created_at); created) {
    figures_.oldest_pending = std::min(figures_.oldest_pending.value_or(*created), *created);
  }
  if (entry.expires_at && *entry.expires_at > looked_last_ && *entry.expires_at <= looks_at_) {
    ++expired_;
  }
  auto waits = waits_of(entry, endpoint_ids_, clock_.wall());
  if (!waits.empty()) {
    found_.add({std::move(entry.key), std::move(waits)});
  }
}

void TableScan::put_back(FoundEvent event) {
  for (TableWait& wait : event.waits) {
    wait.due = clock_.wall();
  }
  found_.add(std::move(event));
}

}  // namespace dispatcher
