// Promises: a run's figures are one PutMetricData under the seed's names and units, latency as
// values and counts; it is split only where AWS's limits want it; ours are published when they are
// switched on; a failure is logged and costs nothing else.
#include "adapters/aws/cloudwatch_metrics.hpp"

#include "aws/fake_aws.hpp"
#include "aws/world.hpp"

#include <algorithm>

namespace dispatcher {
namespace {

using namespace test;

using Form = std::map<std::string, std::string>;

// Of a form without escapes in what is looked at.
Form form_of(const std::string& body) {
  Form form;
  std::istringstream stream{body};
  std::string part;
  while (std::getline(stream, part, '&')) {
    const auto equals = part.find('=');
    form[part.substr(0, equals)] = part.substr(equals + 1);
  }
  return form;
}

// The data of a form by metric: `{Unit, Value}` and so on, without the timestamp.
std::map<std::string, Form> data_of(const Form& form) {
  std::map<std::string, Form> data;
  for (const auto& [name, value] : form) {
    const std::string prefix = "MetricData.member.";
    const auto dot = name.find('.', prefix.size());
    if (name.rfind(prefix, 0) == 0 && name.substr(dot + 1) == "MetricName") {
      Form datum;
      for (const auto& [other, its] : form) {
        if (other.rfind(name.substr(0, dot + 1), 0) == 0 && other != name) {
          datum[other.substr(dot + 1)] = its;
        }
      }
      datum.erase("Timestamp");
      data[value] = datum;
    }
  }
  return data;
}

class CloudWatchTest : public testing::Test {
 protected:
  void publish(CloudWatchMetrics& metrics) {
    await(metrics.publish(clock.monotonic() + seconds{3}));
  }

  ManualClock clock;
  FakeAws aws{clock};
  std::vector<std::string> lines;
  Log log{LogLevel::info, LogFormat::text,
          [this](std::string_view line) { lines.emplace_back(line); }};
};

TEST_F(CloudWatchTest, a_run_is_one_call_with_the_seed_s_five) {
  CloudWatchMetrics metrics{aws, log, PublishedMetrics::seed};
  metrics.add(Metric::events_processed, 3);
  metrics.add(Metric::successful_deliveries, 2);
  metrics.add(Metric::failed_deliveries, 1);
  metrics.add(Metric::connections_opened, 9);
  metrics.set(Metric::events_in_review, 7);
  for (const int latency : {40, 12, 40}) {
    metrics.observe(Metric::delivery_latency, milliseconds{latency});
  }
  publish(metrics);
  ASSERT_EQ(aws.calls.size(), 1U);
  EXPECT_EQ(aws.calls[0].service, AwsService::cloudwatch);
  EXPECT_EQ(aws.calls[0].action, "PutMetricData");
  EXPECT_EQ(aws.calls[0].deadline, clock.monotonic() + seconds{3});
  const Form form = form_of(aws.calls[0].body);
  EXPECT_EQ(form.at("Namespace"), "ZapierTriggersAPI%2FDispatcher");
  EXPECT_EQ(form.at("MetricData.member.1.Timestamp"), "2026-01-01T00%3A00%3A00Z");
  const std::map<std::string, Form> expected{
      {"EventsProcessed", {{"Unit", "Count"}, {"Value", "3"}}},
      {"SuccessfulDeliveries", {{"Unit", "Count"}, {"Value", "2"}}},
      {"FailedDeliveries", {{"Unit", "Count"}, {"Value", "1"}}},
      {"DeliveryLatency",
       {{"Unit", "Milliseconds"},
        {"Values.member.1", "12"},
        {"Counts.member.1", "1"},
        {"Values.member.2", "40"},
        {"Counts.member.2", "2"}}},
      {"RetryAttempts", {{"Unit", "Count"}, {"Value", "0"}}},
  };
  EXPECT_EQ(data_of(form), expected);
}

TEST_F(CloudWatchTest, a_run_that_found_nothing_says_so_and_has_no_latency) {
  CloudWatchMetrics metrics{aws, log, PublishedMetrics::all};
  publish(metrics);
  const auto data = data_of(form_of(aws.calls.at(0).body));
  EXPECT_EQ(data.size(), 4U);
  EXPECT_EQ(data.at("EventsProcessed").at("Value"), "0");
  EXPECT_EQ(data.count("DeliveryLatency"), 0U);
}

TEST_F(CloudWatchTest, ours_are_published_when_they_are_switched_on) {
  CloudWatchMetrics metrics{aws, log, PublishedMetrics::all};
  metrics.set(Metric::events_in_review, 7);
  metrics.set(Metric::oldest_pending_age, 0);
  metrics.add(Metric::events_expired, 2);
  publish(metrics);
  const auto data = data_of(form_of(aws.calls.at(0).body));
  EXPECT_EQ(data.at("EventsInReview"), (Form{{"Unit", "Count"}, {"Value", "7"}}));
  EXPECT_EQ(data.at("OldestPendingAge"), (Form{{"Unit", "Seconds"}, {"Value", "0"}}));
  EXPECT_EQ(data.at("EventsExpired"), (Form{{"Unit", "Count"}, {"Value", "2"}}));
  EXPECT_EQ(data.count("ConnectionsOpened"), 0U);
}

TEST_F(CloudWatchTest, none_is_no_call) {
  CloudWatchMetrics metrics{aws, log, PublishedMetrics::none};
  metrics.add(Metric::events_processed, 3);
  publish(metrics);
  EXPECT_TRUE(aws.calls.empty());
}

TEST_F(CloudWatchTest, the_next_run_begins_at_nothing) {
  CloudWatchMetrics metrics{aws, log, PublishedMetrics::seed};
  metrics.add(Metric::events_processed, 3);
  publish(metrics);
  publish(metrics);
  EXPECT_EQ(data_of(form_of(aws.calls.at(1).body)).at("EventsProcessed").at("Value"), "0");
}

TEST_F(CloudWatchTest, a_failure_is_logged_and_not_counted_again) {
  CloudWatchMetrics metrics{aws, log, PublishedMetrics::seed};
  metrics.add(Metric::events_processed, 3);
  aws.answers = {FakeAws::bad(ErrorKind::refused, "AccessDenied", "why")};
  publish(metrics);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find("metrics could not be published"), std::string::npos);
  EXPECT_NE(lines[0].find("why"), std::string::npos);
  publish(metrics);
  EXPECT_EQ(data_of(form_of(aws.calls.at(1).body)).at("EventsProcessed").at("Value"), "0");
}

MetricFigures latencies(std::int64_t count) {
  MetricFigures figures{"DeliveryLatency", "Milliseconds", {}};
  for (std::int64_t i = 1; i <= count; ++i) {
    figures.counts[i] = 1;
  }
  return figures;
}

// How many values the forms hold; each within the limits.
std::size_t values_in(const std::vector<std::string>& forms) {
  std::size_t values = 0;
  for (const std::string& form : forms) {
    EXPECT_LE(form.size(), kMaxFormBytes);
    std::size_t data = 0;
    for (const auto& [name, value] : form_of(form)) {
      data += name.ends_with(".MetricName") ? 1 : 0;
      const bool is_value = name.find(".Values.member.") != std::string::npos;
      values += is_value || name.ends_with(".Value") ? 1 : 0;
      if (is_value) {
        EXPECT_LE(std::stoul(name.substr(name.rfind('.') + 1)), kMaxValuesPerDatum);
      }
    }
    EXPECT_LE(data, kMaxDataPerCall);
    EXPECT_EQ(form.rfind("Namespace=n&MetricData.member.1.MetricName=", 0), 0U);
  }
  return values;
}

TEST(metric_forms, a_datum_holds_150_values) {
  const auto one = metric_forms("n", {latencies(150)}, WallTime{});
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].find("MetricData.member.2."), std::string::npos);
  const auto two = metric_forms("n", {latencies(151)}, WallTime{});
  ASSERT_EQ(two.size(), 1U);
  EXPECT_NE(two[0].find("MetricData.member.2."), std::string::npos);
  EXPECT_EQ(values_in(two), 151U);
}

TEST(metric_forms, as_many_calls_as_the_limits_want) {
  const auto large = metric_forms("n", {latencies(30'000)}, WallTime{});
  EXPECT_GT(large.size(), 1U);
  EXPECT_LT(large.size(), 6U);
  EXPECT_EQ(values_in(large), 30'000U);
  const std::vector<MetricFigures> many(2'500, MetricFigures{"M", "Count", {{1, 1}}});
  const auto forms = metric_forms("n", many, WallTime{});
  EXPECT_EQ(forms.size(), 3U);
  EXPECT_EQ(values_in(forms), 2'500U);
}

TEST(metric_forms, nothing_is_no_form) {
  EXPECT_TRUE(metric_forms("n", {}, WallTime{}).empty());
  EXPECT_TRUE(metric_forms("n", {latencies(0)}, WallTime{}).empty());
}

}  // namespace
}  // namespace dispatcher
