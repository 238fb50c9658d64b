#include "engine/intake.hpp"

namespace dispatcher {

boost::asio::awaitable<Result<AppendAnswer>> Intake::accept(
    std::vector<IncomingEvent> incoming, std::optional<Idempotency> idempotency) {
  const WallTime now = clock_.wall();
  AppendRequest request;
  request.idempotency = std::move(idempotency);
  request.events.reserve(incoming.size());
  for (IncomingEvent& one : incoming) {
    Event event;
    event.id = make_uuid_v7(now, random_.next(), random_.next());
    event.type = std::move(one.type);
    event.source = std::move(one.source);
    event.payload = std::move(one.payload);
    event.created_at = now;
    request.events.push_back(std::move(event));
  }
  auto answer = co_await store_.append(std::move(request));
  if (answer && !answer->is_replay) {
    metrics_.add(Metric::events_ingested, static_cast<std::int64_t>(answer->events.size()));
  }
  co_return answer;
}

}  // namespace dispatcher
