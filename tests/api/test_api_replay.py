"""What a person does with deliveries that ended or wait for one, over HTTP: one event or a filter's,
with a dry run, and with an account of who did it."""

import pytest

from api_client import NO_SUCH_ID, TIMESTAMP, wait_until


@pytest.fixture
def receiver(receive):
    return receive(status=404)


@pytest.fixture
def hooks(delivering, receiver):
    """A client of a service with one endpoint, which refuses what it gets."""
    client = delivering.client()
    client.endpoint = client.post("/endpoints", {"url": receiver.url()}).json["id"]
    yield client
    client.delete(f"/endpoints/{client.endpoint}?waiting=discard")
    client.close()


def delivery_of(client, event):
    [delivery] = [one for one in client.get(f"/events/{event}").json["deliveries"]
                  if one["endpoint_id"] == client.endpoint]
    return delivery


def refused_events(client, count, type="order.created"):
    events = [client.post_event(type) for _ in range(count)]
    wait_until(lambda: all(delivery_of(client, one)["state"] == "review" for one in events),
               "the events to be in review")
    return events


def test_an_event_is_delivered_again(hooks, receiver):
    [event] = refused_events(hooks, 1)
    assert "releases" not in hooks.get(f"/events/{event}").json
    receiver.status = 200
    answer = hooks.post(f"/events/{event}/replay", {"note": "the receiver is mended"})
    assert (answer.status, answer.json) == (202, {"id": event, "replayed": 1})
    wait_until(lambda: delivery_of(hooks, event)["state"] == "delivered", "the delivery")
    attempts = hooks.get(f"/events/{event}/attempts").json["items"]
    assert [(one["number"], one["status"]) for one in attempts] == [(1, 404), (2, 200)]
    first, second = receiver.requests
    assert first[1]["webhook-id"] == second[1]["webhook-id"] == event
    shown = hooks.get(f"/events/{event}").json
    assert list(shown)[-2:] == ["deliveries", "releases"]
    [release] = shown["releases"]
    assert list(release) == ["endpoint_id", "action", "at", "by", "note"]
    assert (release["endpoint_id"], release["action"]) == (hooks.endpoint, "replay")
    assert release["by"].endswith("... from 127.0.0.1") and release["note"] == "the receiver is mended"
    assert TIMESTAMP.match(release["at"])
    # One that was delivered can be delivered once more, without a body too.
    assert hooks.post(f"/events/{event}/replay").json["replayed"] == 1
    wait_until(lambda: len(receiver.requests) == 3, "the third request")


def test_one_endpoint_of_an_event_can_be_meant(hooks):
    [event] = refused_events(hooks, 1)
    hooks.post(f"/endpoints/{hooks.endpoint}/pause")
    answer = hooks.post(f"/events/{event}/replay", {"endpoint_id": hooks.endpoint})
    assert answer.json["replayed"] == 1
    assert delivery_of(hooks, event)["state"] == "waiting"
    # What waits already is left as it is, and not counted.
    assert hooks.post(f"/events/{event}/replay").json["replayed"] == 0
    other = hooks.post(f"/events/{event}/replay", {"endpoint_id": "ep_other"})
    assert (other.status, other.detail) == (
        404, f"Event {event} has no delivery to endpoint ep_other")
    hooks.delete(f"/endpoints/{hooks.endpoint}?waiting=discard")
    deleted = hooks.post(f"/events/{event}/replay", {"endpoint_id": hooks.endpoint})
    assert (deleted.status, deleted.detail) == (
        404, f"Endpoint {hooks.endpoint} was deleted: event {event} cannot be delivered to it again")
    unknown = hooks.post(f"/events/{NO_SUCH_ID}/replay")
    assert (unknown.status, unknown.detail) == (404, f"Event with ID {NO_SUCH_ID} not found")


def test_one_event_is_given_up(hooks):
    event, other = refused_events(hooks, 2)
    answer = hooks.post(f"/events/{event}/discard", {"endpoint_id": hooks.endpoint, "note": "obsolete"})
    assert (answer.status, answer.json) == (202, {"id": event, "discarded": 1})
    shown = hooks.get(f"/events/{event}").json
    assert shown["status"] == "failed" and delivery_of(hooks, event)["state"] == "discarded"
    assert [(one["action"], one["note"]) for one in shown["releases"]] == [("discard", "obsolete")]
    assert delivery_of(hooks, other)["state"] == "review"
    # What ended already is left as it is, and not counted.
    assert hooks.post(f"/events/{event}/discard").json == {"id": event, "discarded": 0}
    nowhere = hooks.post(f"/events/{event}/discard", {"endpoint_id": "ep_other"})
    assert (nowhere.status, nowhere.detail) == (
        404, f"Event {event} has no delivery to endpoint ep_other")
    unknown = hooks.post(f"/events/{NO_SUCH_ID}/discard")
    assert (unknown.status, unknown.detail) == (404, f"Event with ID {NO_SUCH_ID} not found")


def test_a_filter_is_tried_out_and_then_replayed_within_a_limit(hooks, receiver):
    events = refused_events(hooks, 5, "order.created") + refused_events(hooks, 2, "stock.low")
    wanted = {"filter": {"state": "review", "endpoint_id": hooks.endpoint, "type": "order.created"}}
    dry = hooks.post("/replay", {**wanted, "dry_run": True})
    assert (dry.status, dry.json) == (202, {"matched": 5, "replayed": 0, "deliveries": 5})
    assert hooks.post("/replay", {**wanted, "dry_run": True, "limit": 3}).json["matched"] == 3
    assert all(delivery_of(hooks, event)["state"] == "review" for event in events)
    receiver.status = 200
    assert hooks.post("/replay", {**wanted, "limit": 2}).json == {"matched": 2, "replayed": 2}
    wait_until(lambda: [delivery_of(hooks, one)["state"] for one in events[:2]] == ["delivered"] * 2,
               "the oldest two to be delivered")
    assert hooks.post("/replay", wanted).json == {"matched": 3, "replayed": 3}
    wait_until(lambda: all(delivery_of(hooks, one)["state"] == "delivered" for one in events[:5]),
               "the rest to be delivered")
    assert all(delivery_of(hooks, one)["state"] == "review" for one in events[5:])


def test_a_dry_run_counts_what_would_be_sent_again(hooks, receiver, receive):
    good = receive(status=200)
    other = hooks.post("/endpoints", {"url": good.url(), "types": ["order.split"]}).json["id"]
    try:
        [event] = refused_events(hooks, 1, "order.split")
        wait_until(lambda: sorted(one["state"] for one in hooks.get(f"/events/{event}").json["deliveries"])
                   == ["delivered", "review"], "the other delivery")
        by_type = {"filter": {"type": "order.split"}}
        narrow = {"filter": {"type": "order.split", "state": "review"}}
        for wanted, count in ((by_type, 2), (narrow, 1)):
            assert hooks.post("/replay", {**wanted, "dry_run": True}).json == {
                "matched": 1, "replayed": 0, "deliveries": count}
        assert hooks.post("/discard", {**by_type, "dry_run": True}).json["deliveries"] == 1
        # What waits already is matched, and would be left as it is.
        hooks.post(f"/endpoints/{hooks.endpoint}/pause")
        assert hooks.post("/replay", narrow).json["replayed"] == 1
        waiting = {"filter": {"endpoint_id": hooks.endpoint, "type": "order.split"}}
        assert hooks.post("/replay", {**waiting, "dry_run": True}).json == {
            "matched": 1, "replayed": 0, "deliveries": 0}
        assert delivery_of(hooks, event)["state"] == "waiting"
    finally:
        hooks.delete(f"/endpoints/{other}?waiting=discard")


def test_what_a_filter_matches_is_given_up(hooks):
    [event] = refused_events(hooks, 1, "order.lost")
    answer = hooks.post("/discard", {"filter": {"reason": "rejected", "type": "order.lost"},
                                     "note": "obsolete"})
    assert (answer.status, answer.json) == (202, {"matched": 1, "discarded": 1})
    assert delivery_of(hooks, event)["state"] == "discarded"
    shown = hooks.get(f"/events/{event}").json
    assert shown["status"] == "failed"
    assert [(one["action"], one["note"]) for one in shown["releases"]] == [("discard", "obsolete")]


@pytest.mark.parametrize("body", [
    None, {}, {"filter": {}}, {"filter": {"state": None}}, {"filter": None},
    {"filter": {"tpye": "a"}}, {"filter": {"state": "review", "tpye": "a"}},
    {"filter": {"state": "reviewed"}}, {"filter": {"from": "yesterday"}}, {"filter": ["review"]},
    {"filter": {"state": "review"}, "dryrun": True}, {"filter": {"state": "review"}, "dry_run": 1},
    {"filter": {"state": "review"}, "limit": 0}, {"filter": {"state": "review"}, "note": "x" * 1001},
    {"filter": {"state": "review"}, "note": 7}], ids=str)
def test_what_is_not_clear_is_refused_and_touches_nothing(hooks, body):
    [event] = refused_events(hooks, 1)
    for path in ("/replay", "/discard"):
        assert hooks.post(path, body).status == 422
    assert delivery_of(hooks, event)["state"] == "review"


def test_review_is_listed_by_reason_endpoint_type_and_time(hooks):
    events = refused_events(hooks, 2, "order.listed")
    created = hooks.get(f"/events/{events[0]}").json["created_at"]
    review = f"state=review&endpoint_id={hooks.endpoint}"

    def listed(query):
        return [one["id"] for one in hooks.get(f"/events?{query}").json["items"]]

    for query in (review, f"{review}&reason=rejected", f"{review}&type=order.listed",
                  f"{review}&from={created}", "state=review&type=order.listed"):
        assert listed(query) == events[::-1], query
    assert listed(f"{review}&to={created}") == events[:1]
    assert listed(f"{review}&order=asc") == events
    for query in (f"{review}&reason=exhausted", f"{review}&type=other", f"{review}&to=2020-01-01",
                  f"state=delivered&endpoint_id={hooks.endpoint}", "state=review&endpoint_id=ep_other"):
        assert listed(query) == [], query
