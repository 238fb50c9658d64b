"""With several URLs an event is acknowledged when each of them has taken it, and none gets it again because of another,
nor because it could not be acknowledged; every process knows that from the item."""

import json
import threading
import time

import harness
import table_proxy


def test_only_the_url_that_failed_is_tried_again(world):
    failing = {"is": True}
    takes, fails = world.receiver(), world.receiver(lambda payload: 500 if failing["is"] else 200)
    api = world.api(takes, fails)
    ids = world.table.add_many([{"n": n} for n in range(5)])
    runtime, _ = world.function(MAX_RETRIES="0")
    result = runtime.invoke().result()
    assert (result["total_events"], result["successful_deliveries"], result["failed_deliveries"],
            result["acknowledged_count"]) == (5, 5, 5, 0)
    assert api.acks() == 0 and world.table.ids("pending") == sorted(ids)
    taken, failed = (harness.secret_endpoint_id(one.url) for one in (takes, fails))
    for event in ids:
        deliveries = world.table.get(event)["deliveries"]
        assert sorted(deliveries) == sorted((taken, failed))
        assert deliveries[taken] == {"state": "delivered", "attempts": 1, "step": 0}
        assert (deliveries[failed]["state"], deliveries[failed]["attempts"]) == ("waiting", 1)
        assert world.table.get(event)["delivery_attempts"] >= 1
        world.table.make_due(event, failed)
    failing["is"] = False
    runtime, _ = world.function()
    result = runtime.invoke().result()
    assert (result["successful_deliveries"], result["acknowledged_count"]) == (5, 5)
    assert sorted(takes.ids()) == sorted(fails.ids()) == sorted(ids) == world.table.ids("delivered")


def test_one_that_rejects_keeps_the_event_pending_and_the_other_has_it_once(world):
    takes, rejects = world.receiver(), world.receiver(lambda payload: 422)
    world.api(takes, rejects)
    ids = world.table.add_many([{}] * 3)
    runtime, _ = world.function()
    for _ in range(3):
        runtime.invoke().result()
    assert sorted(takes.ids()) == sorted(rejects.ids(422)) == sorted(ids) == world.table.ids("pending")
    # The list is in another order: an id is of a URL, not of a place in it.
    world.name_receivers(rejects, takes)
    assert runtime.invoke().result()["total_events"] == 0
    # A person takes the one that rejects out of the list: each URL that is left has taken it.
    world.name_receivers(takes)
    assert runtime.invoke().result()["acknowledged_count"] == 3
    assert len(takes.ids()) == 3 and world.table.ids("delivered") == sorted(ids)


def test_another_url_that_is_added_gets_what_is_pending(world):
    one, other = world.receiver(lambda payload: 422), world.receiver()
    world.api(one)
    event = world.table.add()
    runtime, _ = world.function()
    assert runtime.invoke().result()["failed_deliveries"] == 1
    world.name_receivers(one, other)
    assert runtime.invoke().result()["successful_deliveries"] == 1
    assert other.ids() == [event] and len(one.requests) == 1


def test_what_was_delivered_and_could_not_be_acknowledged_is_not_sent_again(world):
    receivers = world.receiver(), world.receiver()
    api = world.api(*receivers)
    ids = world.table.add_many([{"n": n} for n in range(5)])
    api.broken.add("ack")
    runtime, _ = world.function()
    result = runtime.invoke().result()
    assert (result["successful_deliveries"], result["acknowledged_count"]) == (10, 0)
    for event in ids:
        for receiver in receivers:
            delivery = world.table.delivery(event, harness.secret_endpoint_id(receiver.url))
            assert delivery["state"] == "delivered"
    api.broken.clear()
    runtime, _ = world.function()  # which knows nothing of the run before
    assert runtime.invoke().result()["acknowledged_count"] == 5
    assert world.table.ids("delivered") == sorted(ids)
    assert all(sorted(receiver.ids()) == sorted(ids) for receiver in receivers)


def test_who_has_lost_its_lease_records_what_was_taken_and_not_what_failed(world):
    lost = threading.Event()
    world.stack.callback(lost.set)
    takes = world.receiver(lambda payload: 200 if lost.wait() else 500)
    fails = world.receiver(lambda payload: 500 if lost.wait() else 200)
    world.api(takes, fails)
    event = world.table.add()
    runtime, _ = world.function(MAX_RETRIES="0")
    invocation = runtime.start()
    harness.wait_until(lambda: "lease_token" in world.table.get(event), "the event to be claimed")
    until = int(time.time() * 1000) + 3_600_000
    world.table.set(event, lease_token="another's", lease_until=until)
    lost.set()
    assert invocation.result()["acknowledged_count"] == 0
    item = world.table.get(event)
    assert list(item["deliveries"]) == [harness.secret_endpoint_id(takes.url)]
    assert item["deliveries"][harness.secret_endpoint_id(takes.url)]["state"] == "delivered"
    assert (item["lease_token"], item["lease_until"], item["delivery_attempts"]) == ("another's", until, 0)


def test_a_hanging_url_keeps_nothing_from_the_others(world):
    """What one has taken is on the item, and so is that the other one was tried, when the run has to end."""
    takes, hangs = world.receiver(), world.receiver(lambda payload: None)
    world.api(takes, hangs)
    ids = world.table.add_many([{"n": n} for n in range(5)])
    runtime, _ = world.function()
    result = runtime.invoke(seconds=5).result()
    assert (result["successful_deliveries"], result["failed_deliveries"]) == (5, 5)
    assert sorted(takes.ids()) == sorted(ids)
    for event in ids:
        item = world.table.get(event)
        assert item["deliveries"][harness.secret_endpoint_id(takes.url)]["state"] == "delivered"
        assert item["deliveries"][harness.secret_endpoint_id(hangs.url)]["state"] == "waiting"
        assert "lease_until" not in item


def test_a_success_that_could_not_be_written_at_once_outlives_the_other_url_s_end(world):
    takes = world.receiver()
    rejects = world.receiver(lambda payload: throttled.wait(harness.PATIENCE) and 404)
    throttled = threading.Event()
    world.api(takes, rejects)
    event = world.table.add()
    taken = harness.secret_endpoint_id(takes.url)

    def is_the_success(call):
        text = json.dumps(call.body)
        is_it = '"delivered"' in text and taken in text
        if is_it:
            throttled.set()
        return is_it

    world.proxy.fail(table_proxy.throttled, "UpdateItem", when=is_the_success, times=7)
    runtime, _ = world.function()
    assert runtime.invoke().result()["successful_deliveries"] == 1
    deliveries = world.table.get(event)["deliveries"]
    assert deliveries[taken]["state"] == "delivered"
    assert deliveries[harness.secret_endpoint_id(rejects.url)]["state"] == "review"
    assert "lease_token" not in world.table.get(event)
    runtime.invoke().result()
    assert takes.ids() == [event]


def test_a_success_is_not_taken_back_by_another_run_s_failure(world):
    first_may, third_may = threading.Event(), threading.Event()
    world.stack.callback(first_may.set)
    world.stack.callback(third_may.set)
    lock, attempts = threading.Lock(), []

    def attempt(payload):
        with lock:
            attempts.append(payload)
            number = len(attempts)
        if number == 1:
            first_may.wait(harness.PATIENCE)
            return 200
        if number == 3:
            third_may.wait(harness.PATIENCE)
        return 503

    slow, rejects = world.receiver(attempt), world.receiver(lambda payload: 404)
    world.api(slow, rejects)
    event = world.table.add()
    endpoint = harness.secret_endpoint_id(slow.url)
    (one, _), (other, _) = (world.function(MAX_RETRIES="1") for _ in range(2))
    first = one.start()
    harness.wait_until(lambda: "deliveries" in world.table.get(event) and world.table.get(event)["deliveries"],
                       "the other URL's answer to be recorded")
    world.table.end_lease(event)
    second = other.start()
    harness.wait_until(lambda: len(attempts) == 3, "the second run's second attempt")
    first_may.set()
    first.result()
    assert world.table.delivery(event, endpoint)["state"] == "delivered"
    third_may.set()
    second.result()
    assert world.table.delivery(event, endpoint)["state"] == "delivered"
