"""Whatever fails, and however much of it at once: every event is taken exactly once, and each failed attempt is counted
exactly once, by three functions at the same inbox."""

import random

import pytest

import harness
import table_proxy

EVENTS = 90
# How often each happens to a call of the table, or to a request.
THROTTLED, BROKEN, UNANSWERED, REFUSED_BY_RECEIVER = 0.05, 0.03, 0.07, 0.3


class Weather:
    """The same for the same seed, as far as the order of what happens is."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def strikes(self, probability):
        return lambda call: self.random.random() < probability


@pytest.mark.parametrize("seed", [1, 2])
def test_each_event_is_taken_once_and_each_failure_counted_once(world, seed):
    weather = Weather(seed)
    is_refused = weather.strikes(REFUSED_BY_RECEIVER)
    receivers = [world.receiver(lambda payload: 503 if is_refused(payload) else 200) for _ in range(2)]
    world.api(*receivers)
    endpoints = [harness.secret_endpoint_id(receiver.url) for receiver in receivers]
    ids = world.table.add_many([{"n": n} for n in range(EVENTS)])
    for happens, probability in ((table_proxy.throttled, THROTTLED), (table_proxy.broken, BROKEN),
                                 (table_proxy.done_without_answer, UNANSWERED)):
        world.proxy.fail(happens, when=weather.strikes(probability))
    runtimes = [world.function(MAX_RETRIES="1")[0] for _ in range(3)]

    def is_all_delivered():
        for invocation in [runtime.start() for runtime in runtimes]:
            invocation.result()
        for item in world.table.items("pending"):
            for endpoint in endpoints:
                if item.get("deliveries", {}).get(endpoint, {}).get("state") == "waiting":
                    world.table.make_due(item["id"], endpoint)
            if "lease_until" in item:
                world.table.end_lease(item["id"])
        return world.table.ids("delivered") == sorted(ids)

    harness.wait_until(is_all_delivered, "all events to be delivered")
    for receiver in receivers:
        assert sorted(receiver.ids()) == sorted(ids)
    failed = [event for receiver in receivers for event in receiver.ids(503)]
    for item in world.table.items():
        assert item["delivery_attempts"] == failed.count(item["id"])
