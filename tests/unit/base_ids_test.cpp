// Promises checked: ids are UUIDs in one spelling, version 7, and sort by their time of creation.
#include "base/ids.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace dispatcher {
namespace {

using namespace std::chrono_literals;

TEST(Ids, a_version_7_uuid_has_its_time_version_and_variant) {
  struct Case {
    std::int64_t millis;
    std::uint64_t high;
    std::uint64_t low;
    std::string_view text;
  };
  const std::vector<Case> cases{
      {0, 0, 0, "00000000-0000-7000-8000-000000000000"},
      {0, ~0ULL, ~0ULL, "00000000-0000-7fff-bfff-ffffffffffff"},
      // RFC 9562, appendix A.6: the time of its example.
      {0x017F22E279B0, 0, 0, "017f22e2-79b0-7000-8000-000000000000"},
      {0xFFFFFFFFFFFF, 0, 0, "ffffffff-ffff-7000-8000-000000000000"},
  };
  for (const Case& c : cases) {
    const WallTime now{std::chrono::milliseconds{c.millis}};
    EXPECT_EQ(to_string(make_uuid_v7(now, c.high, c.low)), c.text);
    EXPECT_EQ(to_string(make_uuid_v7(now + 999us, c.high, c.low)), c.text) << "within the ms";
  }
}

TEST(Ids, every_random_bit_that_is_used_makes_another_id) {
  const WallTime now = wall_from_micros(1'700'000'000'000'000);
  const Uuid zero = make_uuid_v7(now, 0, 0);
  int bits = 0;
  for (unsigned bit = 0; bit < 64; ++bit) {
    bits += make_uuid_v7(now, 1ULL << bit, 0) != zero ? 1 : 0;
    bits += make_uuid_v7(now, 0, 1ULL << bit) != zero ? 1 : 0;
  }
  EXPECT_EQ(bits, 74);
}

TEST(Ids, a_later_id_sorts_after_an_earlier_one) {
  const WallTime now = wall_from_micros(1'700'000'000'000'000);
  const Uuid first = make_uuid_v7(now, ~0ULL, ~0ULL);
  const Uuid second = make_uuid_v7(now + 1ms, 0, 0);
  EXPECT_LT(first, second);
  EXPECT_LT(to_string(first), to_string(second));
}

TEST(Ids, a_uuid_is_read_with_hyphens_in_any_case) {
  const auto id = parse_uuid("017F22E2-79b0-7CC3-98c4-DC0C0C07398F");
  ASSERT_TRUE(id);
  EXPECT_EQ(to_string(*id), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
  std::string appended = "id=";
  append_uuid(appended, *id);
  EXPECT_EQ(appended, "id=017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

TEST(Ids, what_is_no_uuid_is_refused) {
  const std::vector<std::string_view> cases{
      "",
      "017f22e279b07cc398c4dc0c0c07398f",
      "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}",
      "urn:uuid:017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
      "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
      "017f22e2-79b0-7cc3-98c4-dc0c0c07398ff",
      "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
      "017f22e2-79b0-7cc3-98c4-dc0c0c07398 ",
      "017f22e2+79b0-7cc3-98c4-dc0c0c07398f",
      "017f22e-279b0-7cc3-98c4-dc0c0c07398f",
      "-17f22e2-79b0-7cc3-98c4-dc0c0c07398f",
      "017f22e2-79b0-7cc3-98c4-dc0c0c0739@f",
  };
  for (const auto text : cases) {
    EXPECT_FALSE(parse_uuid(text)) << text;
  }
}

}  // namespace
}  // namespace dispatcher
