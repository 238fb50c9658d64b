"""An event is leased while it is attempted, so that no two runs deliver it; a lease that lives is respected, whoever
has it, and what a dead run held is delivered by a later one once its lease is over."""

import signal
import threading
import time

import harness

HOUR = 3_600_000


def now():
    """Milliseconds since the epoch."""
    return int(time.time() * 1000)


def test_during_each_attempt_the_item_has_a_lease_that_outlives_it(world):
    seen, began = [], now()

    def look(payload):
        item = world.table.get(event)
        seen.append((item["lease_token"], item["lease_until"] - now()))
        return 503 if len(seen) < 4 else 200

    event = world.table.add()
    _, _, runtime = world.started(look, REQUEST_TIMEOUT_SECONDS="20")
    assert runtime.invoke().result()["acknowledged_count"] == 1
    assert len(seen) == 4 and len({token for token, _ in seen}) == 1
    took = now() - began
    for token, left in seen:
        # Of AWS's clock there are whole seconds.
        assert token and 20_000 - took - 1_000 <= left <= 20_000 + 15_000 + 60_000


def test_the_times_are_those_of_aws(world):
    seen = []

    def look(payload):
        seen.append(world.table.get(event)["lease_until"])
        return 200

    event = world.table.add()
    world.proxy.clock_ahead = 3_600
    _, _, runtime = world.started(look)
    assert runtime.invoke().result()["acknowledged_count"] == 1
    assert now() + HOUR < seen[0] < now() + HOUR + HOUR / 2


def test_an_event_that_another_holds_is_left_alone_until_its_lease_is_over(world):
    receiver, _, runtime = world.started()
    held = world.table.add_many([{}] * 3, lease_token="another's", lease_until=now() + HOUR)
    free = world.table.add_many([{}] * 3, lease_token="a dead one's", lease_until=now() - 60_000)
    before = [world.table.get(event) for event in held]
    assert runtime.invoke().result()["acknowledged_count"] == 3
    assert sorted(receiver.ids()) == sorted(free)
    assert [world.table.get(event) for event in held] == before
    for event in held:
        world.table.end_lease(event)
    assert runtime.invoke().result()["acknowledged_count"] == 3
    assert sorted(receiver.ids()) == sorted(free + held)


def test_overlapping_invocations_share_the_events(world):
    receiver = world.receiver()
    world.api(receiver)
    ids = world.table.add_many([{"n": n} for n in range(200)])
    runtimes = [world.function(MAX_EVENTS_PER_RUN="200")[0] for _ in range(3)]
    running = [runtime.start() for runtime in runtimes]
    acknowledged = sum(invocation.result()["acknowledged_count"] for invocation in running)
    # Those that another run holds when this one ends are that one's.
    assert acknowledged == 200
    assert sorted(receiver.ids()) == sorted(ids) == world.table.ids("delivered")


def test_what_a_killed_run_held_is_delivered_when_its_lease_is_over(world):
    is_hanging = {"is": True}
    receiver = world.receiver(lambda payload: None if is_hanging["is"] and payload["n"] % 2 else 200)
    api = world.api(receiver)
    ids = world.table.add_many([{"n": n} for n in range(40)])
    runtime, function = world.function()
    runtime.start()
    harness.wait_until(lambda: api.acks() == 20 and len(receiver.requests) == 40,
                       "half of the events to be under way")
    function.kill()
    is_hanging["is"] = False
    held = [event for n, event in enumerate(ids) if n % 2]
    runtime, _ = world.function()
    assert runtime.invoke().result()["total_events"] == 0
    assert sorted(receiver.ids()) == sorted(set(ids) - set(held))
    for event in held:
        world.table.end_lease(event)
    assert runtime.invoke().result()["acknowledged_count"] == 20
    # Once each but for what was in flight at the kill: of that, the receiver has two requests.
    assert sorted(receiver.ids()) == sorted(ids) == world.table.ids("delivered")
    assert sorted(receiver.ids(None)) == sorted(held)


def test_who_has_lost_its_lease_records_no_failure_and_sends_no_more(world):
    def lose(payload):
        world.table.set(event, lease_token="another's", lease_until=now() + HOUR)
        return 503

    event = world.table.add()
    receiver, _, runtime = world.started(lose)
    assert runtime.invoke().result()["failed_deliveries"] == 1
    item = world.table.get(event)
    assert (item["lease_token"], item["delivery_attempts"]) == ("another's", 0)
    assert item["lease_until"] > now() and "error_message" not in item
    assert len(receiver.requests) == 1


def test_who_has_lost_its_lease_records_a_success(world):
    def lose(payload):
        world.table.set(event, lease_token="another's", lease_until=now() + HOUR)
        return 200

    event = world.table.add()
    _, _, runtime = world.started(lose)
    assert runtime.invoke().result()["acknowledged_count"] == 1
    assert world.table.get(event)["status"] == "delivered"


def test_sigterm_in_mid_run_gives_back_what_is_under_way(world):
    is_hanging = {"is": True}
    receiver = world.receiver(lambda payload: None if is_hanging["is"] and payload["n"] == 0 else 200)
    api = world.api(receiver)
    ids = world.table.add_many([{"n": n} for n in range(5)])
    runtime, function = world.function()
    invocation = runtime.start()
    harness.wait_until(lambda: api.acks() == 4 and len(receiver.requests) == 5, "one event alone to be under way")
    function.signal(signal.SIGTERM)
    assert invocation.result()["acknowledged_count"] == 4
    assert function.wait() == 0
    item = world.table.get(ids[0])
    assert item["status"] == "pending" and "lease_until" not in item
    is_hanging["is"] = False
    runtime, _ = world.function()
    assert runtime.invoke().result()["acknowledged_count"] == 1


def test_a_run_that_has_to_end_gives_back_what_it_did_not_begin(world):
    """So that the next one need not wait for the leases."""
    gate = threading.Event()
    world.stack.callback(gate.set)
    receiver, _, runtime = world.started(lambda payload: 200 if gate.wait() else 500, ENDPOINT_CONCURRENCY="1")
    ids = world.table.add_many([{}] * 5)
    result = runtime.invoke(seconds=5).result()
    assert (result["acknowledged_count"], len(receiver.requests)) == (0, 0)
    gate.set()
    leased = [item["id"] for item in world.table.items() if item.get("lease_until", 0) > now()]
    assert leased == []
    runtime, _ = world.function()
    endpoint = harness.secret_endpoint_id(receiver.url)
    for item in world.table.items():
        if endpoint in item.get("deliveries", {}):
            world.table.make_due(item["id"], endpoint)
    assert runtime.invoke().result()["acknowledged_count"] == 5
    assert sorted(set(receiver.ids())) == sorted(ids)


def test_a_run_that_has_lost_its_lease_does_not_take_another_s_record_for_its_own(world):
    first_may = threading.Event()
    world.stack.callback(first_may.set)
    lock, attempts = threading.Lock(), []

    def attempt(payload):
        with lock:
            attempts.append(payload)
            is_first = len(attempts) == 1
        if is_first:
            first_may.wait(harness.PATIENCE)
        return 503

    receiver = world.receiver(attempt)
    world.api(receiver)
    event = world.table.add()
    endpoint = harness.secret_endpoint_id(receiver.url)
    one, _ = world.function(RETRY_BASE_SECONDS="0.1")
    other, _ = world.function(RETRY_BASE_SECONDS="8", MAX_RETRIES="1")
    first = one.start()
    harness.wait_until(lambda: len(attempts) == 1, "the first run's attempt")
    world.table.end_lease(event)
    second = other.start()
    harness.wait_until(lambda: world.table.delivery(event, endpoint), "the second run's failure to be recorded")
    holder = world.table.get(event)["lease_token"]
    first_may.set()
    first.result()
    assert world.table.get(event)["lease_token"] == holder
    assert len(attempts) == 2, "the first run tried under the other's lease"
    second.result()
    assert len(attempts) == 3


def test_an_event_that_somebody_acknowledged_between_two_attempts_is_tried_once_more_at_most(world):
    receiver, _, runtime = world.started(lambda payload: 503, RETRY_BASE_SECONDS="0.5")
    event = world.table.add()
    invocation = runtime.start()
    harness.wait_until(lambda: world.table.get(event).get("deliveries"), "the first attempt to be recorded")
    world.table.set(event, status="delivered")
    invocation.result()
    assert len(receiver.requests) <= 2
    item = world.table.get(event)
    assert item["status"] == "delivered" and "lease_token" not in item
    assert int(item["delivery_attempts"]) == len(receiver.requests)
