// The EventTable in DynamoDB: the original's table, its index `status-index`, and two actions,
// Query and UpdateItem.
#pragma once

#include "adapters/dynamodb/item_update.hpp"
#include "adapters/dynamodb/table_item.hpp"
#include "base/deadline.hpp"
#include "ports/aws_api.hpp"
#include "ports/clock.hpp"
#include "ports/event_table.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace dispatcher {

class EventsTable final : public EventTable {
 public:
  static constexpr std::string_view kStatusIndex = "status-index";
  // Of one call, its retries included.
  static constexpr std::chrono::seconds kTimeout{15};

  // `aws` and `clock` outlive it. `deadline`: by when every call has ended.
  EventsTable(AwsApi& aws, const Clock& clock, std::string name, std::optional<MonoTime> deadline)
      : aws_(aws), clock_(clock), name_(std::move(name)), deadline_(deadline) {}

  void end_by(MonoTime deadline) override { deadline_ = earlier(deadline, deadline_); }
  [[nodiscard]] boost::asio::awaitable<Result<TablePage>> query(TableQuery query) override;
  [[nodiscard]] boost::asio::awaitable<Result<TableEvent>> claim(EventKey key,
                                                                 TableLease lease) override;
  [[nodiscard]] boost::asio::awaitable<Result<void>> record(TableRecord record) override;
  [[nodiscard]] boost::asio::awaitable<Result<void>> record_success(
      EventKey key, TableDelivery delivery) override;
  [[nodiscard]] boost::asio::awaitable<Result<void>> extend(EventKey key,
                                                            TableLease lease) override;
  [[nodiscard]] boost::asio::awaitable<Result<void>> give_back(EventKey key,
                                                               std::string token) override;
  [[nodiscard]] boost::asio::awaitable<Result<bool>> release(TableEntry entry, EventStatus status,
                                                             ReviewReason reason) override;

 private:
  [[nodiscard]] boost::asio::awaitable<AwsResult> call(std::string action, std::string input);
  [[nodiscard]] boost::asio::awaitable<AwsResult> send(const ItemUpdate& update,
                                                       bool wants_new = false);
  [[nodiscard]] boost::asio::awaitable<Result<void>> apply(ItemUpdate update);
  [[nodiscard]] ItemUpdate update_of(const TableRecord& record) const;
  [[nodiscard]] std::string query_input(const TableQuery& query) const;
  [[nodiscard]] Error failed(std::string_view action, const AwsError& error) const;
  // What is added to AWS's time to make it the local clock's.
  [[nodiscard]] ClockOffset offset() const {
    return std::chrono::duration_cast<ClockOffset>(clock_.wall() - aws_.now());
  }

  AwsApi& aws_;
  const Clock& clock_;
  std::string name_;
  std::optional<MonoTime> deadline_;
};

}  // namespace dispatcher
