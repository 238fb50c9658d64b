"""SIGTERM and SIGINT end `serve` within 30 s with status 0: attempts under way finish or are recorded as
abandoned, nothing is lost and nothing comes twice. A second signal ends it at once."""

import collections
import signal
import time

import pytest

import harness
import senders

# `serve` lets attempts finish for 25 s.
STOP_LIMIT_SECONDS = 30


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_under_load_loses_nothing_and_doubles_nothing(tmp_path, starts, number):
    receiver = starts(harness.Receiver, "--delay", "200ms")
    arguments = harness.delivering(receiver)
    first = starts(harness.Service, *arguments)
    token = first.client().token
    load = senders.Senders(lambda: (first.host, first.port, token))
    harness.wait_until(lambda: len(harness.delivered_ids(receiver.records())) > 100, "deliveries")
    first.signal(number)
    assert first.wait(STOP_LIMIT_SECONDS) == 0, first.stderr()
    answered = set(load.stop())
    assert load.unexpected == []
    starts(harness.Service, *arguments, data=first.data, name="serve-again")
    harness.wait_until(lambda: answered <= set(harness.delivered_ids(receiver.records())),
                       "every event that was answered with 201 to be received")
    times = collections.Counter(harness.delivered_ids(receiver.records()))
    assert max(times.values()) == 1


def hang_one_delivery(starts):
    """A service with one attempt under way that will not end by itself, and its event."""
    receiver = starts(harness.Receiver, "--delay", "10m")
    service = starts(harness.Service, *harness.delivering(receiver),
                     env={"REQUEST_TIMEOUT_SECONDS": "600"})
    client = service.client()
    event = client.post_event()
    harness.wait_until(
        lambda: client.json("GET", f"/events/{event}")["deliveries"][0]["state"] == "in_flight",
        "the delivery to be in flight")
    return service, client, event


def test_an_attempt_that_does_not_end_is_abandoned_and_recorded_as_that(starts):
    service, client, event = hang_one_delivery(starts)
    client.close()
    service.terminate()
    assert service.wait(STOP_LIMIT_SECONDS) == 0, service.stderr()
    again = starts(harness.Service, data=service.data, name="serve-again")
    attempts = again.client().json("GET", f"/events/{event}/attempts")["items"]
    assert [(attempt["outcome"], attempt["error"]) for attempt in attempts] == [
        ("abandoned", "reset: given up because the dispatcher is stopping")]


def test_a_second_signal_ends_it_at_once(starts):
    service, client, _ = hang_one_delivery(starts)
    client.close()
    logged = len(service.stderr())
    service.terminate()
    harness.wait_until(lambda: len(service.stderr()) > logged, "a line that says it is stopping")
    assert service.is_running()
    began = time.monotonic()
    service.terminate()
    service.wait(STOP_LIMIT_SECONDS)
    # Without it, the attempt would have had 25 s.
    assert time.monotonic() - began < 15


def test_an_idle_service_ends_without_being_waited_for(starts):
    service = starts(harness.Service)
    idle = service.client()
    service.terminate()
    assert service.wait(STOP_LIMIT_SECONDS) == 0
    idle.close()
