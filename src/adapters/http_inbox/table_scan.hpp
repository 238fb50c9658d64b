// The events of a table that a run may try: what its index shows, a bounded number of pages at each
// end.
//
//     oldest end ─► … ─► pages used up ─► newest end ─► … ─► what both have seen meets
//
// What is in review or waits is passed over without a claim. However many of those there are, new
// events are seen from the newest end, and what lies between is reached in the runs to come. An
// event that failed before is due when its item says so, however old it is: it lets those go first
// that were due before.
#pragma once

#include "adapters/http_inbox/found_events.hpp"
#include "base/log.hpp"
#include "ports/clock.hpp"
#include "ports/event_table.hpp"

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace dispatcher {

// What a warm process keeps of a table from one run to the next.
struct TableMemory {
  // Where the oldest end's pages were used up; empty: the next run begins at the oldest.
  std::optional<EventKey> resume_after;
  // When the run before looked: what has expired since is counted.
  std::optional<WallTime> last_look;
};

// What a scan has seen of the table, as far as it went.
struct TableFigures {
  std::int64_t in_review = 0;              // events of which nothing waits for anything else
  std::optional<WallTime> oldest_pending;  // of those not in review
};

// What the item says of an endpoint; null: nothing.
[[nodiscard]] const TableDelivery* find_delivery(const std::vector<TableDelivery>& deliveries,
                                                 const std::string& endpoint_id);

// What of an event may be tried now; the acknowledgement, when that is all that it lacks.
[[nodiscard]] std::vector<TableWait> waits_of(const TableEntry& entry,
                                              const std::vector<std::string>& endpoint_ids,
                                              WallTime now);

// Whether an event waits for nothing but a person.
[[nodiscard]] bool is_in_review(const TableEntry& entry,
                                const std::vector<std::string>& endpoint_ids);

class TableScan {
 public:
  static constexpr int kPagesOfAnEnd = 8;
  static constexpr std::size_t kMaxPage = 1000;  // entries
  // How far a process that has just begun looks back for what has expired.
  static constexpr std::chrono::minutes kFirstLook{5};

  // All outlive it. The first page is as long as the run's events are many: as a rule they can all
  // be taken.
  TableScan(EventTable& table, const Clock& clock, const Log& log,
            std::vector<std::string> endpoint_ids, TableMemory& memory, std::size_t max_events);

  // Reads on, if need be, until `wanted` events can be taken for each endpoint that is asked for
  // that are due before what is not read yet, or there is nothing more for this run.
  [[nodiscard]] boost::asio::awaitable<Result<void>> look_for(std::size_t wanted,
                                                              std::span<const TableLane> asked);

  // As FoundEvents.
  [[nodiscard]] std::optional<FoundEvent> take(std::span<const TableLane> asked) {
    return found_.take(asked);
  }
  // Taken in vain: it comes after those that are due by now.
  void put_back(FoundEvent event);

  // Nothing is left of what is asked for, and nothing more will be read.
  [[nodiscard]] bool is_over(std::span<const TableLane> asked) const {
    return stage_ == Stage::over && !found_.has(asked);
  }
  // Empty of a scan that did not begin at the oldest.
  [[nodiscard]] std::optional<TableFigures> figures() const {
    return resumed_ ? std::nullopt : std::optional{figures_};
  }
  [[nodiscard]] std::int64_t expired() const { return expired_; }

 private:
  enum class Stage : std::uint8_t { oldest, oldest_again, newest, over };

  [[nodiscard]] TableQuery next_query() const;
  void heed(TablePage page);
  void heed_oldest(const TablePage& page);
  void heed_newest(const TablePage& page);
  void consider(TableEntry entry);
  void begin(Stage stage);
  [[nodiscard]] bool has_enough(std::size_t wanted, std::span<const TableLane> asked) const;

  EventTable& table_;
  const Clock& clock_;
  const Log& log_;
  std::vector<std::string> endpoint_ids_;
  TableMemory& memory_;
  std::size_t first_page_;
  WallTime looks_at_;  // what expires later is the next run's to count
  WallTime looked_last_;
  Stage stage_ = Stage::oldest;
  int pages_ = 0;                    // of this end
  std::optional<EventKey> after_;    // where this end's last page ended
  std::optional<EventKey> resumed_;  // where this run's first page began
  std::optional<EventKey> reached_;  // how far the oldest end was read
  WallTime all_due_after_{};         // what is not read yet
  std::set<EventKey> seen_;
  FoundEvents found_;
  TableFigures figures_;
  std::int64_t expired_ = 0;  // since the last look
};

}  // namespace dispatcher
