#include "adapters/http_server/wait.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace dispatcher {
namespace {

using boost::asio::as_tuple;
using boost::asio::awaitable;
using boost::asio::use_awaitable;
using Descriptor = boost::asio::posix::descriptor_base;

// One read; its bytes are in the input afterwards.
IoState read_once(ServerConnection& connection) {
  const IoStep step = connection.transport.read(connection.loop.scratch);
  connection.may_hold_more =
      step.state == IoState::done &&
      (step.bytes == connection.loop.scratch.size() || connection.transport.holds_input());
  if (step.state == IoState::done) {
    connection.drop_used_input();
    connection.input.append(connection.loop.scratch.data(), step.bytes);
  }
  return step.state;
}

bool is_waiting_worthwhile(IoState state) {
  return state == IoState::wants_read || state == IoState::wants_write;
}

}  // namespace

awaitable<Wait> wait_for(ServerConnection& connection, IoState wants, MonoTime deadline) {
  if (connection.is_cut) {
    co_return Wait::cut;
  }
  connection.deadline = deadline;
  connection.is_expired = false;
  const auto direction =
      wants == IoState::wants_write ? Descriptor::wait_write : Descriptor::wait_read;
  const auto [error] =
      co_await connection.descriptor.async_wait(direction, as_tuple(use_awaitable));
  connection.deadline = kNever;
  if (connection.is_expired) {
    co_return Wait::expired;
  }
  co_return error || connection.is_cut ? Wait::cut : Wait::ready;
}

awaitable<Fill> fill_input(ServerConnection& connection, MonoTime deadline) {
  IoState state = connection.may_hold_more ? read_once(connection) : IoState::wants_read;
  while (is_waiting_worthwhile(state)) {
    const Wait wait = co_await wait_for(connection, state, deadline);
    if (wait == Wait::expired) {
      co_return Fill::expired;
    }
    if (wait == Wait::cut) {
      // The wait of an idle connection ends when the server stops. A request that came at the same
      // moment is served.
      const bool has_request = !connection.is_cut && read_once(connection) == IoState::done;
      co_return has_request ? Fill::some : Fill::gone;
    }
    state = read_once(connection);
  }
  co_return state == IoState::done ? Fill::some : Fill::gone;
}

awaitable<bool> shake_hands(ServerConnection& connection) {
  const MonoTime deadline = monotonic_now() + connection.loop.shared.limits.handshake_time;
  connection.is_idle = true;  // nothing is asked yet: a stop need not wait
  IoState state = connection.transport.handshake();
  while (is_waiting_worthwhile(state)) {
    const Wait wait = co_await wait_for(connection, state, deadline);
    if (wait != Wait::ready) {
      co_return false;
    }
    state = connection.transport.handshake();
  }
  connection.is_idle = false;
  connection.may_hold_more = connection.transport.holds_input();
  co_return state == IoState::done;
}

}  // namespace dispatcher
