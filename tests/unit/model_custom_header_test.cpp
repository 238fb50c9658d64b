// Promise: an endpoint's own headers can neither break a request's framing nor stand for what the
// dispatcher signs.
#include "model/custom_header.hpp"

#include <gtest/gtest.h>

#include <string>

namespace dispatcher {
namespace {

TEST(CustomHeader, what_frames_addresses_or_signs_a_request_is_refused_in_any_case) {
  for (const std::string name :
       {"Host", "host", "HOST", "Content-Length", "transfer-encoding", "Connection", "webhook-id",
        "Webhook-Signature", "WEBHOOK-anything", "X-Webhook-Signature", "Expect", "Upgrade", "TE",
        "Trailer", "Keep-Alive", "Content-Type", "User-Agent", "Proxy-Connection",
        "HTTP2-Settings"}) {
    EXPECT_TRUE(fault_of_header_name(name)) << name;
  }
}

TEST(CustomHeader, other_tokens_are_taken) {
  for (const std::string name : {"Authorization", "X-Key", "x_key", "Accept", "webhook",
                                 "x-webhook-id", "!#$%&'*+-.^_`|~", "9"}) {
    EXPECT_FALSE(fault_of_header_name(name)) << name;
  }
}

TEST(CustomHeader, what_is_no_token_is_refused) {
  for (const std::string& name :
       {std::string{}, std::string{"X Key"}, std::string{"X-Key:"}, std::string{"X\r\nY"},
        std::string{"X\0Y", 3}, std::string{"Schl\xC3\xBCssel"}, std::string{"(x)"},
        std::string(129, 'x')}) {
    EXPECT_TRUE(fault_of_header_name(name)) << name;
  }
}

TEST(CustomHeader, a_value_has_no_line_ends_and_no_control_characters) {
  for (const std::string& value :
       {std::string{}, std::string{"Bearer a.b=="}, std::string{"a\tb c"}, std::string{"größer"}}) {
    EXPECT_FALSE(fault_of_header_value(value)) << value;
  }
  for (const std::string& value :
       {std::string{"a\r\nX: y"}, std::string{"a\nb"}, std::string{"a\rb"}, std::string{"a\0b", 3},
        std::string{"\x7F"}, std::string{"\x1B[0m"}, std::string(4097, 'x')}) {
    EXPECT_TRUE(fault_of_header_value(value)) << value;
  }
}

TEST(CustomHeader, a_value_has_no_blank_at_its_ends) {
  for (const std::string value : {" a", "a ", "\ta", "a\t", " ", "  a  "}) {
    EXPECT_TRUE(fault_of_header_value(value)) << value;
  }
}

}  // namespace
}  // namespace dispatcher
