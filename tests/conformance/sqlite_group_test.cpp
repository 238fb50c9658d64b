// A claim is answered before the writes that it came with: it waits for the disk no longer than for
// the commit that is running, and no failure of theirs takes it back.
#include "conformance/sqlite_world.hpp"

#include "adapters/sqlite/connection.hpp"
#include "adapters/sqlite/store_files.hpp"

#include <latch>

namespace dispatcher::conformance {
namespace {

class SqliteGroup : public ::testing::Test {
 protected:
  SqliteGroup() {
    EndpointRecord record;
    record.id = "ep_1";
    endpoint_ = run(store().create_endpoint(std::move(record), EndpointStart::now))->number;
  }
  [[nodiscard]] Store& store() { return world_.store(); }
  [[nodiscard]] AppendRequest request_for(std::uint64_t number) {
    AppendRequest request;
    Event& event = request.events.emplace_back();
    event.id = make_uuid_v7(world_.now(), number, number << 8U);
    event.payload = "{}";
    event.created_at = world_.now();
    return request;
  }
  // Holds the writer's thread until `queue` has queued its calls, so that they come to it as one
  // group.
  template <class Queue>
  void as_one_group(std::uint64_t number, Queue queue) {
    (void)run(store().claim({{endpoint_, 0}}, 1'000));  // whose lane is told of what comes
    store().on_due([this](std::span<const LaneDue> lanes) {
      hints_.insert(hints_.end(), lanes.begin(), lanes.end());
      if (!is_held_.try_wait()) {
        is_held_.count_down();
        is_queued_.wait();
      }
    });
    ASSERT_TRUE(run(store().append(request_for(number))).has_value());
    is_held_.wait();
    queue();
    is_queued_.count_down();
  }

  std::latch is_held_{1};
  std::latch is_queued_{1};
  std::vector<LaneDue> hints_;  // the writer's thread's, until it has answered what came after
  SqliteWorld world_;
  EndpointNumber endpoint_ = kNoEndpoint;
};

TEST_F(SqliteGroup, a_claim_does_not_wait_for_the_writes_that_it_came_with) {
  auto other = sqlite::Connection::open(sqlite::database_path(world_.directory()).string(),
                                        sqlite::Access::read_write, 100)
                   .value();
  boost::asio::io_context loop{1};
  std::vector<std::string> answers;
  as_one_group(1, [&] {
    other->execute("BEGIN IMMEDIATE");  // nobody else can write now
    boost::asio::co_spawn(loop, store().append(request_for(2)),
                          [&](const std::exception_ptr&, const Result<AppendAnswer>& answer) {
                            answers.emplace_back(answer ? "append" : answer.error().message);
                          });
    boost::asio::co_spawn(
        loop, store().claim({{endpoint_, 10}}, 1'000),
        [&](const std::exception_ptr&, const Result<ClaimAnswer>& answer) {
          answers.push_back("claim of " + std::to_string(answer->deliveries.size()));
          other->execute("ROLLBACK");
        });
    loop.poll();  // both are queued
    EXPECT_TRUE(answers.empty());
  });
  loop.run();
  EXPECT_EQ(answers, (std::vector<std::string>{"claim of 1", "append"}));
  world_.close();
}

TEST_F(SqliteGroup, an_append_behind_a_claim_of_its_group_is_hinted) {
  boost::asio::io_context loop{1};
  std::optional<WallTime> next_due;
  as_one_group(1, [&] {
    boost::asio::co_spawn(loop, store().append(request_for(2)),
                          [](const std::exception_ptr&, const Result<AppendAnswer>&) {});
    boost::asio::co_spawn(loop, store().claim({{endpoint_, 10}}, 1'000),
                          [&](const std::exception_ptr&, const Result<ClaimAnswer>& answer) {
                            next_due = answer->lanes.at(0).next_due;
                          });
    loop.poll();
  });
  loop.run();
  EXPECT_FALSE(next_due);
  (void)run(store().claim({{endpoint_ + 1'000, 0}}, 1'000));
  ASSERT_EQ(hints_.size(), 2U);
  EXPECT_EQ(hints_[1].endpoint, endpoint_);
  EXPECT_EQ(hints_[1].next_due, world_.now());
}

TEST_F(SqliteGroup, a_claim_outlives_the_failure_of_the_writes_that_it_came_with) {
  boost::asio::io_context loop{1};
  std::vector<std::string> answers;
  std::size_t claimed = 0;
  as_one_group(1, [&] {
    for (const std::uint64_t number : {1U, 2U, 1U}) {  // an id that is taken, twice
      boost::asio::co_spawn(loop, store().append(request_for(number)),
                            [&](const std::exception_ptr&, const Result<AppendAnswer>& answer) {
                              answers.emplace_back(answer ? "appended" : "refused");
                            });
    }
    boost::asio::co_spawn(loop, store().claim({{endpoint_, 10}}, 1'000),
                          [&](const std::exception_ptr&, const Result<ClaimAnswer>& answer) {
                            claimed = answer->deliveries.size();
                          });
    loop.poll();
  });
  loop.run();
  EXPECT_EQ(answers, (std::vector<std::string>{"refused", "appended", "refused"}));
  EXPECT_EQ(claimed, 1U);
  EXPECT_EQ(run(store().figures())->in_flight, 1);
  const auto rest = run(store().claim({{endpoint_, 10}}, 1'000)).value();
  EXPECT_EQ(rest.deliveries.size(), 1U);
  world_.close();
  EXPECT_TRUE(check_store(world_.directory())->findings.empty());
}

}  // namespace
}  // namespace dispatcher::conformance
