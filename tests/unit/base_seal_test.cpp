// Promise: what is sealed is read by nobody without its key, opens under every key of the ring, for
// its owner alone, and not at all once a bit of it has changed.
#include "base/seal.hpp"

#include "base/bytes.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace dispatcher {
namespace {

constexpr std::string_view kSecretUrl = "https://hooks.example.com/T0/credential";

std::string key_of(char byte) {
  return to_base64(std::string(kSealKeyBytes, byte));
}

KeyRing ring_of(const std::vector<std::string>& keys) {
  return *KeyRing::make(keys);
}

SealNonce nonce_of(std::uint8_t first) {
  SealNonce nonce{};
  nonce.front() = first;
  return nonce;
}

TEST(Seal, what_is_sealed_opens_again) {
  const KeyRing ring = ring_of({key_of('a')});
  for (const std::string& text : {std::string{kSecretUrl}, std::string{}, std::string(5000, 'x'),
                                  std::string{"\0binary\xff", 8}}) {
    const auto opened = ring.open(ring.seal(text, "ep_1", nonce_of(1)), "ep_1");
    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ(opened->text, text);
    EXPECT_TRUE(opened->is_under_first_key);
  }
}

TEST(Seal, the_sealed_text_shows_nothing_of_the_text_or_the_key) {
  const std::string sealed = ring_of({key_of('a')}).seal(kSecretUrl, "ep_1", nonce_of(1));
  const std::string bytes = *from_base64url(sealed);
  EXPECT_EQ(bytes.find("credential"), std::string::npos);
  EXPECT_EQ(bytes.find("aaaa"), std::string::npos);
}

TEST(Seal, another_nonce_makes_another_text_of_the_same) {
  const KeyRing ring = ring_of({key_of('a')});
  const std::string first = *from_base64url(ring.seal(kSecretUrl, "ep_1", nonce_of(1)));
  const std::string second = *from_base64url(ring.seal(kSecretUrl, "ep_1", nonce_of(2)));
  EXPECT_NE(first.substr(first.size() - 40), second.substr(second.size() - 40));
}

TEST(Seal, a_change_of_any_bit_is_noticed) {
  const KeyRing ring = ring_of({key_of('a')});
  const std::string sealed = *from_base64url(ring.seal(kSecretUrl, "ep_1", nonce_of(1)));
  for (std::size_t i = 0; i < sealed.size() * 8; ++i) {
    std::string altered = sealed;
    altered[i / 8] = static_cast<char>(altered[i / 8] ^ (1 << i % 8));
    EXPECT_FALSE(ring.open(to_base64url(altered), "ep_1").has_value()) << "bit " << i;
  }
}

TEST(Seal, a_text_cut_short_or_made_longer_is_refused) {
  const KeyRing ring = ring_of({key_of('a')});
  const std::string sealed = *from_base64url(ring.seal(kSecretUrl, "ep_1", nonce_of(1)));
  for (std::size_t length = 0; length < sealed.size(); ++length) {
    const auto opened = ring.open(to_base64url(sealed.substr(0, length)), "ep_1");
    ASSERT_FALSE(opened.has_value()) << length;
    EXPECT_EQ(opened.error().kind, ErrorKind::invalid);
  }
  EXPECT_FALSE(ring.open(to_base64url(sealed + "x"), "ep_1").has_value());
  EXPECT_FALSE(ring.open("not base64url!", "ep_1").has_value());
}

TEST(Seal, it_opens_for_its_owner_alone) {
  const KeyRing ring = ring_of({key_of('a')});
  const std::string sealed = ring.seal(kSecretUrl, "ep_1", nonce_of(1));
  const auto opened = ring.open(sealed, "ep_2");
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().kind, ErrorKind::invalid);
  EXPECT_FALSE(ring.open(sealed, "").has_value());
}

TEST(Seal, an_older_key_still_opens_and_says_that_it_is_older) {
  const std::string sealed = ring_of({key_of('a')}).seal(kSecretUrl, "ep_1", nonce_of(1));
  const KeyRing rotated = ring_of({key_of('b'), key_of('a')});
  const auto opened = rotated.open(sealed, "ep_1");
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(opened->text, kSecretUrl);
  EXPECT_FALSE(opened->is_under_first_key);
  // What the new ring seals, the old one cannot read.
  const std::string anew = rotated.seal(opened->text, "ep_1", nonce_of(2));
  EXPECT_TRUE(rotated.open(anew, "ep_1")->is_under_first_key);
  EXPECT_FALSE(ring_of({key_of('a')}).open(anew, "ep_1").has_value());
}

TEST(Seal, a_key_that_is_not_there_is_told_apart_from_a_text_that_was_altered) {
  const std::string sealed = ring_of({key_of('a')}).seal(kSecretUrl, "ep_1", nonce_of(1));
  for (const KeyRing& ring : {ring_of({key_of('b')}), KeyRing{}}) {
    const auto opened = ring.open(sealed, "ep_1");
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().kind, ErrorKind::not_found);
    EXPECT_EQ(opened.error().message.find("credential"), std::string::npos);
  }
  EXPECT_FALSE(KeyRing{}.can_seal());
}

TEST(Seal, a_bad_key_is_named_by_its_place_not_by_its_value) {
  for (const std::string& bad : {std::string{"c2hvcnQ="}, std::string{"!!"}, std::string{}}) {
    const auto ring = KeyRing::make(std::vector{key_of('a'), bad});
    ASSERT_FALSE(ring.has_value());
    EXPECT_EQ(ring.error().message, "encryption_keys: entry 2 is not 32 bytes in base64");
  }
}

}  // namespace
}  // namespace dispatcher
