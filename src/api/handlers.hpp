// The handlers of the Triggers API: one for each route of routes.cpp, where it is said what each of
// them does.
//
// Each runs on one of the server's loops, several at once, and never fails: what goes wrong is an
// answer. The context outlives the call.
#pragma once

#include "api/context.hpp"
#include "ports/http_service.hpp"

#include <boost/asio/awaitable.hpp>

namespace dispatcher {

using HandlerResult = boost::asio::awaitable<ServerAnswer>;

// service.cpp
HandlerResult get_root(const ApiContext& context, ApiRequest request);
HandlerResult get_health(const ApiContext& context, ApiRequest request);
HandlerResult get_config(const ApiContext& context, ApiRequest request);
HandlerResult post_token(const ApiContext& context, ApiRequest request);

// ingest.cpp
HandlerResult post_event(const ApiContext& context, ApiRequest request);
HandlerResult post_batch(const ApiContext& context, ApiRequest request);

// events.cpp
HandlerResult list_events(const ApiContext& context, ApiRequest request);
HandlerResult get_event(const ApiContext& context, ApiRequest request);
HandlerResult get_attempts(const ApiContext& context, ApiRequest request);
HandlerResult delete_event(const ApiContext& context, ApiRequest request);

// releases.cpp
HandlerResult post_event_replay(const ApiContext& context, ApiRequest request);
HandlerResult post_event_discard(const ApiContext& context, ApiRequest request);
HandlerResult post_replay(const ApiContext& context, ApiRequest request);
HandlerResult post_discard(const ApiContext& context, ApiRequest request);

// endpoints.cpp
HandlerResult post_endpoint(const ApiContext& context, ApiRequest request);
HandlerResult list_endpoints(const ApiContext& context, ApiRequest request);
HandlerResult get_endpoint(const ApiContext& context, ApiRequest request);
HandlerResult patch_endpoint(const ApiContext& context, ApiRequest request);
HandlerResult delete_endpoint(const ApiContext& context, ApiRequest request);
HandlerResult pause_endpoint(const ApiContext& context, ApiRequest request);
HandlerResult resume_endpoint(const ApiContext& context, ApiRequest request);
HandlerResult test_endpoint(const ApiContext& context, ApiRequest request);
HandlerResult rotate_secret(const ApiContext& context, ApiRequest request);

// export.cpp
HandlerResult export_events(const ApiContext& context, ApiRequest request);

// inbox.cpp
HandlerResult get_inbox(const ApiContext& context, ApiRequest request);
HandlerResult post_renew(const ApiContext& context, ApiRequest request);
HandlerResult post_ack(const ApiContext& context, ApiRequest request);
HandlerResult post_ack_many(const ApiContext& context, ApiRequest request);

// nack.cpp
HandlerResult post_nack(const ApiContext& context, ApiRequest request);

// figures.cpp
HandlerResult get_summary(const ApiContext& context, ApiRequest request);
HandlerResult get_latency(const ApiContext& context, ApiRequest request);
HandlerResult get_throughput(const ApiContext& context, ApiRequest request);
HandlerResult get_errors(const ApiContext& context, ApiRequest request);
HandlerResult get_prometheus(const ApiContext& context, ApiRequest request);

// webhook.cpp
HandlerResult post_webhook(const ApiContext& context, ApiRequest request);
HandlerResult get_webhook_logs(const ApiContext& context, ApiRequest request);

}  // namespace dispatcher
