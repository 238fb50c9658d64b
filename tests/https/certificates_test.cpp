// Checks that a receiver's certificate must be trusted, valid, strong and for its name, and that
// the certificates made here are.
#include "https/world.hpp"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <sys/stat.h>

namespace dispatcher::test {
namespace {

std::string outcome_with(const ServerTls& tls, std::vector<std::string> trusted) {
  Imposter imposter{always_tls(std::string{kOk}), &tls};
  HttpsOptions options = local_options();
  options.ca_files = std::move(trusted);
  return outcome(World{options}.send(post(https_url(imposter))));
}

ServerTls certificate(const std::string& directory, WallTime now, std::vector<std::string> names) {
  const auto files = make_certificate(directory, now, names);
  EXPECT_TRUE(files.has_value());
  ServerTls tls;
  tls.certificate = files->certificate;
  tls.key = files->key;
  return tls;
}

TEST(https_certificates, a_certificate_that_does_not_fit_is_named) {
  const TempDirectory directory;
  const WallTime now = SteadyClock{}.wall();
  const ServerTls old = certificate(directory.path() + "/old", now - std::chrono::days{400},
                                    {"localhost", "127.0.0.1"});
  const ServerTls early = certificate(directory.path() + "/early", now + std::chrono::days{10},
                                      {"localhost", "127.0.0.1"});
  const ServerTls other = certificate(directory.path() + "/other", now, {"other.example"});
  EXPECT_EQ(outcome_with(old, {old.certificate}), "tls: the certificate has expired");
  EXPECT_EQ(outcome_with(early, {early.certificate}), "tls: the certificate is not valid yet");
  EXPECT_EQ(outcome_with(other, {other.certificate}),
            "tls: the certificate is for another address");
  EXPECT_EQ(outcome_with(local_tls(), {}),
            "tls: the certificate is self-signed and not trusted (CA_FILE can add it)");
  EXPECT_EQ(outcome_with(local_tls(), {other.certificate, local_tls().certificate}), "status 200");
}

// Self-signed with a key of 1,024 bits.
ServerTls weak_certificate(const std::string& directory) {
  const std::unique_ptr<EVP_PKEY, FreedBy<EVP_PKEY_free>> key{EVP_RSA_gen(1024)};
  const std::unique_ptr<X509, FreedBy<X509_free>> made{X509_new()};
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
  X509_set_pubkey(made.get(), key.get());
  X509_sign(made.get(), key.get(), EVP_sha256());
  ServerTls tls;
  tls.certificate = directory + "/weak-cert.pem";
  tls.key = directory + "/weak-key.pem";
  tls.security_level = 0;
  const std::unique_ptr<BIO, FreedBy<BIO_free_all>> out{BIO_new_file(tls.certificate.c_str(), "w")};
  PEM_write_bio_X509(out.get(), made.get());
  const std::unique_ptr<BIO, FreedBy<BIO_free_all>> secret{BIO_new_file(tls.key.c_str(), "w")};
  PEM_write_bio_PrivateKey(secret.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return tls;
}

TEST(https_certificates, a_weak_certificate_is_refused) {
  const TempDirectory directory;
  const ServerTls weak = weak_certificate(directory.path());
  EXPECT_EQ(outcome_with(weak, {weak.certificate}),
            "tls: the certificate's key or signature is too weak");
}

TEST(https_certificates, a_certificate_for_another_name_is_refused) {
  const TempDirectory directory;
  const ServerTls other =
      certificate(directory.path(), SteadyClock{}.wall(), {"other.example", "127.0.0.1"});
  Imposter imposter{always_tls(std::string{kOk}), &other};
  HttpsOptions options = local_options();
  options.ca_files = {other.certificate};
  World world{options};
  EXPECT_EQ(outcome(world.send(post(https_url(imposter, "localhost")))),
            "tls: the certificate is for another host name");
  EXPECT_EQ(outcome(world.send(post(https_url(imposter)))), "status 200");
}

TEST(https_certificates, a_file_without_certificates_is_named) {
  SteadyClock clock;
  boost::asio::io_context loop;
  HttpsOptions options = local_options();
  options.ca_files = {"/nonexistent/ca.pem"};
  const auto client = HttpsClient::make(loop.get_executor(), clock, options);
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().kind, ErrorKind::invalid);
  EXPECT_NE(client.error().message.find("/nonexistent/ca.pem"), std::string::npos);
}

// -- the certificate maker

TEST(https_certificates, it_is_kept_while_it_fits) {
  const TempDirectory directory;
  const WallTime now = SteadyClock{}.wall();
  const auto fingerprint = [&directory] {
    std::string bytes(4096, '\0');
    FILE* file = std::fopen((directory.path() + "/new/cert.pem").c_str(), "r");
    bytes.resize(file != nullptr ? std::fread(bytes.data(), 1, bytes.size(), file) : 0);
    if (file != nullptr) {
      std::fclose(file);
    }
    return bytes;
  };
  const std::string path = directory.path() + "/new";
  ASSERT_TRUE(make_certificate(path, now));
  struct stat key {};
  ASSERT_EQ(::stat((path + "/key.pem").c_str(), &key), 0);
  EXPECT_EQ(key.st_mode & 0777U, 0600U);
  const std::string first = fingerprint();
  ASSERT_FALSE(first.empty());
  ASSERT_TRUE(make_certificate(path, now + std::chrono::days{300}));
  EXPECT_EQ(fingerprint(), first);
  ASSERT_TRUE(make_certificate(path, now + std::chrono::days{365}));
  EXPECT_NE(fingerprint(), first);
  const std::string second = fingerprint();
  ASSERT_TRUE(make_certificate(path, now + std::chrono::days{365}, {"other.example"}));
  EXPECT_NE(fingerprint(), second);
  EXPECT_FALSE(make_certificate(path, now, {"a,DNS:evil.example"}));
}

}  // namespace
}  // namespace dispatcher::test
