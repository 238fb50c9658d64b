// Promise: a chunked body comes out as it went in, however it is cut, within its limit; what is not
// exactly one is refused.
#include "adapters/http_server/chunked_body.hpp"

#include <gtest/gtest.h>

#include <string>

namespace dispatcher {
namespace {

struct Fed {
  ChunkedBody::State state = ChunkedBody::State::needs_more;
  std::string body;
  std::size_t consumed = 0;
};

Fed feed(std::string_view input, std::size_t step, std::size_t max_bytes = 1000) {
  ChunkedBody chunks{max_bytes};
  Fed fed;
  while (fed.state == ChunkedBody::State::needs_more && fed.consumed < input.size()) {
    const auto result = chunks.feed(input.substr(fed.consumed, step), fed.body);
    fed.state = result.state;
    fed.consumed += result.consumed;
  }
  return fed;
}

TEST(ChunkedBody, chunks_are_put_together_however_they_are_cut) {
  const std::string input =
      "4\r\nWiki\r\n6;a=\"b\"\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n"
      "000\r\nTrailer: x\r\nAnother: y\r\n\r\n";
  for (std::size_t step = 1; step <= input.size(); ++step) {
    const Fed fed = feed(input + "GET /next", step);
    ASSERT_EQ(fed.state, ChunkedBody::State::complete) << step;
    EXPECT_EQ(fed.body, "Wikipedia in \r\n\r\nchunks.");
    EXPECT_EQ(fed.consumed, input.size());
  }
}

TEST(ChunkedBody, an_empty_body_is_one) {
  EXPECT_EQ(feed("0\r\n\r\n", 99).state, ChunkedBody::State::complete);
}

TEST(ChunkedBody, an_end_that_has_not_come_is_waited_for) {
  for (const char* input :
       {"4", "4\r\n", "4\r\nWik", "4\r\nWiki", "4\r\nWiki\r\n", "0\r\n", "0\r\n\r"}) {
    EXPECT_EQ(feed(input, 99).state, ChunkedBody::State::needs_more) << input;
  }
}

TEST(ChunkedBody, everything_else_is_malformed) {
  for (const char* input : {"\r\n", "x\r\n", "-1\r\n", "+4\r\nWiki", "0x4\r\nWiki", "4\nWiki\r\n",
                            "4\rWiki", ";a\r\n", "4\r\nWiki0\r\n\r\n", "4\r\nWiki\n0\r\n\r\n",
                            "4\r\nWikip\r\n0\r\n\r\n", "0\r\nA: b\n\r\n", "0\r\nA: \x01\r\n\r\n",
                            " 4\r\nWiki\r\n", "FFFFFFFFFFFFFFFF\r\n", "10000000000000000\r\n"}) {
    EXPECT_EQ(feed(input, 1).state, ChunkedBody::State::malformed) << input;
    EXPECT_EQ(feed(input, 99).state, ChunkedBody::State::malformed) << input;
  }
}

TEST(ChunkedBody, what_passes_the_limit_is_refused_when_it_is_announced) {
  EXPECT_EQ(feed("5\r\nabcde\r\n5\r\nabcde\r\n0\r\n\r\n", 1, 10).state,
            ChunkedBody::State::complete);
  const Fed fed = feed("5\r\nabcde\r\n6\r\na", 1, 10);
  EXPECT_EQ(fed.state, ChunkedBody::State::too_large);
  EXPECT_EQ(fed.body, "abcde");
  EXPECT_EQ(feed("FFFFFFF\r\na", 1, 10).state, ChunkedBody::State::too_large);
}

TEST(ChunkedBody, a_size_is_bounded) {
  const std::string zeros(ChunkedBody::kMaxSizeDigits - 1, '0');
  EXPECT_EQ(feed(zeros + "1\r\na\r\n" + zeros + "0\r\n\r\n", 3).state,
            ChunkedBody::State::complete);
  EXPECT_EQ(feed(zeros + "01\r\na", 3).state, ChunkedBody::State::malformed);
}

TEST(ChunkedBody, extensions_and_trailers_are_bounded) {
  const std::string long_text(ChunkedBody::kMaxTrailerBytes + 1, 'x');
  EXPECT_EQ(feed("1;" + long_text, 50).state, ChunkedBody::State::malformed);
  EXPECT_EQ(feed("0\r\nA: " + long_text, 50).state, ChunkedBody::State::malformed);
  std::string many = "0\r\n";
  for (int i = 0; i < 10'000; ++i) {
    many += "A: b\r\n";
  }
  EXPECT_EQ(feed(many, 50).state, ChunkedBody::State::malformed);
}

}  // namespace
}  // namespace dispatcher
