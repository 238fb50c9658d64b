"""A batch of the table's DynamoDB Stream: what was inserted is delivered, one attempt each, the rest of the batch is
ignored, and the sweep does what failed. Only what DynamoDB did not do is named as failed, in the form that Lambda
reads: a bad receiver never blocks a shard."""

import json
import time

import pytest

import harness
import review_test
import table_proxy
from stream import Stream, sequence_numbers

TABLE = Stream.WITH_STREAM


def batch_answer(invocation):
    """What is named as failed, of an answer that must be in Lambda's form, and nothing but that."""
    invocation.wait()
    assert invocation.kind == "response", invocation.body
    answer = json.loads(invocation.body)
    assert list(answer) == ["batchItemFailures"]
    assert all(list(one) == ["itemIdentifier"] for one in answer["batchItemFailures"])
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


def test_what_was_inserted_is_delivered(world):
    receiver, api, runtime = world.started()
    ids = world.table.add_many([{"n": n} for n in range(50)])
    batch = world.stream().batch()
    assert [record["eventName"] for record in batch["Records"]] == ["INSERT"] * 50
    assert batch_answer(runtime.invoke(batch)) == []
    assert sorted(receiver.ids()) == sorted(ids) == world.table.ids("delivered")
    assert world.proxy.count("UpdateItem") == api.acks() == 50
    assert world.proxy.count("Query") == 0 and api.count("GET", "/inbox") == 0


@pytest.mark.parametrize("bad", [503, (429, {"Retry-After": "20"})], ids=["down", "throttling"])
def test_what_a_receiver_does_names_nothing_and_is_not_waited_for(world, bad):
    receiver, _, runtime = world.started(lambda payload: bad)
    ids = world.table.add_many([{"n": n} for n in range(100)])
    began = time.monotonic()
    assert batch_answer(runtime.invoke(world.stream().batch())) == []
    assert time.monotonic() - began < 15
    assert 0 < len(receiver.requests) <= 100 and world.table.ids("pending") == sorted(ids)
    assert not any("lease_token" in item for item in world.table.items())


def test_a_batch_leaves_the_sweep_its_place(world):
    receiver = world.receiver()
    world.api(receiver)
    review = review_test.in_review(harness.secret_endpoint_id(receiver.url))
    world.table.add_many(review_test.MORE_THAN_AN_END, **review)
    healthy = world.table.add_many([{}] * 5)
    world.table.add_many(review_test.MORE_THAN_AN_END, **review)
    runtime, _ = world.function()
    nothing = {"Records": [{"eventSource": "aws:dynamodb", "eventName": "MODIFY", "dynamodb": {}}]}
    for _ in range(5):
        runtime.invoke().result()
        assert batch_answer(runtime.invoke(nothing)) == []
    assert sorted(receiver.ids()) == sorted(healthy)


def test_a_batch_may_have_more_than_a_run_takes(world):
    receiver, _, runtime = world.started(MAX_EVENTS_PER_RUN="10")
    ids = world.table.add_many([{"n": n} for n in range(30)])
    assert batch_answer(runtime.invoke(world.stream().batch())) == []
    assert sorted(receiver.ids()) == sorted(ids)


def test_a_batch_and_a_run_at_the_same_time_share_the_events(world):
    receiver = world.receiver()
    world.api(receiver)
    ids = world.table.add_many([{"n": n} for n in range(100)])
    batch = world.stream().batch()
    by_stream, by_schedule = world.function()[0], world.function()[0]
    running = by_stream.start(batch), by_schedule.start()
    assert batch_answer(running[0]) == []
    running[1].result()
    assert sorted(receiver.ids()) == sorted(ids) == world.table.ids("delivered")


def test_other_changes_are_ignored(world):
    receiver, _, runtime = world.started()
    event = world.table.add()
    world.table.set(event, status="failed")
    world.table.set(event, status="pending")
    world.table.delete(event)
    batch = {"Records": [record for record in world.stream().records() if record["eventName"] != "INSERT"]}
    assert {record["eventName"] for record in batch["Records"]} == {"MODIFY", "REMOVE"}
    assert batch_answer(runtime.invoke(batch)) == []
    assert world.proxy.calls == [] and receiver.requests == []


def test_our_own_changes_come_back_and_change_nothing(world):
    receiver, _, runtime = world.started(lambda payload: 503, RETRY_BASE_SECONDS="30")
    event = world.table.add()
    assert batch_answer(runtime.invoke(world.stream().batch())) == []
    item = world.table.get(event)
    batch = world.stream().batch()
    assert {record["eventName"] for record in batch["Records"]} == {"INSERT", "MODIFY"}
    # With the insertion, which Lambda may hand out twice.
    assert batch_answer(runtime.invoke(batch)) == []
    now = world.table.get(event)
    assert (now["deliveries"], now["delivery_attempts"]) == (item["deliveries"], item["delivery_attempts"])
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("status, state", [(503, "waiting"), (404, "review")])
def test_a_receiver_that_fails_is_tried_once_and_the_sweep_does_the_rest(world, status, state):
    failing = {"is": True}
    receiver, _, runtime = world.started(lambda payload: status if failing["is"] else 200)
    endpoint = harness.secret_endpoint_id(receiver.url)
    ids = world.table.add_many([{"n": n} for n in range(5)])
    assert batch_answer(runtime.invoke(world.stream().batch())) == []
    assert len(receiver.requests) == 5
    for event in ids:
        item = world.table.get(event)
        assert (item["status"], item["delivery_attempts"]) == ("pending", 1)
        assert (item["deliveries"][endpoint]["state"], item["deliveries"][endpoint]["attempts"]) == (state, 1)
        assert "lease_until" not in item
    failing["is"] = False
    if state == "review":
        assert runtime.invoke().result()["total_events"] == 0
        return
    for event in ids:
        world.table.make_due(event, endpoint)
    assert runtime.invoke().result()["acknowledged_count"] == 5
    assert sorted(receiver.ids()) == sorted(ids) == world.table.ids("delivered")


def test_what_could_not_be_claimed_is_named_and_the_rest_is_delivered(world):
    receiver, _, runtime = world.started()
    ids = world.table.add_many([{"n": n} for n in range(6)])
    batch = world.stream().batch()
    stubborn = {ids[1], ids[4]}
    world.proxy.fail(table_proxy.throttled, "UpdateItem", when=lambda call: call.event_id() in stubborn)
    assert sorted(batch_answer(runtime.invoke(batch))) == sequence_numbers(batch, stubborn)
    assert sorted(receiver.ids()) == sorted(set(ids) - stubborn)
    world.proxy.mend()
    again = {"Records": batch["Records"][1:]}  # Lambda begins with the first that failed
    assert batch_answer(runtime.invoke(again)) == []
    assert sorted(receiver.ids()) == sorted(ids) == world.table.ids("delivered")


def test_what_could_not_be_recorded_is_named(world):
    receiver, _, runtime = world.started(lambda payload: 503)
    event = world.table.add()
    batch = world.stream().batch()
    world.proxy.fail(table_proxy.throttled, "UpdateItem", when=lambda call: receiver.requests != [])
    assert sorted(batch_answer(runtime.invoke(batch, seconds=8))) == sequence_numbers(batch, {event})


def test_what_is_leased_gone_or_done_is_not_named(world):
    receiver, _, runtime = world.started()
    leased, gone, done, free = world.table.add_many([{}] * 4)
    batch = world.stream().batch()
    world.table.set(leased, lease_token="another's", lease_until=9_999_999_999_999)
    world.table.delete(gone)
    world.table.set(done, status="delivered")
    assert batch_answer(runtime.invoke(batch)) == []
    assert receiver.ids() == [free]
    assert sorted(item["id"] for item in world.table.items()) == sorted((leased, done, free))


def test_an_insertion_that_is_no_event_is_not_named(world):
    receiver, _, runtime = world.started()
    world.table.add({}, id="no-uuid")
    world.table.add({}, status="delivered")
    event = world.table.add()
    assert batch_answer(runtime.invoke(world.stream().batch())) == []
    assert receiver.ids() == [event]


def test_a_batch_that_cannot_be_begun_fails_the_invocation(world):
    """Then Lambda hands it out again."""
    _, api, runtime = world.started()
    world.table.add()
    batch = world.stream().batch()
    world.write_secret(zapier_api_key=api.API_KEY)
    assert runtime.invoke(batch).error()["errorType"] == "Secret.Invalid"


def test_a_table_that_may_not_be_written_fails_the_batch(world):
    receiver, _, runtime = world.started()
    world.table.add()
    batch = world.stream().batch()
    world.proxy.fail(table_proxy.denied, "UpdateItem")
    error = runtime.invoke(batch).error()
    assert error["errorType"].startswith("Table.") and "UpdateItem" in error["errorMessage"]
    assert receiver.requests == []
