"""A failed attempt is recorded on the item: what became of it, how often it was tried, when it is due again, and why;
the event stays pending, is left alone until it is due, and after the last round waits for a person."""

import re
import time

import pytest

import harness

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
MINUTE = 60_000
# AWS's clock is told in whole seconds, and the machine's may step.
CLOCK_MS = 2_000


class Times:
    """When something happened, in milliseconds since the epoch."""

    def __enter__(self):
        self.begin = time.time() * 1000
        return self

    def __exit__(self, *_):
        self.end = time.time() * 1000

    def is_within(self, value, after=0, factor=1.0):
        """Whether it is so long after it happened, or up to `factor` times as long."""
        return self.begin + after - CLOCK_MS <= value <= self.end + after * factor + CLOCK_MS


def expect_failed_item(item, attempts, error):
    assert item["status"] == "pending" and item["delivery_attempts"] == attempts
    assert error in item["error_message"]
    assert TIMESTAMP.fullmatch(item["last_delivery_attempt"]) and TIMESTAMP.fullmatch(item["updated_at"])
    assert item["last_delivery_attempt"] > item["created_at"] and item["updated_at"] > item["created_at"]
    assert "lease_token" not in item and "lease_until" not in item


def expect_no_null(world, event):
    assert "NULL" not in str(world.table.typed_item(event))


def test_after_the_retries_of_a_run_the_event_waits_for_the_next_round(world):
    event = world.table.add()
    receiver, _, runtime = world.started(lambda payload: 503)
    endpoint = harness.secret_endpoint_id(receiver.url)
    with Times() as run:
        result = runtime.invoke().result()
    assert (result["failed_deliveries"], result["total_retries"], result["acknowledged_count"]) == (1, 3, 0)
    item = world.table.get(event)
    expect_failed_item(item, 4, "503")
    assert run.is_within(harness.seconds_of(item["last_delivery_attempt"]) * 1000)
    delivery = item["deliveries"][endpoint]
    assert list(item["deliveries"]) == [endpoint]
    assert sorted(delivery) == ["attempts", "due", "error", "state", "step"]
    assert (delivery["state"], delivery["attempts"], delivery["step"]) == ("waiting", 4, 1)
    assert delivery["error"] == item["error_message"]
    assert run.is_within(delivery["due"], 5 * MINUTE, 1.25)
    expect_no_null(world, event)


def test_it_is_left_alone_until_it_is_due_and_then_has_a_round_of_its_own(world):
    event = world.table.add()
    receiver, _, runtime = world.started(lambda payload: 503)
    endpoint = harness.secret_endpoint_id(receiver.url)
    runtime.invoke().result()
    world.proxy.forget()
    assert runtime.invoke().result()["total_events"] == 0
    assert world.function()[0].invoke().result()["total_events"] == 0
    assert world.proxy.count("UpdateItem") == 0 and len(receiver.requests) == 4
    world.table.make_due(event, endpoint)
    with Times() as run:
        assert runtime.invoke().result()["failed_deliveries"] == 1
    delivery = world.table.delivery(event, endpoint)
    assert (delivery["state"], delivery["attempts"], delivery["step"]) == ("waiting", 8, 2)
    assert run.is_within(delivery["due"], 30 * MINUTE, 1.25)
    expect_failed_item(world.table.get(event), 8, "503")


def test_what_fails_first_and_succeeds_within_the_run_is_delivered(world):
    answers = [503, 429, 200]
    event = world.table.add()
    receiver, _, runtime = world.started(lambda payload: answers.pop(0))
    result = runtime.invoke().result()
    assert (result["successful_deliveries"], result["total_retries"], result["acknowledged_count"]) == (1, 2, 1)
    item = world.table.get(event)
    assert (item["status"], item["delivery_attempts"]) == ("delivered", 2)
    assert [status for _, status in receiver.requests] == [503, 429, 200]


def test_a_long_retry_after_is_the_time_it_is_due(world):
    event = world.table.add()
    receiver, _, runtime = world.started(lambda payload: (503, {"Retry-After": "900"}))
    endpoint = harness.secret_endpoint_id(receiver.url)
    with Times() as run:
        assert runtime.invoke().result()["failed_deliveries"] == 1
    delivery = world.table.delivery(event, endpoint)
    assert (delivery["state"], delivery["attempts"]) == ("waiting", 1)
    assert run.is_within(delivery["due"], 15 * MINUTE, 1.25)
    expect_failed_item(world.table.get(event), 1, "503")
    assert runtime.invoke().result()["total_events"] == 0
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("status, reason", [(404, "rejected"), (400, "rejected"), (302, "redirected")])
def test_an_answer_that_is_final_leads_to_review(world, status, reason):
    event = world.table.add()
    receiver, _, runtime = world.started(lambda payload: (status, {"Location": "http://127.0.0.1:9/secret-path"}))
    endpoint = harness.secret_endpoint_id(receiver.url)
    assert runtime.invoke().result()["failed_deliveries"] == 1
    delivery = world.table.delivery(event, endpoint)
    assert sorted(delivery) == ["attempts", "error", "reason", "state", "step"]
    assert (delivery["state"], delivery["reason"], delivery["attempts"]) == ("review", reason, 1)
    expect_failed_item(world.table.get(event), 1, str(status))
    assert "secret-path" not in str(world.table.get(event))
    expect_no_null(world, event)
    assert runtime.invoke().result()["total_events"] == 0
    assert len(receiver.requests) == 1


def test_what_the_rules_block_leads_to_review(world):
    event = world.table.add()
    receiver, _, runtime = world.started(ALLOW_TARGETS="https://127.0.0.0/8")
    endpoint = harness.secret_endpoint_id(receiver.url)
    assert runtime.invoke().result()["failed_deliveries"] == 1
    delivery = world.table.delivery(event, endpoint)
    assert (delivery["state"], delivery["reason"]) == ("review", "blocked")
    assert delivery["error"].startswith("blocked:") and "due" not in delivery
    assert world.table.get(event)["status"] == "pending"
    assert receiver.requests == []


def test_after_the_last_round_it_is_exhausted(world):
    event = world.table.add()
    receiver, _, runtime = world.started(lambda payload: 500, RETRY_SCHEDULE="5m,30m", MAX_RETRIES="1")
    endpoint = harness.secret_endpoint_id(receiver.url)
    for rounds in (1, 2):
        assert runtime.invoke().result()["failed_deliveries"] == 1
        delivery = world.table.delivery(event, endpoint)
        assert (delivery["state"], delivery["step"]) == ("waiting", rounds)
        world.table.make_due(event, endpoint)
    assert runtime.invoke().result()["failed_deliveries"] == 1
    delivery = world.table.delivery(event, endpoint)
    assert (delivery["state"], delivery["reason"], delivery["attempts"]) == ("review", "exhausted", 6)
    assert "due" not in delivery
    expect_failed_item(world.table.get(event), 6, "500")
    assert runtime.invoke().result()["total_events"] == 0


def test_an_endpoint_that_gives_no_answer_is_tried_again_later_with_the_reason(world):
    event = world.table.add()
    receiver, _, runtime = world.started(lambda payload: None, REQUEST_TIMEOUT_SECONDS="0.2", MAX_RETRIES="0")
    assert runtime.invoke().result()["failed_deliveries"] == 1
    delivery = world.table.delivery(event, harness.secret_endpoint_id(receiver.url))
    assert (delivery["state"], delivery["attempts"]) == ("waiting", 1)
    assert delivery["error"].startswith("timeout")


def test_what_the_original_counted_goes_on(world):
    """The item may have attempts of the function that was there before."""
    event = world.table.add(delivery_attempts=7, error_message="of before",
                            last_delivery_attempt="2024-01-01T00:00:00.000000Z")
    _, _, runtime = world.started(lambda payload: 503, MAX_RETRIES="0")
    assert runtime.invoke().result()["failed_deliveries"] == 1
    expect_failed_item(world.table.get(event), 8, "503")


def test_what_an_open_breaker_keeps_back_is_given_back_and_not_counted(world):
    ids = world.table.add_many([{"n": n} for n in range(100)])
    receiver, _, runtime = world.started(lambda payload: 503, ENDPOINT_CONCURRENCY="10")
    assert runtime.invoke().result()["acknowledged_count"] == 0
    tried = [event for event, _ in receiver.requests]
    assert len(tried) < 100, "the breaker has not opened"
    for item in world.table.items():
        assert item["status"] == "pending" and "lease_until" not in item
        assert item["delivery_attempts"] == tried.count(item["id"])
    assert sorted(item["id"] for item in world.table.items()) == sorted(ids)
