// Promises: the trace that a header names is taken whole or not at all, and named to others in
// X-Ray's form and in the W3C's.
#include "model/trace.hpp"

#include <gtest/gtest.h>

namespace dispatcher {
namespace {

constexpr std::string_view kRoot = "Root=1-5759e988-bd862e3fe1be46a994272793";

TEST(parse_xray_header, root_parent_and_sampling_in_any_order) {
  const auto full = parse_xray_header(
      "Sampled=1;Lineage=a:0;Root=1-5759E988-bd862e3fe1be46a994272793; Parent=53995c3f42cd8ad8");
  ASSERT_TRUE(full);
  EXPECT_EQ(xray_trace_id(*full), "1-5759e988-bd862e3fe1be46a994272793");
  EXPECT_EQ(full->span_id, 0x53995c3f42cd8ad8ULL);
  EXPECT_TRUE(full->is_sampled);
}

TEST(parse_xray_header, what_is_absent_or_undecided_is_not_sampled) {
  for (const std::string_view rest : {"", ";Sampled=0", ";Sampled=?", ";Sampled="}) {
    const auto parsed = parse_xray_header(std::string{kRoot} + std::string{rest});
    ASSERT_TRUE(parsed);
    EXPECT_FALSE(parsed->is_sampled);
    EXPECT_EQ(parsed->span_id, 0U);
  }
}

TEST(parse_xray_header, a_parent_that_is_none_is_no_parent) {
  for (const std::string_view parent : {"53995c3f42cd8ad", "53995c3f42cd8ad89", "5399x", "-1"}) {
    const auto parsed = parse_xray_header(std::string{kRoot} + ";Parent=" + std::string{parent});
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->span_id, 0U) << parent;
  }
}

TEST(parse_xray_header, without_a_root_there_is_no_trace) {
  for (const std::string_view text :
       {"", ";", "=", "Root", "Root=", "Root=1-5759e988-bd862e3fe1be46a99427279",
        "Root=2-5759e988-bd862e3fe1be46a994272793", "Root=1-5759e988_bd862e3fe1be46a994272793",
        "Root=1-5759e98x-bd862e3fe1be46a994272793", "Parent=53995c3f42cd8ad8;Sampled=1"}) {
    EXPECT_FALSE(parse_xray_header(text)) << text;
  }
}

TEST(trace_context, is_written_as_both_systems_read_it) {
  auto context = *parse_xray_header(std::string{kRoot} + ";Sampled=1");
  context.span_id = 0xabc;
  EXPECT_EQ(xray_header(context), std::string{kRoot} + ";Parent=0000000000000abc;Sampled=1");
  EXPECT_EQ(traceparent(context), "00-5759e988bd862e3fe1be46a994272793-0000000000000abc-01");
  context.is_sampled = false;
  EXPECT_EQ(traceparent(context), "00-5759e988bd862e3fe1be46a994272793-0000000000000abc-00");
}

}  // namespace
}  // namespace dispatcher
