#include "adapters/https/resolver.hpp"

#include "base/check.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/intrusive/list.hpp>

#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace dispatcher {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::steady_clock;

// Once one family has answered the other gets this long: a name server that drops the questions of
// one family must not hold up the other (RFC 8305, section 3).
constexpr std::chrono::milliseconds kSecondFamilyDelay{250};
// Beyond it an answer is cut; who connects tries fewer still.
constexpr std::size_t kMaxAddresses = 256;

// c-ares counts how often it was initialised, and is itself not safe to initialise from two threads
// at once; a local static is.
bool initialise_library() {
  static const bool is_ready = ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS;
  return is_ready;
}

std::string error_text(int status) {
  switch (status) {
    case ARES_ENOTFOUND: return "the name does not exist";
    case ARES_ENODATA: return "the name has no address";
    case ARES_ETIMEOUT: return "the name server does not answer";
    case ARES_ECONNREFUSED: return "the name server cannot be reached";
    case ARES_ESERVFAIL: return "the name server failed";
    case ARES_EREFUSED: return "the name server refused to answer";
    case ARES_EBADRESP: return "the name server's answer is malformed";
    case ARES_EBADNAME: return "not a host name";
    default: return ares_strerror(status);
  }
}

// RFC 6761, section 6.3: always loopback, never asked for. c-ares knows this too, but loses memory
// each time.
bool is_localhost(std::string_view name) {
  if (name.ends_with('.')) {
    name.remove_suffix(1);
  }
  return name == "localhost" || name.ends_with(".localhost");
}

Lookup loopback() {
  return {{*parse_ip_address("127.0.0.1"), *parse_ip_address("::1")}, {}};
}

std::vector<IpAddress> addresses_of(const ares_addrinfo* result) {
  std::vector<IpAddress> addresses;
  for (const ares_addrinfo_node* node = result->nodes;
       node != nullptr && addresses.size() < kMaxAddresses; node = node->ai_next) {
    IpAddress address;
    if (node->ai_family == AF_INET) {
      const auto* v4 = reinterpret_cast<const sockaddr_in*>(node->ai_addr);
      std::memcpy(address.bytes.data(), &v4->sin_addr, 4);
    } else if (node->ai_family == AF_INET6) {
      const auto* v6 = reinterpret_cast<const sockaddr_in6*>(node->ai_addr);
      address.is_v6 = true;
      std::memcpy(address.bytes.data(), &v6->sin6_addr, 16);
    } else {
      continue;
    }
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) {
      addresses.push_back(address);
    }
  }
  return addresses;
}

std::string joined(const std::vector<std::string>& servers) {
  std::string list;
  for (const std::string& server : servers) {
    list += (list.empty() ? "" : ",") + server;
  }
  return list;
}

}  // namespace

struct Resolver::Waiter
    : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
  explicit Waiter(const asio::any_io_executor& loop)
      : wake(loop, steady_clock::time_point::max()) {}

  asio::steady_timer wake;  // never due: only its end is waited for
  bool is_done = false;
  Lookup lookup;
};

struct Resolver::Query {
  // One family's question, as c-ares gets it back.
  struct Part {
    Query* query = nullptr;
    bool is_v6 = false;
    bool is_done = false;
    int status = ARES_SUCCESS;
    std::vector<IpAddress> addresses;
  };

  Query(Resolver& owner, std::string asked)
      : resolver(owner), name(std::move(asked)), retry(owner.loop_), second_family(owner.loop_) {
    v4.query = v6.query = this;
    v6.is_v6 = true;
  }

  [[nodiscard]] bool is_answered() const { return v4.is_done && v6.is_done; }

  Resolver& resolver;
  std::string name;
  std::uint64_t number = 0;
  Part v4;
  Part v6;
  bool is_published = false;
  asio::steady_timer retry;  // when c-ares wants to be called again
  asio::steady_timer second_family;
  boost::intrusive::list<Waiter, boost::intrusive::constant_time_size<false>> waiters;
  // Its own: what a server does with one question, c-ares lays at the door of all that are under
  // way in the channel. Last, as ending it calls back.
  ChannelPtr channel;
};

struct Resolver::Socket {
  Socket(Query& asking, ares_socket_t fd) : query(asking), descriptor(asking.resolver.loop_, fd) {}

  Query& query;  // there while it is not closed
  asio::posix::stream_descriptor descriptor;
  bool is_closed = false;
  bool wants_read = false;
  bool wants_write = false;
  bool awaits_read = false;
  bool awaits_write = false;
};

Resolver::Resolver(asio::any_io_executor loop, ResolverSettings settings)
    : loop_(std::move(loop)), settings_(std::move(settings)) {
  DISPATCHER_CHECK(initialise_library());
}

Resolver::~Resolver() {
  queries_.clear();  // calls back for what is under way
}

asio::awaitable<Lookup> Resolver::resolve(std::string name, Watch* watch) {
  if (is_localhost(name)) {
    co_return loopback();
  }
  // The caller holds the resolver for as long as this runs.
  Waiter waiter{loop_};
  if (!ask(name, waiter)) {
    co_return Lookup{{}, "the resolver cannot be set up (is resolv.conf readable?)"};
  }
  if (!waiter.is_done && watch->stop == Stop::none) {
    const Waiting waiting{*watch, waiter.wake};
    co_await waiter.wake.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  co_return std::move(waiter.lookup);
}

// False when there is no channel to ask by. The answer may be there at once.
bool Resolver::ask(const std::string& name, Waiter& waiter) {
  if (const auto found = unpublished_.find(name); found != unpublished_.end()) {
    found->second->waiters.push_back(waiter);
    return true;
  }
  forget_finished();
  Query& query = queries_.emplace_back(*this, name);
  if (!open_channel(query)) {
    queries_.pop_back();
    return false;
  }
  query.number = ++last_number_;
  query.waiters.push_back(waiter);
  unpublished_.emplace(name, &query);
  const auto callback = [](void* argument, int status, int /*timeouts*/, ares_addrinfo* result) {
    auto* part = static_cast<Query::Part*>(argument);
    part->query->resolver.answered(*part->query, part->is_v6, status, result);
  };
  ares_addrinfo_hints hints{};
  hints.ai_flags = ARES_AI_NOSORT;  // sorting would open sockets to the addresses
  hints.ai_family = AF_INET;
  ares_getaddrinfo(query.channel.get(), query.name.c_str(), nullptr, &hints, callback, &query.v4);
  hints.ai_family = AF_INET6;
  ares_getaddrinfo(query.channel.get(), query.name.c_str(), nullptr, &hints, callback, &query.v6);
  arm_retry(query);
  return true;
}

bool Resolver::open_channel(Query& query) {
  ares_options options{};
  options.timeout = static_cast<int>(settings_.timeout.count());
  options.tries = settings_.tries;
  std::string lookups = "fb";  // the hosts file, then DNS
  options.lookups = lookups.data();
  options.sock_state_cb_data = &query;
  options.sock_state_cb = [](void* argument, ares_socket_t fd, int readable, int writable) {
    auto* asking = static_cast<Query*>(argument);
    asking->resolver.socket_state(*asking, fd, readable != 0, writable != 0);
  };
  ares_channel opened = nullptr;
  const int status = ares_init_options(
      &opened, &options,
      ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB);
  if (status != ARES_SUCCESS) {
    return false;
  }
  ChannelPtr channel{opened};
  if (!settings_.servers.empty() &&
      ares_set_servers_ports_csv(opened, joined(settings_.servers).c_str()) != ARES_SUCCESS) {
    return false;
  }
  query.channel = std::move(channel);
  return true;
}

// c-ares says which of its sockets it wants to hear of; neither any more: it is about to close it.
void Resolver::socket_state(Query& query, ares_socket_t fd, bool wants_read, bool wants_write) {
  auto& socket = sockets_[fd];
  if (!wants_read && !wants_write) {
    if (socket) {
      socket->is_closed = true;
      socket->descriptor.release();
    }
    sockets_.erase(fd);
    return;
  }
  if (!socket) {
    socket = std::make_shared<Socket>(query, fd);
  }
  socket->wants_read = wants_read;
  socket->wants_write = wants_write;
  const auto held = socket;
  await(held, false);
  await(held, true);
}

void Resolver::await(const std::shared_ptr<Socket>& socket, bool is_write) {
  bool& awaits = is_write ? socket->awaits_write : socket->awaits_read;
  const bool wants = is_write ? socket->wants_write : socket->wants_read;
  if (socket->is_closed || awaits || !wants) {
    return;
  }
  awaits = true;
  using Descriptor = asio::posix::descriptor_base;
  socket->descriptor.async_wait(is_write ? Descriptor::wait_write : Descriptor::wait_read,
                                [weak = weak_from_this(), socket, is_write](error_code error) {
                                  (is_write ? socket->awaits_write : socket->awaits_read) = false;
                                  const auto self = weak.lock();
                                  if (!self || error || socket->is_closed) {
                                    return;
                                  }
                                  Query& query = socket->query;
                                  const ares_socket_t fd = socket->descriptor.native_handle();
                                  ares_process_fd(query.channel.get(),
                                                  is_write ? ARES_SOCKET_BAD : fd,
                                                  is_write ? fd : ARES_SOCKET_BAD);
                                  self->await(socket, is_write);
                                  self->arm_retry(query);
                                  self->forget_finished();
                                });
}

void Resolver::arm_retry(Query& query) {
  timeval left{};
  if (ares_timeout(query.channel.get(), nullptr, &left) == nullptr) {
    query.retry.cancel();
    return;
  }
  query.retry.expires_after(std::chrono::seconds{left.tv_sec} +
                            std::chrono::microseconds{left.tv_usec});
  query.retry.async_wait([weak = weak_from_this(), number = query.number](error_code error) {
    const auto self = weak.lock();
    Query* waiting = self && !error ? self->find(number) : nullptr;
    if (waiting != nullptr) {
      ares_process_fd(waiting->channel.get(), ARES_SOCKET_BAD, ARES_SOCKET_BAD);
      self->arm_retry(*waiting);
      self->forget_finished();
    }
  });
}

// Null when it is gone by now: its timers' handlers can be in the loop's queue when it goes.
Resolver::Query* Resolver::find(std::uint64_t number) {
  const auto found = std::find_if(queries_.begin(), queries_.end(),
                                  [number](const Query& query) { return query.number == number; });
  return found == queries_.end() ? nullptr : &*found;
}

// Called by c-ares, at any time within a call of it.
void Resolver::answered(Query& query, bool is_v6, int status, ares_addrinfo* result) {
  Query::Part& part = is_v6 ? query.v6 : query.v4;
  part.is_done = true;
  part.status = status;
  if (result != nullptr) {
    part.addresses = addresses_of(result);
    ares_freeaddrinfo(result);
  }
  if (query.is_answered()) {
    publish(query);
  } else if (!part.addresses.empty()) {
    query.second_family.expires_after(kSecondFamilyDelay);
    query.second_family.async_wait([weak = weak_from_this(), number = query.number](error_code) {
      const auto self = weak.lock();
      Query* waiting = self ? self->find(number) : nullptr;
      if (waiting != nullptr) {
        self->publish(*waiting);
      }
    });
  }
}

// Wakes those who wait; the query itself stays until c-ares is done with it.
void Resolver::publish(Query& query) {
  if (query.is_published) {
    return;
  }
  query.is_published = true;
  unpublished_.erase(query.name);
  Lookup lookup;
  const std::size_t longest = std::max(query.v4.addresses.size(), query.v6.addresses.size());
  for (std::size_t i = 0; i < longest; ++i) {
    for (const Query::Part* part : {&query.v4, &query.v6}) {
      if (i < part->addresses.size()) {
        lookup.addresses.push_back(part->addresses[i]);
      }
    }
  }
  if (lookup.addresses.empty()) {
    // A name without IPv6 addresses says nothing about why there are no IPv4 ones.
    lookup.error = error_text(query.v4.status != ARES_SUCCESS ? query.v4.status : query.v6.status);
  }
  while (!query.waiters.empty()) {
    Waiter& waiter = query.waiters.front();
    waiter.unlink();
    waiter.is_done = true;
    waiter.lookup = lookup;
    waiter.wake.cancel();
  }
}

void Resolver::forget_finished() {
  queries_.remove_if([](const Query& query) { return query.is_answered() && query.is_published; });
}

void Resolver::cancel() {
  for (Query& query : queries_) {
    ares_cancel(query.channel.get());
  }
  forget_finished();
}

}  // namespace dispatcher
