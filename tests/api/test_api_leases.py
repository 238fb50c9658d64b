"""Promise: a leased event is its consumer's alone until the lease ends, and nothing is taken from whoever
holds it."""

import pytest

from api_client import INBOX_FIELDS, NO_SUCH_ID, PATIENCE, assert_faults, fault, missing

import time


@pytest.fixture
def inbox(start):
    """A client of a service with nothing in it."""
    client = start().client()
    yield client
    client.close()


def lease(client, limit=100, seconds=60, consumer="tests"):
    """(token, ids)"""
    answer = client.get(f"/inbox?limit={limit}&lease_seconds={seconds}&consumer={consumer}")
    assert answer.status == 200, answer
    return answer.headers["x-lease-token"], [event["id"] for event in answer.json]


def not_leased(event_id):
    return (f"Event {event_id} is not leased under this token: its lease has ended, or the event "
            "is done")


def held(event_id):
    return f'{{"detail":"Lease of event {event_id} is held by another consumer"}}'


def with_token(token):
    return {"X-Lease-Token": token}


def test_an_empty_inbox_still_has_a_token(inbox):
    token, ids = lease(inbox)
    assert token and ids == []


def test_oldest_due_first_and_to_one_consumer_only(inbox):
    ids = [inbox.post_event(payload=f'{{"n": {n}}}') for n in range(5)]
    first_token, first = lease(inbox, limit=2)
    second_token, second = lease(inbox)
    assert (first, second) == (ids[:2], ids[2:])
    assert first_token != second_token
    assert lease(inbox)[1] == []
    assert inbox.get("/inbox").json == []


def test_a_leased_event_looks_as_ever(inbox):
    inbox.post_event(payload='{ "n":1.0 }')
    answer = inbox.get("/inbox?lease_seconds=60")
    assert list(answer.json[0]) == INBOX_FIELDS
    assert b'"payload":{ "n":1.0 },"status":"pending"' in answer.body


def test_the_holder_acknowledges(inbox):
    event_id = inbox.post_event()
    token, _ = lease(inbox)
    answer = inbox.post(f"/inbox/{event_id}/ack", headers=with_token("another"))
    assert (answer.status, answer.text) == (409, held(event_id))
    assert inbox.post(f"/inbox/{event_id}/ack", headers=with_token(token)).status == 200
    # Delivered is delivered, whoever says so again.
    assert inbox.post(f"/inbox/{event_id}/ack", headers=with_token("another")).status == 200


def test_an_ack_without_a_token_is_always_taken(inbox):
    event_id = inbox.post_event()
    lease(inbox)
    assert inbox.post(f"/inbox/{event_id}/ack").status == 200


def test_many_acks_say_which_are_held(inbox):
    ids = [inbox.post_event() for _ in range(2)]
    token, _ = lease(inbox, limit=1)
    other_token, _ = lease(inbox, limit=1)
    answer = inbox.post("/inbox/ack", {"ids": ids}, headers=with_token(token))
    assert answer.json == {"items": [
        {"id": ids[0], "status": "delivered"},
        {"id": ids[1], "detail": f"Lease of event {ids[1]} is held by another consumer"}]}
    assert other_token != token


def test_a_lease_ends(inbox):
    event_id = inbox.post_event()
    token, _ = lease(inbox, seconds=1)
    deadline = time.monotonic() + PATIENCE
    again = []
    while not again and time.monotonic() < deadline:
        again = lease(inbox, seconds=60)[1]
    assert again == [event_id]
    assert inbox.post(f"/inbox/{event_id}/ack", headers=with_token(token)).status == 409


def test_an_ended_lease_that_nobody_took_is_still_its_holders(inbox):
    event_id = inbox.post_event()
    token, _ = lease(inbox, seconds=1)
    deadline = time.monotonic() + PATIENCE
    while not inbox.get("/inbox").json and time.monotonic() < deadline:
        pass
    assert inbox.post(f"/inbox/{event_id}/ack", headers=with_token(token)).status == 200


def test_a_lease_is_renewed(inbox):
    ids = [inbox.post_event() for _ in range(2)]
    token, _ = lease(inbox, limit=1)
    answer = inbox.post("/inbox/renew", {"ids": [ids[0], ids[1], "no uuid", NO_SUCH_ID],
                                         "lease_seconds": 120}, headers=with_token(token))
    assert answer.status == 200
    assert answer.json == {"items": [
        {"id": ids[0], "leased": True}, {"id": ids[1], "leased": False},
        {"id": "no uuid", "leased": False}, {"id": NO_SUCH_ID, "leased": False}]}


def test_what_renew_needs(api):
    header = missing("header", "x-lease-token", input=None)
    assert_faults(api.post("/inbox/renew", {"ids": [], "lease_seconds": 0}), header,
                  fault("greater_than_equal", ["body", "lease_seconds"],
                        "Input should be greater than or equal to 1", 0, ge=1))
    assert_faults(api.post("/inbox/renew", {"ids": ["a"], "lease_seconds": 3601},
                           headers=with_token("t")),
                  fault("less_than_equal", ["body", "lease_seconds"],
                        "Input should be less than or equal to 3600", 3601, le=3600))
    assert_faults(api.post("/inbox/renew", {"ids": ["a"], "lease_seconds": "soon"},
                           headers=with_token("t")),
                  fault("int_parsing", ["body", "lease_seconds"],
                        "Input should be a valid integer, unable to parse string as an integer",
                        "soon"))
    assert_faults(api.post("/inbox/renew", {}, headers=with_token("t")),
                  missing("body", "ids", input={}), missing("body", "lease_seconds", input={}))


@pytest.mark.parametrize("query, name, bound", [
    ("lease_seconds=0", "lease_seconds", ("greater_than_equal", "greater", "ge", 1)),
    ("lease_seconds=3601", "lease_seconds", ("less_than_equal", "less", "le", 3600)),
    ("lease_seconds=10&limit=1001", "limit", ("less_than_equal", "less", "le", 1000)),
])
def test_bounds_of_a_lease(api, query, name, bound):
    type, word, key, value = bound
    given = dict(pair.split("=") for pair in query.split("&"))[name]
    assert_faults(api.get(f"/inbox?{query}"),
                  fault(type, ["query", name], f"Input should be {word} than or equal to {value}",
                        given, **{key: value}))


def test_a_label_that_is_too_long(api):
    answer = api.get("/inbox?lease_seconds=1&consumer=" + "x" * 256)
    assert answer.status == 422
    assert answer.json["detail"][0]["type"] == "string_too_long"


def nack(client, event_id, token, body=None):
    return client.post(f"/inbox/{event_id}/nack", body, headers=with_token(token))


@pytest.mark.parametrize("body", [None, "", "null", "{}"])
def test_a_nack_without_a_word_gives_the_event_back(inbox, body):
    event_id = inbox.post_event()
    token, _ = lease(inbox)
    answer = nack(inbox, event_id, token, body)
    assert answer.status == 200
    assert list(answer.json) == INBOX_FIELDS
    assert answer.json["delivery_attempts"] == 0
    assert lease(inbox)[1] == [event_id]


def test_a_nack_with_an_error_waits_for_the_schedule(inbox):
    event_id = inbox.post_event()
    token, _ = lease(inbox)
    answer = nack(inbox, event_id, token, {"error": "connect: refused"})
    assert (answer.status, answer.json["status"]) == (200, "pending")
    assert lease(inbox)[1] == []
    assert [event["id"] for event in inbox.get("/inbox").json] == [event_id]


def test_a_nack_says_when_to_try_again(inbox):
    event_id = inbox.post_event()
    token, _ = lease(inbox)
    assert nack(inbox, event_id, token, {"error": "status: 503", "retry_after_seconds": 0.01}
                ).status == 200
    deadline = time.monotonic() + PATIENCE
    again = []
    while not again and time.monotonic() < deadline:
        again = lease(inbox)[1]
    assert again == [event_id]


@pytest.mark.parametrize("reason", ["rejected", "redirected", "blocked", "exhausted"])
def test_a_nack_with_a_reason_ends_in_review(inbox, reason):
    event_id = inbox.post_event()
    token, _ = lease(inbox)
    answer = nack(inbox, event_id, token, {"error": "status: 404", "reason": reason})
    assert (answer.status, answer.json["status"]) == (200, "pending")
    assert lease(inbox)[1] == []
    summary = inbox.get("/metrics/summary").json
    assert (summary["pending"], summary["failed"]) == (0, 1)


def test_a_nack_needs_the_lease(inbox):
    event_id = inbox.post_event()
    token, _ = lease(inbox)
    assert_faults(inbox.post(f"/inbox/{event_id}/nack", {}),
                  missing("header", "x-lease-token", input=None))
    answer = nack(inbox, event_id, "another", {"error": "x"})
    assert (answer.status, answer.text) == (409, held(event_id))
    assert nack(inbox, event_id, token, {"retry_after_seconds": 60}).status == 200
    for no_lease in (token, "another"):
        answer = nack(inbox, event_id, no_lease, {"reason": "rejected"})
        assert (answer.status, answer.detail) == (409, not_leased(event_id))
    assert inbox.post(f"/inbox/{event_id}/ack").status == 200
    answer = nack(inbox, event_id, token, {})
    assert (answer.status, answer.detail) == (409, not_leased(event_id))
    assert nack(inbox, NO_SUCH_ID, token, {}).status == 404
    assert nack(inbox, "no-uuid", token, {}).status == 404


def test_an_event_without_endpoints_shows_why_it_is_in_review(inbox):
    event_id = inbox.post_event()
    token, _ = lease(inbox)
    assert nack(inbox, event_id, token, {"reason": "rejected", "error": "bad"}).status == 200
    shown = inbox.get(f"/events/{event_id}").json
    assert list(shown)[-2:] == ["deliveries", "unmatched"]
    assert shown["deliveries"] == []
    assert shown["unmatched"] == {"state": "review", "attempts": 1, "next_attempt_at": None,
                                  "review_reason": "rejected", "last_status": None,
                                  "last_error": "bad"}


def test_what_a_consumer_tried_is_kept(inbox):
    event_id = inbox.post_event()
    token, _ = lease(inbox)
    attempts = [{"number": n, "endpoint_id": "ep_1", "started_at": f"2026-01-01T00:00:0{n}.000000Z",
                 "duration_ms": 12, "outcome": "retryable", "status": 503, "error": "status: 503",
                 "response_body": "busy é", "remote_address": "192.0.2.1:443"} for n in (1, 2)]
    assert nack(inbox, event_id, token, {"error": "status: 503", "attempts": attempts}).status == 200
    items = inbox.get(f"/events/{event_id}/attempts").json["items"]
    assert [list(item) for item in items] == [list(attempts[0])] * 2
    for item, attempt in zip(items, attempts):
        assert {key: item[key] for key in item if key not in ("number", "endpoint_id")} == \
               {key: attempt[key] for key in attempt if key not in ("number", "endpoint_id")}


@pytest.mark.parametrize("body, loc, type", [
    ({"reason": "because"}, ["body", "reason"], "literal_error"),
    ({"error": 1}, ["body", "error"], "string_type"),
    ({"retry_after_seconds": -1}, ["body", "retry_after_seconds"], "greater_than_equal"),
    ({"retry_after_seconds": "x"}, ["body", "retry_after_seconds"], "float_type"),
    ({"attempts": {}}, ["body", "attempts"], "list_type"),
    ({"attempts": [1]}, ["body", "attempts", 0], "model_attributes_type"),
    ({"attempts": [{}]}, ["body", "attempts", 0, "outcome"], "missing"),
    ({"attempts": [{"outcome": "fine"}]}, ["body", "attempts", 0, "outcome"], "literal_error"),
    ({"attempts": [{"outcome": "retryable", "started_at": "now"}]},
     ["body", "attempts", 0, "started_at"], "datetime_from_date_parsing"),
    ({"attempts": [{"outcome": "retryable", "endpoint_id": "<script>"}]},
     ["body", "attempts", 0, "endpoint_id"], "string_pattern_mismatch"),
    ({"delivered": [1]}, ["body", "delivered", 0], "string_type"),
    ({"delivered": ["ep_1", ""]}, ["body", "delivered", 1], "string_pattern_mismatch"),
    ({"delivered": ["x" * 65]}, ["body", "delivered", 0], "string_pattern_mismatch"),
    ({"delivered": ["https://hooks.example/x"]}, ["body", "delivered", 0],
     "string_pattern_mismatch"),
    ([], ["body"], "model_attributes_type"),
])
def test_what_is_wrong_with_a_nack(inbox, body, loc, type):
    event_id = inbox.post_event()
    token, _ = lease(inbox)
    answer = nack(inbox, event_id, token, body)
    assert answer.status == 422, answer
    entry = answer.json["detail"][0]
    assert (entry["loc"], entry["type"]) == (loc, type)
