// Promises checked: encodings are exact and strict (one text for one value), digests are those of
// the published vectors, and UTF-8 is what Unicode's table 3-7 allows.
#include "base/bytes.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace dispatcher {
namespace {

using namespace std::string_view_literals;

std::string hex_of(std::string_view text) {
  return to_hex({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

TEST(Bytes, base64_is_that_of_rfc_4648) {
  struct Case {
    std::string_view bytes;
    std::string_view padded;
    std::string_view url;
  };
  const std::vector<Case> cases{
      {"", "", ""},
      {"f", "Zg==", "Zg"},
      {"fo", "Zm8=", "Zm8"},
      {"foo", "Zm9v", "Zm9v"},
      {"foob", "Zm9vYg==", "Zm9vYg"},
      {"fooba", "Zm9vYmE=", "Zm9vYmE"},
      {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
      {"\xfb\xff\xfe"sv, "+//+", "-__-"},
      {"\0\0\0\0"sv, "AAAAAA==", "AAAAAA"},
      {"\xff\xff\xff\xff\xff"sv, "//////8=", "______8"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(to_base64(c.bytes), c.padded);
    EXPECT_EQ(to_base64url(c.bytes), c.url);
    EXPECT_EQ(from_base64(c.padded), c.bytes) << c.padded;
    EXPECT_EQ(from_base64url(c.url), c.bytes) << c.url;
  }
}

TEST(Bytes, base64_that_is_not_canonical_is_refused) {
  const std::vector<std::string_view> cases{
      "Z",        "Zg",   "Zg=",  "Zg===",    "Zh==",   "Zm9=",  "Zm9v=",
      "=",        "====", "Z===", "Zg==\n",   " Zg==",  "Zm 9v", "Zm9v\n",
      "Zg==Zg==", "Z=g=", "-__-", "Zm9v====", "Zm9\0"sv};
  for (const auto text : cases) {
    EXPECT_FALSE(from_base64(text)) << text;
  }
  for (const auto text : {"Z"sv, "Zg=="sv, "Zh"sv, "Zm9"sv, "+//+"sv, "Zm9v "sv, "Zm9vY"sv}) {
    EXPECT_FALSE(from_base64url(text)) << text;
  }
}

TEST(Bytes, hex_is_lower_case_and_read_in_any_case) {
  EXPECT_EQ(hex_of("\x00\x01\x7f\x80\xff"sv), "00017f80ff");
  EXPECT_EQ(from_hex("00017F80fF"), "\x00\x01\x7f\x80\xff"sv);
  EXPECT_EQ(from_hex(""), "");
  for (const auto text : {"0"sv, "0g"sv, "g0"sv, "0x00"sv, " 0"sv, "000"sv, "@0"sv, "\xe1\x30"sv}) {
    EXPECT_FALSE(from_hex(text)) << text;
  }
}

TEST(Bytes, digests_are_those_of_the_published_vectors) {
  // FIPS 180-2, appendix B; RFC 4231, cases 1, 2, 3 and 6.
  EXPECT_EQ(to_hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  struct Case {
    std::string key;
    std::string bytes;
    std::string_view digest;
  };
  const std::vector<Case> cases{
      {std::string(20, '\x0b'), "Hi There",
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"Jefe", "what do ya want for nothing?",
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {std::string(20, '\xaa'), std::string(50, '\xdd'),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {"", "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(to_hex(hmac_sha256(c.key, c.bytes)), c.digest);
  }
  EXPECT_EQ(to_hex(hmac_sha256({}, {})), cases.back().digest) << "without even a pointer";
}

TEST(Bytes, equality_in_constant_time_is_equality) {
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_TRUE(equal_in_constant_time("a\0b"sv, "a\0b"sv));
  EXPECT_FALSE(equal_in_constant_time("a\0b"sv, "a\0c"sv));
  EXPECT_FALSE(equal_in_constant_time("a", "aa"));
  EXPECT_FALSE(equal_in_constant_time("", "a"));
}

TEST(Bytes, utf8_is_well_formed_or_not) {
  struct Case {
    std::string_view bytes;
    bool is_valid;
  };
  const std::vector<Case> cases{
      {"", true},
      {"plain", true},
      {"\0\x7f"sv, true},
      {"\xc2\x80", true},
      {"\xdf\xbf", true},
      {"\xe0\xa0\x80", true},
      {"\xed\x9f\xbf", true},
      {"\xee\x80\x80", true},
      {"\xef\xbf\xbf", true},
      {"\xf0\x90\x80\x80", true},
      {"\xf4\x8f\xbf\xbf", true},
      {"a\xe2\x82\xac z", true},
      {"\x80", false},              // a continuation alone
      {"\xbf", false},              //
      {"\xc0\x80", false},          // overlong
      {"\xc1\xbf", false},          //
      {"\xe0\x9f\xbf", false},      //
      {"\xf0\x8f\xbf\xbf", false},  //
      {"\xed\xa0\x80", false},      // a surrogate
      {"\xed\xbf\xbf", false},      //
      {"\xf4\x90\x80\x80", false},  // past U+10FFFF
      {"\xf5\x80\x80\x80", false},  //
      {"\xfe", false},              // never a byte of UTF-8
      {"\xff", false},              //
      {"\xc2", false},              // cut short
      {"\xe2\x82", false},          //
      {"\xf0\x90\x80", false},      //
      {"\xc2\x41", false},          // a lead without its continuation
      {"\xe2\x41\x82", false},      //
      {"\xe2\x82\x41", false},      //
      {"\xf0\x90\x80\x41", false},  //
  };
  for (const Case& c : cases) {
    EXPECT_EQ(is_valid_utf8(c.bytes), c.is_valid) << hex_of(c.bytes);
    EXPECT_EQ(is_valid_utf8("ok " + std::string{c.bytes}), c.is_valid) << hex_of(c.bytes);
  }
}

}  // namespace
}  // namespace dispatcher
