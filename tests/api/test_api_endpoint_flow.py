"""What goes to an endpoint, how much of it at once, and what an event is called meanwhile: filters, the
limits of one endpoint, the status of an event with several, and what is erased."""

import pytest

from api_client import wait_until


@pytest.fixture
def hooks(delivering):
    """A client of the service that delivers; its endpoints end with the test."""
    client = delivering.client()
    yield client
    for endpoint in client.get("/endpoints?limit=1000").json["items"]:
        assert client.delete(f"/endpoints/{endpoint['id']}?waiting=discard").status == 204
    client.close()


def create(client, receiver, **settings):
    """The path of a new endpoint, which goes to review at its first failure."""
    answer = client.post("/endpoints", {"url": receiver.url(), "retries": 0, "schedule_seconds": [],
                                        **settings})
    assert answer.status == 201, answer
    return f"/endpoints/{answer.json['id']}"


def states(client, event):
    return [one["state"] for one in client.get(f"/events/{event}").json["deliveries"]]


def wait_for(client, event, *expected):
    wait_until(lambda: states(client, event) == list(expected), f"{event} to be {expected}")
    return client.get(f"/events/{event}").json


def post_batch(client, count, type):
    answer = client.post("/events/batch", [{"type": type, "source": "s", "payload": {}}] * count)
    assert answer.status == 201, answer
    return [one["id"] for one in answer.json["items"]]


def test_no_more_attempts_begin_in_a_second_than_its_rate(hooks, receive):
    receiver = receive()
    create(hooks, receiver, rate_per_second=20)
    post_batch(hooks, 31, "paced")
    wait_until(lambda: len(receiver.requests) == 31, "the events")
    # 1.5 s, less what a busy machine may have held up the first of them.
    assert receiver.arrivals[-1] - receiver.arrivals[0] > 1


def test_no_more_requests_are_under_way_than_its_concurrency(hooks, receive):
    slow, other = receive(is_open=False), receive()
    endpoint = create(hooks, slow, types=["slow"], concurrency=3)
    create(hooks, other, types=["other"])
    events = post_batch(hooks, 10, "slow")
    wait_until(lambda: len(slow.requests) == 3, "its slots to be taken")
    # What other endpoints get does not wait for it, and it gets no more meanwhile.
    for event in post_batch(hooks, 20, "other"):
        wait_for(hooks, event, "delivered")
    assert len(slow.requests) == 3
    assert sorted(states(hooks, event)[0] for event in events) == ["in_flight"] * 3 + ["waiting"] * 7
    hooks.patch(endpoint, {"concurrency": 5})
    wait_until(lambda: len(slow.requests) == 5, "the slots that were added")
    slow.open()
    wait_until(lambda: hooks.get(endpoint).json["stats"]["delivered"] == 10, "the rest")


def test_filters_match_exactly_or_by_a_prefix_and_both_must(hooks, receive):
    receiver = receive()
    create(hooks, receiver, types=["order.*", "exact"], sources=["eu-*", "shop"])
    matching = [hooks.post_event(type, source) for type, source in [
        ("order.created", "shop"), ("order.", "eu-"), ("exact", "eu-1")]]
    for type, source in [("order", "shop"), ("Order.created", "shop"), ("exactly", "shop"),
                         ("exact", "eu"), ("exact", "shop2"), ("", "")]:
        event = hooks.post_event(type, source)
        assert states(hooks, event) == [], (type, source)
        assert hooks.get(f"/events/{event}").json["status"] == "pending"
    for event in matching:
        wait_for(hooks, event, "delivered")


def test_an_event_is_what_its_deliveries_are_together(hooks, receive):
    takes, refuses = receive(), receive(status=404)
    create(hooks, takes, types=["both"])
    refusing = create(hooks, refuses, types=["both", "refused"])
    review = {"filter": {"state": "review", "endpoint_id": refusing.split("/")[-1]}}
    both, refused = hooks.post_event("both"), hooks.post_event("refused")
    # Some are open: pending. In review it is one that failed, for the summary.
    assert wait_for(hooks, both, "delivered", "review")["status"] == "pending"
    assert wait_for(hooks, refused, "review")["status"] == "pending"
    # Discarded by a person: delivered when one of them was, else failed.
    assert hooks.post("/discard", review).json == {"matched": 2, "discarded": 2}
    assert wait_for(hooks, both, "delivered", "discarded")["status"] == "delivered"
    assert wait_for(hooks, refused, "discarded")["status"] == "failed"
    # A consumer's acknowledgement is a delivery too.
    hooks.post(f"{refusing}/pause")
    hooks.post(f"/events/{refused}/replay")
    assert wait_for(hooks, refused, "waiting")["status"] == "pending"
    assert hooks.post(f"/inbox/{refused}/ack").status == 200
    assert wait_for(hooks, refused, "discarded")["status"] == "delivered"


def test_what_comes_while_an_endpoint_is_disabled_is_not_for_it(hooks, receive):
    receiver = receive(status=410)
    endpoint = create(hooks, receiver, types=["gone"], concurrency=1)
    had = post_batch(hooks, 2, "gone")
    wait_until(lambda: hooks.get(endpoint).json["state"] == "disabled", "the endpoint to be disabled")
    assert sorted(states(hooks, event)[0] for event in had) == ["review", "waiting"]
    late = hooks.post_event("gone")
    assert states(hooks, late) == []
    receiver.status = 200
    hooks.post(f"{endpoint}/resume")
    hooks.post("/replay", {"filter": {"state": "review", "endpoint_id": endpoint.split("/")[-1]}})
    for event in had:
        wait_for(hooks, event, "delivered")
    # It waits where people see it, for consumers and for an endpoint that starts with what waits.
    assert late in [one["id"] for one in hooks.get("/events?state=waiting&type=gone").json["items"]]
    create(hooks, receiver, types=["gone"], start="pending")
    wait_for(hooks, late, "delivered")


def test_what_is_erased_is_gone_for_good(hooks, receive):
    receiver = receive(status=404, is_open=False)
    endpoint = create(hooks, receiver, types=["erased"])
    id = endpoint.split("/")[-1]
    in_flight = hooks.post_event("erased")
    wait_until(lambda: receiver.requests, "the request to be under way")
    assert hooks.delete(f"/events/{in_flight}").status == 200
    receiver.open()
    review = hooks.post_event("erased")
    wait_for(hooks, review, "review")
    assert hooks.delete(f"/events/{review}").status == 200
    hooks.post(f"{endpoint}/pause")
    waiting = hooks.post_event("erased")
    assert hooks.delete(f"/events/{waiting}").status == 200
    for query in ("type=erased&status=pending", "type=erased&state=review", f"endpoint_id={id}"):
        assert hooks.get(f"/events?{query}").json["items"] == [], query
    assert hooks.post("/replay", {"filter": {"type": "erased"}}).json == {"matched": 0, "replayed": 0}
    for event in (in_flight, review, waiting):
        assert event not in hooks.get("/inbox").text
        for answer in (hooks.get(f"/events/{event}"), hooks.get(f"/events/{event}/attempts"),
                       hooks.post(f"/events/{event}/replay"), hooks.post(f"/inbox/{event}/ack"),
                       hooks.delete(f"/events/{event}")):
            assert (answer.status, answer.detail) == (404, f"Event with ID {event} not found")
    stats = hooks.get(endpoint).json["stats"]
    assert (stats["waiting"], stats["review"], stats["oldest_waiting"]) == (0, 0, None)
    sent = len(receiver.requests)
    hooks.post(f"{endpoint}/resume")
    receiver.status = 200
    wait_for(hooks, hooks.post_event("erased"), "delivered")
    assert len(receiver.requests) == sent + 1
