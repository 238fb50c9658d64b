"""Whatever DynamoDB does, no event is lost, none is counted twice, none that is gone comes back, and what is wrong is
said: a table that cannot be written fails the invocation, an index that may not be read is a warning."""

import json
import random
import threading

import pytest

import harness
import table_proxy


def warnings(function):
    """The messages of the log's warnings, with all that is said in them."""
    return [line for line in function.stderr().splitlines() if json.loads(line)["level"] == "warning"]


def first_of_its_kind():
    """Whether a write is the first that says just that: its repetitions are tries of the same call."""
    seen = set()

    def is_first(call):
        what = json.dumps(call.body, sort_keys=True)
        return what not in seen and not seen.add(what)

    return is_first


@pytest.mark.parametrize("status", [200, 503, 404])
def test_an_event_that_is_deleted_in_mid_attempt_is_not_revived(world, status):
    def delete(payload):
        if payload["n"] == 0:
            world.table.delete(ids[0])
        return status

    ids = world.table.add_many([{"n": 0}, {"n": 1}])
    _, _, runtime = world.started(delete, MAX_RETRIES="1")
    result = runtime.invoke().result()
    assert result["total_events"] == 2
    assert [item["id"] for item in world.table.items()] == [ids[1]]


def test_an_event_that_the_index_still_shows_is_not_revived(world):
    ids = world.table.add_many([{}] * 4)
    receiver, _, runtime = world.started()
    world.proxy.queried_table = world.table.copy().name
    world.table.delete(ids[0])
    world.table.set(ids[1], status="delivered")
    world.table.set(ids[2], status="failed")
    before = [world.table.get(event) for event in ids[:3]]
    assert runtime.invoke().result()["acknowledged_count"] == 1
    assert [world.table.get(event) for event in ids[:3]] == before
    assert receiver.ids() == [ids[3]]


def test_what_was_done_while_the_index_lags_is_not_done_again(world):
    answers = {"delivered": 200, "rejected": 404, "waits": 503}
    ids = world.table.add_many([{"get": get} for get in answers])
    receiver, _, runtime = world.started(lambda payload: answers[payload["get"]], MAX_RETRIES="0")
    world.proxy.queried_table = world.table.copy().name
    runtime.invoke().result()
    before = [world.table.get(event) for event in ids]
    for again in (runtime, world.function()[0]):
        assert again.invoke().result()["acknowledged_count"] == 0
    assert len(receiver.requests) == 3
    # A lease that was taken in vain is given back.
    for event, item in zip(ids[1:], before[1:], strict=True):
        now = world.table.get(event)
        assert now["deliveries"] == item["deliveries"] and now["delivery_attempts"] == item["delivery_attempts"]
        assert "lease_token" not in now and "lease_until" not in now


@pytest.mark.parametrize("happens", [table_proxy.throttled, table_proxy.broken])
def test_what_dynamodb_does_not_take_at_once_is_asked_again(world, happens):
    chance = random.Random(4)
    ids = world.table.add_many([{"n": n} for n in range(60)])
    receiver, _, runtime = world.started()
    world.proxy.fail(happens, times=2, action="Query")
    world.proxy.fail(happens, action="UpdateItem", when=lambda call: chance.random() < 0.2)
    assert runtime.invoke().result()["acknowledged_count"] == 60
    assert sorted(receiver.ids()) == sorted(ids) == world.table.ids("delivered")


def test_what_is_throttled_for_long_is_left_for_a_later_run(world):
    ids = world.table.add_many([{"n": n} for n in range(20)])
    receiver, _, runtime = world.started()
    stubborn = set(ids[:3])
    world.proxy.fail(table_proxy.throttled, "UpdateItem", when=lambda call: call.event_id() in stubborn)
    invocation = runtime.invoke(seconds=8)
    assert invocation.kind in ("response", "error")
    world.proxy.mend()
    harness.wait_until(lambda: runtime.invoke().result() and len(world.table.ids("delivered")) == 20,
                       "all events to be delivered")
    assert sorted(receiver.ids()) == sorted(ids)


def test_a_claim_whose_answer_is_lost_is_known_again(world):
    ids = world.table.add_many([{"n": n} for n in range(10)])
    receiver, _, runtime = world.started()
    world.proxy.fail(table_proxy.done_without_answer, "UpdateItem", when=first_of_its_kind())
    assert runtime.invoke().result()["acknowledged_count"] == 10
    assert len([call for call in world.proxy.calls if call.status == 0]) == 10
    assert sorted(receiver.ids()) == sorted(ids) == world.table.ids("delivered")


def test_a_record_whose_answer_is_lost_is_not_counted_twice(world):
    ids = world.table.add_many([{"n": n} for n in range(4)])
    receiver, _, runtime = world.started(lambda payload: 503)
    world.proxy.fail(table_proxy.done_without_answer, "UpdateItem", when=first_of_its_kind())
    assert runtime.invoke().result()["failed_deliveries"] == 4
    endpoint = harness.secret_endpoint_id(receiver.url)
    for event in ids:
        item = world.table.get(event)
        assert (item["status"], item["delivery_attempts"]) == ("pending", 4)
        delivery = item["deliveries"][endpoint]
        assert (delivery["state"], delivery["attempts"], delivery["step"]) == ("waiting", 4, 1)
        assert "lease_until" not in item
        assert [requested for requested, _ in receiver.requests].count(event) == 4


def test_a_success_beside_a_failure_is_recorded_though_answers_are_lost(world):
    takes, fails = world.receiver(), world.receiver(lambda payload: 500)
    world.api(takes, fails)
    event = world.table.add()
    world.proxy.fail(table_proxy.done_without_answer, "UpdateItem", when=first_of_its_kind())
    runtime, _ = world.function(MAX_RETRIES="0")
    assert runtime.invoke().result()["successful_deliveries"] == 1
    assert world.table.delivery(event, harness.secret_endpoint_id(takes.url))["state"] == "delivered"
    waiting = world.table.delivery(event, harness.secret_endpoint_id(fails.url))
    assert (waiting["state"], waiting["attempts"]) == ("waiting", 1)


def test_a_table_that_is_not_there_fails_the_invocation_by_name(world):
    world.table.add()
    receiver, _, runtime = world.started(DYNAMODB_TABLE_NAME="no-such-table")
    error = runtime.invoke().error()
    assert error["errorType"].startswith("Table.") and "no-such-table" in error["errorMessage"]
    assert receiver.requests == []


def test_a_table_without_the_index_fails_the_invocation_by_name(world):
    world.table.add()
    keys = {"id": "HASH", "created_at": "RANGE"}
    world.table.client.create_table(
        TableName="another-s-table", BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys])
    receiver, _, runtime = world.started(DYNAMODB_TABLE_NAME="another-s-table")
    error = runtime.invoke().error()
    assert error["errorType"].startswith("Table.")
    assert "another-s-table" in error["errorMessage"] and "status-index" in error["errorMessage"]
    assert receiver.requests == []


def test_a_table_that_may_not_be_written_fails_the_invocation_by_the_action(world):
    event = world.table.add()
    receiver, _, runtime = world.started()
    world.proxy.fail(table_proxy.denied, "UpdateItem")
    error = runtime.invoke().error()
    assert error["errorType"].startswith("Table.") and "UpdateItem" in error["errorMessage"]
    assert receiver.requests == []
    world.proxy.mend()
    assert runtime.invoke().result()["acknowledged_count"] == 1
    assert receiver.ids() == [event]


def test_where_the_index_may_not_be_read_the_newest_are_delivered_and_a_warning_says_so(world):
    ids = world.table.add_many([{"n": n} for n in range(120)])
    receiver = world.receiver()
    world.api(receiver)
    runtime, function = world.function(MAX_EVENTS_PER_RUN="200")
    world.proxy.fail(table_proxy.denied, "Query")
    assert runtime.invoke().result()["acknowledged_count"] >= 100
    assert set(ids[20:]) <= set(receiver.ids())
    assert len([line for line in warnings(function) if "Query" in line]) == 1
    runtime.invoke().result()
    assert sorted(receiver.ids()) == sorted(ids)
    assert world.proxy.count("UpdateItem") == 120


def test_without_the_index_leases_and_review_count_all_the_same(world):
    receiver, _, runtime = world.started(lambda payload: 404 if payload.get("poison") else 200)
    world.proxy.fail(table_proxy.denied, "Query")
    poison = world.table.add({"poison": True})
    held = world.table.add({}, lease_token="another's", lease_until=9_999_999_999_999)
    runtime.invoke().result()
    event = world.table.add({})
    assert runtime.invoke().result()["acknowledged_count"] == 1
    assert receiver.requests == [(poison, 404), (event, 200)]
    assert world.table.get(held)["status"] == "pending"


def test_without_the_index_what_could_not_be_claimed_is_tried_again_in_the_same_run(world):
    receiver, _, runtime = world.started()
    event = world.table.add({})
    world.proxy.fail(table_proxy.denied, "Query")
    world.proxy.fail(table_proxy.throttled, "UpdateItem", times=6)  # as often as a call is sent
    assert runtime.invoke().result()["acknowledged_count"] == 1
    assert receiver.ids() == [event]


def test_an_api_that_fails_fails_the_invocation(world):
    world.table.add()
    receiver, api, runtime = world.started()
    api.broken.add("inbox")
    assert runtime.invoke(seconds=3).error()["errorType"].startswith("Api.")
    assert receiver.requests == []
    api.broken.clear()
    assert runtime.invoke().result()["acknowledged_count"] == 1


def test_an_acknowledgement_that_finds_nothing_does_not_end_an_event_that_is_there(world):
    """The original reads before it writes, and its reads lag."""
    receiver, api, runtime = world.started()
    event = world.table.add()
    acknowledge, asked = api.acknowledge, []

    def lagging(event_id):
        asked.append(event_id)
        return (404, '{"detail":"not found"}') if len(asked) == 1 else acknowledge(event_id)

    api.acknowledge = lagging
    assert runtime.invoke().result()["acknowledged_count"] == 1
    assert receiver.ids() == [event] == world.table.ids("delivered")


def test_an_acknowledgement_that_hangs_at_the_end_leaves_time_to_record_the_success(world):
    receiver, api, runtime = world.started()
    event = world.table.add()
    acknowledge, may_answer = api.acknowledge, threading.Event()
    world.stack.callback(may_answer.set)

    def hanging(event_id):
        may_answer.wait(harness.PATIENCE)
        return api.failed()

    api.acknowledge = hanging
    result = runtime.invoke(seconds=8).result()
    assert (result["successful_deliveries"], result["acknowledged_count"]) == (1, 0)
    delivery, = world.table.get(event)["deliveries"].values()
    assert delivery["state"] == "delivered"
    api.acknowledge = acknowledge
    assert runtime.invoke().result()["acknowledged_count"] == 1
    assert receiver.ids() == [event]


def test_a_table_that_hangs_at_the_end_leaves_time_to_report(world):
    may_answer = threading.Event()
    world.stack.callback(may_answer.set)
    receiver = world.receiver(lambda payload: 503)
    world.api(receiver)
    world.table.add_many([{"n": n} for n in range(5)])
    runtime, _ = world.function(RETRY_BASE_SECONDS="0.5")

    def hanging(call):
        may_answer.wait(harness.PATIENCE)

    world.proxy.fail(hanging, "UpdateItem", when=lambda call: len(receiver.requests) >= 5)
    invocation = runtime.invoke(seconds=10)
    assert invocation.result()["total_events"] == 5
    assert invocation.seconds_left > 1, "there is none left to publish in"


def test_no_log_line_has_a_payload_a_path_or_a_key(world):
    receiver = world.receiver(lambda payload: 404 if payload["n"] else 503)
    world.api(receiver)
    world.table.add_many([{"n": n, "text": "payload-secret"} for n in range(4)])
    world.proxy.fail(table_proxy.throttled, "UpdateItem", times=2)
    world.proxy.fail(table_proxy.done_without_answer, "UpdateItem", times=2)
    world.proxy.fail(table_proxy.denied, "Query", times=1)
    runtime, function = world.function(DISPATCHER_LOG_LEVEL="debug")
    for _ in range(2):
        runtime.invoke().result()
    function.terminate()
    assert function.wait() == 0
    for secret in ("payload-secret", "/hook", "hunter2", "a+token"):
        assert secret not in function.stderr()
