// Checks that a certificate counts only when it is one for a server, and all of its chain up to
// what is trusted is valid, strong and an authority's; of the request not a byte is sent otherwise.
#include "https/authority.hpp"
#include "https/world.hpp"

#include <gtest/gtest.h>

#include <atomic>

namespace dispatcher::test {
namespace {

constexpr const char* kNotTrusted =
    "tls: the certificate's issuer is not trusted, or its chain is incomplete";
constexpr const char* kWeak = "tls: the certificate's key or signature is too weak";
constexpr const char* kNotForServers = "tls: the certificate is not one for a server";

class https_chains : public testing::Test {
 protected:
  // What a request comes to whose receiver shows `server`, with only `trusted` trusted.
  std::string outcome_of(const ServerTls& server, const Issued& trusted) {
    std::atomic<int> requests{0};
    std::string result;
    {
      Imposter imposter{[&requests](Peer& peer, int) {
                          peer.handshake();
                          requests += peer.read_request().empty() ? 0 : 1;
                          peer.write(kOk);
                        },
                        &server};
      HttpsOptions options = local_options();
      options.ca_files = {trusted.write_to(directory_.path()).certificate};
      result = outcome(World{options}.send(post(https_url(imposter))));
    }
    EXPECT_EQ(requests, result == "status 200" ? 1 : 0) << result;
    return result;
  }

  std::string outcome_of(const Issued& leaf, const Issued& trusted,
                         const std::vector<const Issued*>& chain = {}) {
    return outcome_of(leaf.write_to(directory_.path(), chain), trusted);
  }

  TempDirectory directory_;
  Issued root_{authority_spec("root")};
};

TEST_F(https_chains, what_a_trusted_authority_signed_is_trusted) {
  EXPECT_EQ(outcome_of(Issued{{}, &root_}, root_), "status 200");
}

TEST_F(https_chains, an_unknown_authority_is_not) {
  const Issued unknown{authority_spec("unknown")};
  EXPECT_EQ(outcome_of(Issued{{}, &unknown}, root_), kNotTrusted);
  // Whose name is that of a trusted one.
  const Issued imitated{authority_spec("root")};
  const std::string result = outcome_of(Issued{{}, &imitated}, root_);
  EXPECT_TRUE(result.starts_with("tls: ")) << result;
}

TEST_F(https_chains, an_intermediate_authority_must_be_sent) {
  const Issued between{authority_spec("between"), &root_};
  const Issued leaf{{}, &between};
  EXPECT_EQ(outcome_of(leaf, root_, {&between}), "status 200");
  EXPECT_EQ(outcome_of(leaf, root_), kNotTrusted);
}

TEST_F(https_chains, what_is_no_authority_cannot_sign) {
  CertificateSpec spec;
  spec.name = "between";
  const Issued server{spec, &root_};
  EXPECT_EQ(outcome_of(Issued{{}, &server}, root_, {&server}),
            "tls: a certificate of the chain may not sign others");
  CertificateSpec without_usage = authority_spec("between");
  without_usage.key_usage = "critical,digitalSignature";
  const Issued unable{without_usage, &root_};
  EXPECT_EQ(outcome_of(Issued{{}, &unable}, root_, {&unable}),
            "tls: a certificate of the chain may not sign others");
}

TEST_F(https_chains, a_certificate_for_something_else_is_refused) {
  CertificateSpec of_a_client;
  of_a_client.extended_key_usage = "clientAuth";
  EXPECT_EQ(outcome_of(Issued{of_a_client, &root_}, root_), kNotForServers);
  CertificateSpec of_a_signer;
  of_a_signer.key_usage = "critical,keyCertSign";
  EXPECT_EQ(outcome_of(Issued{of_a_signer, &root_}, root_), kNotForServers);
}

TEST_F(https_chains, a_weak_key_or_signature_anywhere_in_the_chain_is_refused) {
  CertificateSpec sha1;
  sha1.digest = EVP_sha1();
  EXPECT_EQ(outcome_of(Issued{sha1, &root_}, root_), kWeak);
  CertificateSpec small;
  small.rsa_bits = 1024;
  EXPECT_EQ(outcome_of(Issued{small, &root_}, root_), kWeak);
  CertificateSpec small_authority = authority_spec("between");
  small_authority.rsa_bits = 1024;
  const Issued between{small_authority, &root_};
  EXPECT_EQ(outcome_of(Issued{{}, &between}, root_, {&between}), kWeak);
}

TEST_F(https_chains, every_certificate_of_the_chain_must_be_valid_now) {
  CertificateSpec old = authority_spec("between");
  old.from = std::chrono::hours{-48};
  old.until = std::chrono::hours{-24};
  const Issued expired{old, &root_};
  EXPECT_EQ(outcome_of(Issued{{}, &expired}, root_, {&expired}),
            "tls: the certificate has expired");
  CertificateSpec early = authority_spec("between");
  early.from = std::chrono::hours{24};
  early.until = std::chrono::hours{48};
  const Issued coming{early, &root_};
  EXPECT_EQ(outcome_of(Issued{{}, &coming}, root_, {&coming}),
            "tls: the certificate is not valid yet");
}

}  // namespace
}  // namespace dispatcher::test
