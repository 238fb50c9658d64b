"""Promise: what was sent is what the inbox shows, byte for byte, until it is acknowledged or deleted."""

import json

import pytest

from api_client import INBOX_FIELDS, NO_SUCH_ID, TIMESTAMP, UUID, assert_faults, fault

PAYLOADS = [
    "{}",
    '{"b":1,"a":2}',
    '{"n":1.0,"m":1e3,"k":-0,"l":1E+5,"j":0.10}',
    '{"big":123456789012345678901234567890,"max":9223372036854775808,"long":0.1234567890123456789}',
    '{ "a" : [ 1 , 2 ],\t"b":\r\n{ } }',
    '{"s":"\\u00e9\\/\\n\\ud83d\\ude00","t":"é😀","u":"\\ud800"}',
    '{"a":1,"a":2}',
    '{"":""}',
    '{"nul":"\\u0000","quote":"\\""}',
    '{"e":1e400}',
]


@pytest.fixture
def inbox(start):
    """A client of a service with nothing in it."""
    client = start().client()
    yield client
    client.close()


def test_an_empty_inbox(inbox):
    answer = inbox.get("/inbox")
    assert (answer.status, answer.text) == (200, "[]")
    assert "x-lease-token" not in answer.headers


def test_an_event_is_shown_with_its_fields_in_order(inbox):
    created = inbox.post("/events", '{"type":"a.é","source":"\\"s\\"","payload":{"x":1}}').json
    answer = inbox.get("/inbox")
    event = answer.json[0]
    assert list(event) == INBOX_FIELDS
    time = created["timestamp"]
    assert answer.text == (
        f'[{{"id":"{created["id"]}","type":"a.é","source":"\\"s\\"","payload":{{"x":1}},'
        f'"status":"pending","created_at":"{time}","updated_at":"{time}","delivery_attempts":0,'
        f'"last_delivery_attempt":null,"delivery_latency_ms":null,"error_message":null}}]')


@pytest.mark.parametrize("payload", PAYLOADS)
def test_payloads_come_back_byte_for_byte(api, payload):
    event_id = api.post_event(payload=payload)
    shown = f'"payload":{payload},"status":'.encode()
    assert shown in api.get(f"/events/{event_id}").body
    assert shown in api.get("/inbox").body


def test_white_space_around_a_payload_is_not_part_of_it(api):
    event_id = api.post_event(payload='\n\t {"a": 1} \r\n')
    assert b'"payload":{"a": 1},"status"' in api.get(f"/events/{event_id}").body


def test_newest_first_and_at_most_a_hundred(inbox):
    ids = [inbox.post_event(payload=f'{{"n":{n}}}') for n in range(105)]
    newest_first = list(reversed(ids))
    assert [event["id"] for event in inbox.get("/inbox").json] == newest_first[:100]
    assert [event["id"] for event in inbox.get("/inbox?unknown=1&limit=3").json] == newest_first[:3]
    assert [event["id"] for event in inbox.get("/inbox?limit=1000").json] == newest_first


@pytest.mark.parametrize("limit, type, msg, ctx", [
    ("0", "greater_than_equal", "Input should be greater than or equal to 1", {"ge": 1}),
    ("-5", "greater_than_equal", "Input should be greater than or equal to 1", {"ge": 1}),
    ("1001", "less_than_equal", "Input should be less than or equal to 1000", {"le": 1000}),
    ("9" * 30, "less_than_equal", "Input should be less than or equal to 1000", {"le": 1000}),
    ("x", "int_parsing",
     "Input should be a valid integer, unable to parse string as an integer", {}),
    ("", "int_parsing",
     "Input should be a valid integer, unable to parse string as an integer", {}),
    ("1.5", "int_parsing",
     "Input should be a valid integer, unable to parse string as an integer", {}),
])
def test_a_limit_that_is_none(api, limit, type, msg, ctx):
    assert_faults(api.get(f"/inbox?limit={limit}"),
                  fault(type, ["query", "limit"], msg, limit, **ctx))


def test_an_ack_delivers(inbox):
    event_id = inbox.post_event()
    answer = inbox.post(f"/inbox/{event_id}/ack")
    assert answer.status == 200
    assert list(answer.json) == ["id", "status", "message", "updated_at", "delivery_latency_ms"]
    assert answer.json["id"] == event_id
    assert answer.json["status"] == "delivered"
    assert answer.json["message"] == "Event acknowledged successfully"
    assert TIMESTAMP.match(answer.json["updated_at"])
    assert type(answer.json["delivery_latency_ms"]) is int
    assert inbox.get("/inbox").json == []
    event = inbox.get(f"/events/{event_id}").json
    assert event["status"] == "delivered"
    assert event["delivery_latency_ms"] == answer.json["delivery_latency_ms"]


def test_a_second_ack_is_as_good(api):
    event_id = api.post_event()
    first = api.post(f"/inbox/{event_id}/ack")
    second = api.post(f"/inbox/{event_id}/ack", "whatever")
    assert (first.status, second.status) == (200, 200)
    assert first.json["status"] == second.json["status"] == "delivered"


@pytest.mark.parametrize("shown, path", [
    (NO_SUCH_ID, NO_SUCH_ID),
    ("nonsense", "nonsense"),
    ('a "b" é', "a%20%22b%22%20%C3%A9"),
    ("\ufffd", "%FF"),
    ("100%", "100%"),
    ("export", "export"),
])
def test_an_unknown_id(api, shown, path):
    expected = json.dumps({"detail": f"Event with ID {shown} not found"}, ensure_ascii=False,
                          separators=(",", ":"))
    for method, template in (("POST", "/inbox/{}/ack"), ("DELETE", "/events/{}")):
        answer = api.request(method, template.format(path))
        assert (answer.status, answer.text) == (404, expected)


def test_a_delete_is_for_good(api):
    event_id = api.post_event()
    answer = api.delete(f"/events/{event_id}")
    assert answer.status == 200
    assert list(answer.json) == ["id", "message", "deleted_at"]
    assert answer.json["id"] == event_id
    assert answer.json["message"] == "Event deleted successfully"
    assert TIMESTAMP.match(answer.json["deleted_at"])
    for method, path in (("DELETE", f"/events/{event_id}"), ("POST", f"/inbox/{event_id}/ack"),
                         ("GET", f"/events/{event_id}"), ("GET", f"/events/{event_id}/attempts")):
        assert api.request(method, path).status == 404


def test_many_are_acknowledged_at_once(inbox):
    ids = [inbox.post_event() for _ in range(3)]
    answer = inbox.post("/inbox/ack", {"ids": [ids[0], NO_SUCH_ID, "no uuid", ids[2]]})
    assert answer.status == 200
    assert answer.json == {"items": [
        {"id": ids[0], "status": "delivered"},
        {"id": NO_SUCH_ID, "detail": f"Event with ID {NO_SUCH_ID} not found"},
        {"id": "no uuid", "detail": "Event with ID no uuid not found"},
        {"id": ids[2], "status": "delivered"}]}
    assert [event["id"] for event in inbox.get("/inbox").json] == [ids[1]]
    assert inbox.post("/inbox/ack", {"ids": []}).json == {"items": []}


@pytest.mark.parametrize("body, entry", [
    ({}, fault("missing", ["body", "ids"], "Field required", {})),
    ({"ids": 1}, fault("list_type", ["body", "ids"], "Input should be a valid list", 1)),
    ({"ids": None}, fault("list_type", ["body", "ids"], "Input should be a valid list", None)),
    ({"ids": ["a", 1]},
     fault("string_type", ["body", "ids", 1], "Input should be a valid string", 1)),
])
def test_a_list_of_ids_that_is_none(api, body, entry):
    assert_faults(api.post("/inbox/ack", body), entry)


def test_too_many_ids(api):
    answer = api.post("/inbox/ack", {"ids": [NO_SUCH_ID] * 1001})
    assert answer.status == 422
    assert answer.json["detail"][0]["type"] == "too_long"
    assert len(api.post("/inbox/ack", {"ids": [NO_SUCH_ID] * 1000}).json["items"]) == 1000
