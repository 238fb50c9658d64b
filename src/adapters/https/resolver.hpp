// Names to addresses, by c-ares on the loop: nothing blocks it, and a name server that does not
// answer stalls only those who ask for its names.
#pragma once

#include "adapters/https/address_rules.hpp"
#include "adapters/https/deadlines.hpp"
#include "adapters/https/https_client.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <ares.h>

#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace dispatcher {

struct Lookup {
  // IPv4 and IPv6 by turns, beginning with IPv4, without duplicates, in the servers' order.
  std::vector<IpAddress> addresses;
  std::string error;  // why there are none
};

// Shared with handlers in the loop's queue, which may outlive the client.
class Resolver : public std::enable_shared_from_this<Resolver> {
 public:
  Resolver(boost::asio::any_io_executor loop, ResolverSettings settings);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // /etc/hosts first, then DNS, as resolv.conf says. Those who ask for the same name at the same
  // time share the look-up. Ends early, with neither addresses nor error, when the watch is
  // stopped.
  [[nodiscard]] boost::asio::awaitable<Lookup> resolve(std::string name, Watch* watch);

  // Gives up what is under way.
  void cancel();

 private:
  struct Waiter;
  struct Query;
  struct Socket;
  struct FreeChannel {
    void operator()(ares_channel channel) const { ares_destroy(channel); }
  };
  using ChannelPtr = std::unique_ptr<std::remove_pointer_t<ares_channel>, FreeChannel>;

  bool ask(const std::string& name, Waiter& waiter);
  bool open_channel(Query& query);
  void socket_state(Query& query, ares_socket_t fd, bool wants_read, bool wants_write);
  void await(const std::shared_ptr<Socket>& socket, bool is_write);
  void arm_retry(Query& query);
  Query* find(std::uint64_t number);
  void answered(Query& query, bool is_v6, int status, ares_addrinfo* result);
  void publish(Query& query);
  void forget_finished();

  boost::asio::any_io_executor loop_;
  ResolverSettings settings_;
  std::uint64_t last_number_ = 0;
  std::unordered_map<std::string, Query*> unpublished_;  // that others may join
  std::unordered_map<ares_socket_t, std::shared_ptr<Socket>> sockets_;
  std::list<Query> queries_;  // until c-ares is done with them; last: ending one calls back
};

}  // namespace dispatcher
