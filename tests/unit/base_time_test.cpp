// Promises checked: times are written in the one form of the wire contract, read in every form that
// clients use, and HTTP dates and durations mean what RFC 9110 and the settings' table say.
#include "base/time.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace dispatcher {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kMicros = 1'000'000;

TEST(Time, a_timestamp_is_utc_with_six_digits_and_a_z) {
  struct Case {
    std::int64_t micros;
    std::string_view text;
  };
  const std::vector<Case> cases{
      {0, "1970-01-01T00:00:00.000000Z"},
      {1, "1970-01-01T00:00:00.000001Z"},
      {-1, "1969-12-31T23:59:59.999999Z"},
      {1704067200 * kMicros, "2024-01-01T00:00:00.000000Z"},
      {1709164800 * kMicros, "2024-02-29T00:00:00.000000Z"},
      {1735689599 * kMicros + 999'999, "2024-12-31T23:59:59.999999Z"},
      {951868799 * kMicros + 10, "2000-02-29T23:59:59.000010Z"},
      {253402300799 * kMicros, "9999-12-31T23:59:59.000000Z"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(format_timestamp(wall_from_micros(c.micros)), c.text);
    EXPECT_EQ(parse_timestamp(c.text), wall_from_micros(c.micros)) << c.text;
  }
}

TEST(Time, a_compact_time_fits_a_file_name) {
  EXPECT_EQ(format_compact(wall_from_micros(1704164645 * kMicros + 999'999)), "20240102_030405");
}

TEST(Time, iso_8601_is_read_as_clients_write_it) {
  struct Case {
    std::string_view text;
    std::string_view is;
  };
  const std::vector<Case> cases{
      {"2024-01-02", "2024-01-02T00:00:00.000000Z"},
      {"2024-01-02T03:04", "2024-01-02T03:04:00.000000Z"},
      {"2024-01-02T03:04Z", "2024-01-02T03:04:00.000000Z"},
      {"2024-01-02T03:04:05", "2024-01-02T03:04:05.000000Z"},
      {"2024-01-02T03:04:05Z", "2024-01-02T03:04:05.000000Z"},
      {"2024-01-02t03:04:05z", "2024-01-02T03:04:05.000000Z"},
      {"2024-01-02 03:04:05", "2024-01-02T03:04:05.000000Z"},
      {"2024-01-02T03:04:05.6Z", "2024-01-02T03:04:05.600000Z"},
      {"2024-01-02T03:04:05,678Z", "2024-01-02T03:04:05.678000Z"},
      {"2024-01-02T03:04:05.123456789Z", "2024-01-02T03:04:05.123456Z"},
      {"2024-01-02T03:04:05+00:00", "2024-01-02T03:04:05.000000Z"},
      {"2024-01-02T03:04:05+02:00", "2024-01-02T01:04:05.000000Z"},
      {"2024-01-02T03:04:05-0530", "2024-01-02T08:34:05.000000Z"},
      {"2024-01-01T00:30:00+01", "2023-12-31T23:30:00.000000Z"},
      {"2024-01-02T03:04:60Z", "2024-01-02T03:04:59.000000Z"},
  };
  for (const Case& c : cases) {
    const auto time = parse_timestamp(c.text);
    ASSERT_TRUE(time) << c.text;
    EXPECT_EQ(format_timestamp(*time), c.is) << c.text;
  }
}

TEST(Time, what_is_no_timestamp_is_refused) {
  const std::vector<std::string_view> cases{
      "",
      "now",
      "1704067200",
      "2024",
      "2024-01",
      "2024-1-2",
      "2024-13-01",
      "2024-00-01",
      "2024-01-00",
      "2024-01-32",
      "2023-02-29",
      "2100-02-29",
      "0000-01-01",
      "-2024-01-01",
      "2024-01-01T",
      "2024-01-01T1",
      "2024-01-01T24:00",
      "2024-01-01T23:60",
      "2024-01-01T23:59:61",
      "2024-01-01T23:59:",
      "2024-01-01T23:59:59.",
      "2024-01-01T23:59:59.Z",
      "2024-01-01T23:59:59ZZ",
      "2024-01-01T23:59:59 Z",
      "2024-01-01T23:59:59+",
      "2024-01-01T23:59:59+1",
      "2024-01-01T23:59:59+24:00",
      "2024-01-01T23:59:59+01:60",
      "2024-01-01T23:59:59+01:",
      "2024-01-01T23:59:59+01:000",
      "2024-01-01Z",
      " 2024-01-01",
      "2024-01-01 ",
      "2024/01/01",
      "20240101",
      // The offset takes these out of the years that four digits can write.
      "9999-12-31T23:59:59-01:00",
      "0001-01-01T00:00:00+01:00",
  };
  for (const auto text : cases) {
    EXPECT_FALSE(parse_timestamp(text)) << text;
  }
}

TEST(Time, an_http_date_has_three_forms) {
  // RFC 9110, section 5.6.7: all three are the same moment.
  const WallTime moment = wall_from_micros(784111777 * kMicros);
  const std::vector<std::string_view> cases{
      "Sun, 06 Nov 1994 08:49:37 GMT",
      "Sunday, 06-Nov-94 08:49:37 GMT",
      "Sun Nov  6 08:49:37 1994",
  };
  for (const auto text : cases) {
    EXPECT_EQ(parse_http_date(text), moment) << text;
  }
  EXPECT_EQ(parse_http_date("Wed Nov 16 08:49:37 1994"), moment + 240h);
  EXPECT_EQ(format_timestamp(*parse_http_date("Friday, 01-Jan-27 00:00:00 GMT")),
            "2027-01-01T00:00:00.000000Z");
}

TEST(Time, what_is_no_http_date_is_refused) {
  const std::vector<std::string_view> cases{
      "",
      "Sun",
      "Sun, ",
      "Sun, 06 Nov 1994",
      "Sun, 06 Nov 1994 08:49:37",
      "Sun, 06 Nov 1994 08:49:37 UTC",
      "Sun, 06 Nov 1994 08:49:37 GMT ",
      "Sun, 6 Nov 1994 08:49:37 GMT",
      "Sun, 06 nov 1994 08:49:37 GMT",
      "Sun, 31 Nov 1994 08:49:37 GMT",
      "Sun, 06 Nov 1994 25:49:37 GMT",
      "Sun, 06 Nov 94 08:49:37 GMT",
      "Sunday, 06-Nov-1994 08:49:37 GMT",
      "Sunday, 06-Nov-94",
      "Sun Nov 6 08:49:37 1994",
      "Sun Nov  6 08:49:37 94",
      "Sun Nov  6 08:49:3719944",
      "1994-11-06T08:49:37Z",
  };
  for (const auto text : cases) {
    EXPECT_FALSE(parse_http_date(text)) << text;
  }
}

TEST(Time, a_duration_has_a_unit) {
  struct Case {
    std::string_view text;
    std::chrono::microseconds is;
  };
  const std::vector<Case> cases{
      {"250us", 250us}, {"250ms", 250ms}, {"30s", 30s},   {"0s", 0s},    {"1.5s", 1'500ms},
      {"5m", 5min},     {"0.5h", 30min},  {"2h", 2h},     {"1d", 24h},   {".5s", 500ms},
      {"1e3ms", 1s},    {"365d", 8760h},  {"0.1us", 0us}, {"0.6us", 1us}};
  for (const Case& c : cases) {
    const auto duration = parse_duration(c.text);
    ASSERT_TRUE(duration) << c.text;
    EXPECT_EQ(duration->count(), c.is.count()) << c.text;
  }
}

TEST(Time, what_is_no_duration_is_refused) {
  const std::vector<std::string_view> cases{"",       "5",      "s",      "5 s",
                                            " 5s",    "5s ",    "-5s",    "-0s",
                                            "+5s",    "5S",     "5sec",   "1h30m",
                                            "0x5s",   "inf",    "nans",   "infs",
                                            "5.5.5s", "1e400s", "1e300d", "9223372036854775807d"};
  for (const auto text : cases) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

}  // namespace
}  // namespace dispatcher
