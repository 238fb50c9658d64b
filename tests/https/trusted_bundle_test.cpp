// Checks that certificates which are parsed when they are needed are trusted exactly as those that
// OpenSSL loads at once: a bundle's are, others are not, and nothing is trusted for its name alone.
#include "adapters/https/trusted_bundle.hpp"

#include "https/authority.hpp"
#include "https/world.hpp"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <stdlib.h>

#include <fstream>
#include <sstream>

namespace dispatcher::test {
namespace {

using StorePtr = std::unique_ptr<X509_STORE, FreedBy<X509_STORE_free>>;
using ContextPtr = std::unique_ptr<X509_STORE_CTX, FreedBy<X509_STORE_CTX_free>>;

constexpr const char* kSystemBundle = "/etc/ssl/certs/ca-certificates.crt";

std::string content_of(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream{path}.rdbuf();
  return content.str();
}

std::string file_with(const TempDirectory& directory, const std::string& content) {
  const std::string path = directory.path() + "/bundle.pem";
  std::ofstream{path} << content;
  return path;
}

std::string certificate(const TempDirectory& directory, const std::string& name) {
  return content_of(
      make_certificate(directory.path() + "/" + name, SteadyClock{}.wall(), {name})->certificate);
}

// The system's bundle for the time of a test.
class Bundle {
 public:
  explicit Bundle(const std::string& path) {
    (void)local_tls();  // sets another
    before_ = ::getenv("SSL_CERT_FILE");
    ::setenv("SSL_CERT_FILE", path.c_str(), 1);
  }
  ~Bundle() { ::setenv("SSL_CERT_FILE", before_.c_str(), 1); }
  Bundle(const Bundle&) = delete;
  Bundle& operator=(const Bundle&) = delete;

 private:
  std::string before_;
};

// With the bundle as all that is trusted.
std::string outcome_with(const std::string& bundle) {
  const Bundle set{bundle};
  Imposter imposter{always_tls("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), &local_tls()};
  HttpsOptions options = local_options();
  options.ca_files.clear();
  return outcome(World{options}.send(post(https_url(imposter))));
}

int verification(X509_STORE* store, X509* certificate) {
  const ContextPtr context{X509_STORE_CTX_new()};
  X509_STORE_CTX_init(context.get(), store, certificate, nullptr);
  X509_verify_cert(context.get());
  return X509_STORE_CTX_get_error(context.get());
}

TEST(https_trusted_bundle, what_is_in_it_is_trusted_and_what_is_not_is_not) {
  const TempDirectory directory;
  const std::string others =
      certificate(directory, "a.example") + certificate(directory, "b.example");
  const std::string ours = content_of(local_tls().certificate);
  EXPECT_EQ(outcome_with(file_with(directory, "a comment\n" + others + ours)), "status 200");
  EXPECT_EQ(outcome_with(file_with(directory, ours + others)), "status 200");
  EXPECT_EQ(outcome_with(file_with(directory, others)),
            "tls: the certificate is self-signed and not trusted (CA_FILE can add it)");
}

TEST(https_trusted_bundle, a_name_that_is_trusted_vouches_for_no_other_key) {
  const TempDirectory directory;
  const TempDirectory elsewhere;
  // The same names as the server's certificate has, and another key.
  const auto same = make_certificate(elsewhere.path(), SteadyClock{}.wall());
  EXPECT_EQ(outcome_with(file_with(directory, content_of(same->certificate))),
            "tls: the certificate is self-signed and not trusted (CA_FILE can add it)");
  // Both are there: the right one is found.
  EXPECT_EQ(outcome_with(file_with(
                directory, content_of(same->certificate) + content_of(local_tls().certificate))),
            "status 200");
}

TEST(https_trusted_bundle, only_what_is_asked_for_is_parsed) {
  const TempDirectory directory;
  const std::string ours = content_of(local_tls().certificate);
  const auto bundle = TrustedBundle::read(file_with(
      directory, certificate(directory, "a.example") + ours + certificate(directory, "b.example")));
  ASSERT_TRUE(bundle);
  EXPECT_EQ(bundle->size(), 3U);
  const StorePtr store{X509_STORE_new()};
  ASSERT_TRUE(bundle->serve(store.get()));
  EXPECT_EQ(bundle->parsed(), 0U);
  const std::unique_ptr<BIO, FreedBy<BIO_free_all>> file{
      BIO_new_file(local_tls().certificate.c_str(), "r")};
  const std::unique_ptr<X509, FreedBy<X509_free>> parsed{
      PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr)};
  for (int again = 0; again < 3; ++again) {
    EXPECT_EQ(verification(store.get(), parsed.get()), X509_V_OK);
  }
  EXPECT_LT(bundle->parsed(), 3U);
}

TEST(https_trusted_bundle, a_ca_file_of_the_same_name_hides_no_certificate_of_the_system) {
  const TempDirectory systems;
  const TempDirectory added;
  const Issued root{authority_spec("one root")};
  CertificateSpec same = authority_spec("one root");
  const Issued other_key{same};
  same.until = std::chrono::seconds{-1};
  const Issued expired{same};
  const Issued server{CertificateSpec{}, &root};
  const ServerTls tls = server.write_to(systems.path());
  const Bundle set{root.write_to(systems.path()).certificate};
  Imposter imposter{always_tls("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), &tls};
  for (const Issued* namesake : {&other_key, &expired}) {
    HttpsOptions options = local_options();
    options.ca_files = {namesake->write_to(added.path()).certificate};
    EXPECT_EQ(outcome(World{options}.send(post(https_url(imposter)))), "status 200");
  }
}

TEST(https_trusted_bundle, a_file_of_another_form_is_left_to_openssl) {
  const TempDirectory directory;
  const std::string ours = content_of(local_tls().certificate);
  EXPECT_FALSE(TrustedBundle::read("/nonexistent"));
  EXPECT_FALSE(TrustedBundle::read(file_with(directory, "")));
  EXPECT_FALSE(TrustedBundle::read(file_with(directory, ours.substr(0, ours.size() / 2))));
  EXPECT_FALSE(TrustedBundle::read(
      file_with(directory, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")));
  EXPECT_FALSE(TrustedBundle::read(
      file_with(directory, ours + "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n")));
  EXPECT_FALSE(TrustedBundle::read(
      file_with(directory, "-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n")));
}

TEST(https_trusted_bundle, the_systems_certificates_are_judged_as_openssl_judges_them) {
  const auto bundle = TrustedBundle::read(kSystemBundle);
  if (!bundle) {
    GTEST_SKIP() << "there is no " << kSystemBundle;
  }
  const StorePtr lazy{X509_STORE_new()};
  const StorePtr eager{X509_STORE_new()};
  ASSERT_TRUE(bundle->serve(lazy.get()));
  ASSERT_EQ(X509_STORE_load_file(eager.get(), kSystemBundle), 1);
  const STACK_OF(X509_OBJECT)* all = X509_STORE_get0_objects(eager.get());
  ASSERT_EQ(static_cast<std::size_t>(sk_X509_OBJECT_num(all)), bundle->size());
  for (int i = 0; i < sk_X509_OBJECT_num(all); ++i) {
    X509* one = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));
    EXPECT_EQ(verification(lazy.get(), one), verification(eager.get(), one)) << i;
  }
}

TEST(https_trusted_bundle, clients_that_share_certificates_do_not_share_their_end) {
  Imposter imposter{always_tls("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), &local_tls()};
  World world;
  auto sibling = world.client->sibling();
  world.client->abort();
  EXPECT_EQ(outcome(world.send(post(https_url(imposter)))).substr(0, 7), "aborted");
  world.client = std::move(sibling);
  EXPECT_EQ(outcome(world.send(post(https_url(imposter)))), "status 200");
}

TEST(https_trusted_bundle, a_client_without_certificates_trusts_nobody) {
  Imposter imposter{always_tls("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), &local_tls()};
  World world;
  world.client = HttpsClient::make_plain(world.loop.get_executor(), world.clock);
  HttpRequest request = post(https_url(imposter));
  request.is_webhook = false;  // it allows no loopback targets
  EXPECT_NE(outcome(world.send(request)).find("no trusted certificates"), std::string::npos);
}

}  // namespace
}  // namespace dispatcher::test
