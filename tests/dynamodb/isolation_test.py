"""What fails keeps nobody else waiting: not events that fail at every attempt those behind them, not a URL that is down
the other, not an item that DynamoDB does not let be changed the rest."""

import time

import botocore.exceptions
import harness
import table_proxy


def test_events_that_fail_at_every_attempt_let_those_behind_them_through(world):
    receiver, _, runtime = world.started(lambda payload: 503 if payload.get("poison") else 200)
    poison = world.table.add_many([{"poison": True}] * 150)
    good = world.table.add_many([{}] * 5)

    def run():
        runtime.invoke().result()
        return len(receiver.ids()) == len(good)

    harness.wait_until(run, "the events behind to be delivered")
    assert sorted(receiver.ids()) == sorted(good) == world.table.ids("delivered")
    # Before one is tried a second time, in another run, all have had their turn.
    assert set(receiver.ids(503)) == set(poison)


def test_an_event_that_fails_at_every_attempt_uses_its_retries_up_over_several_runs(world):
    receiver = world.receiver(lambda payload: 503)
    world.api(receiver)
    event = world.table.add({})
    endpoint = harness.secret_endpoint_id(receiver.url)
    # Longer than a run has: each makes one attempt.
    runtime, _ = world.function(RETRY_BASE_SECONDS="30", MAX_RETRIES="2")
    for retries in (1, 2):
        runtime.invoke(seconds=15).result()
        assert int(world.table.delivery(event, endpoint)["retries"]) == retries
        world.table.make_due(event, endpoint)
    runtime.invoke(seconds=15).result()
    delivery = world.table.delivery(event, endpoint)
    assert (int(delivery["step"]), int(delivery["attempts"])) == (1, 3) and "retries" not in delivery
    assert len(receiver.requests) == 3


def test_a_url_that_is_down_leaves_the_other_its_share_of_every_run(world):
    down, takes = world.receiver(lambda payload: 503), world.receiver()
    world.api(down, takes)
    ids = world.table.add_many([{"n": n} for n in range(300)])
    runtime, _ = world.function()
    for _ in range(6):
        runtime.invoke().result()
    assert sorted(takes.ids()) == sorted(ids)
    assert world.table.ids("pending") == sorted(ids)


def test_what_only_lacks_an_acknowledgement_that_cannot_be_had_takes_no_run_s_place(world):
    receiver = world.receiver()
    api = world.api(receiver)
    taken = {"deliveries": {harness.secret_endpoint_id(receiver.url): {"state": "delivered", "attempts": 1, "step": 0}}}
    world.table.add_many([{}] * 150, **taken)
    ids = world.table.add_many([{"n": n} for n in range(20)])
    api.broken.add("ack")
    runtime, _ = world.function(MAX_EVENTS_PER_RUN="100")
    runtime.invoke().result()
    assert sorted(receiver.ids()) == sorted(ids)
    api.broken.clear()

    def run():
        runtime.invoke().result()
        return len(world.table.ids("delivered")) == 170

    harness.wait_until(run, "all to be acknowledged")
    assert sorted(receiver.ids()) == sorted(ids)


def as_large_as_can_be(table):
    """A payload with which an item is so large that nothing can be added to it."""
    least, most = 390_000, 409_600
    while most - least > 1:
        size = (least + most) // 2
        try:
            table.delete(table.add({"x": "y" * size}))
            least = size
        except botocore.exceptions.ClientError:
            most = size
    return {"x": "y" * least}


def test_an_item_that_cannot_be_changed_is_named_and_keeps_nobody_waiting(world):
    large = world.table.add(as_large_as_can_be(world.table))
    ids = world.table.add_many([{"n": n} for n in range(30)])
    receiver = world.receiver()
    world.api(receiver)
    runtime, function = world.function(ENDPOINT_CONCURRENCY="1")
    assert runtime.invoke().result()["acknowledged_count"] == 30
    assert sorted(receiver.ids()) == sorted(ids) and world.table.ids("pending") == [large]
    assert large in function.stderr()


def test_an_event_that_is_throttled_for_long_fails_no_run_that_delivers_the_rest(world):
    ids = world.table.add_many([{"n": n} for n in range(20)])
    receiver, _, runtime = world.started(ENDPOINT_CONCURRENCY="1")
    world.proxy.fail(table_proxy.throttled, "UpdateItem", when=lambda call: call.event_id() == ids[0])
    began = time.monotonic()
    assert runtime.invoke().result()["acknowledged_count"] == 19
    assert sorted(receiver.ids()) == sorted(ids[1:])
    assert time.monotonic() - began < harness.PATIENCE
