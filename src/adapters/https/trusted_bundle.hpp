// A file of trusted certificates of which each is parsed when a chain first asks for it. A system's
// bundle has some 145, parsing all of them takes longer than all else that a short run does, and a
// run needs two or three.
#pragma once

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace dispatcher {

// Belongs to one thread, like the context whose store asks it.
class TrustedBundle {
 public:
  // Null when the file cannot be read, or holds anything but certificates in plain PEM form: then
  // OpenSSL's own loader is to be asked.
  [[nodiscard]] static std::unique_ptr<TrustedBundle> read(const std::string& path);

  // From now on the store finds these certificates as if they were in it. The bundle outlives it.
  // False: it could not be done.
  [[nodiscard]] bool serve(X509_STORE* store);

  // Puts into the store what has the name of a certificate that is there already: OpenSSL looks for
  // no other of that name, so one that has expired, or has another key, would hide the bundle's.
  void add_namesakes(X509_STORE* store);

  [[nodiscard]] std::size_t size() const { return size_; }
  // How many have been parsed.
  [[nodiscard]] std::size_t parsed() const { return parsed_; }

 private:
  struct FreeMethod {
    void operator()(X509_LOOKUP_METHOD* method) const { X509_LOOKUP_meth_free(method); }
  };
  using Der = std::vector<unsigned char>;

  TrustedBundle() = default;
  static int find(X509_LOOKUP* lookup, X509_LOOKUP_TYPE type, const X509_NAME* name,
                  X509_OBJECT* found);
  [[nodiscard]] bool add(Der certificate);
  void parse_all_of(unsigned long name_hash, X509_STORE* store);

  // By the hash of the subject's name; of those with one hash all are parsed at once.
  std::unordered_map<unsigned long, std::vector<Der>> unparsed_;
  std::unique_ptr<X509_LOOKUP_METHOD, FreeMethod> method_;
  std::size_t size_ = 0;
  std::size_t parsed_ = 0;
};

}  // namespace dispatcher
