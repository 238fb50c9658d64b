"""Promise: a batch is taken as a whole or not at all, and answers in order."""

import json

import pytest

from api_client import assert_faults, fault, missing

NDJSON = "application/x-ndjson"


def event(n, payload="{}"):
    return f'{{"type":"batch","source":"s{n}","payload":{payload}}}'


def test_an_array_is_answered_in_order(api):
    answer = api.post("/events/batch", "[" + ",".join(event(n) for n in range(3)) + "]")
    assert answer.status == 201
    assert list(answer.json) == ["items"]
    for n, item in enumerate(answer.json["items"]):
        assert list(item) == ["id", "status", "timestamp"]
        assert item["status"] == "pending"
        assert api.get(f"/events/{item['id']}").json["source"] == f"s{n}"


@pytest.mark.parametrize("body", [
    event(0) + "\n" + event(1),
    event(0) + "\r\n\r\n  " + event(1) + "\n\n",
])
def test_lines_are_answered_in_order(api, body):
    answer = api.post("/events/batch", body, content_type=NDJSON)
    assert answer.status == 201
    sources = [api.get(f"/events/{item['id']}").json["source"] for item in answer.json["items"]]
    assert sources == ["s0", "s1"]


def test_payloads_stay_as_they_are(api):
    payload = '{ "n" : 1.0 , "m":1e3 }'
    for body, type in (("[ " + event(0, payload) + " ]", "application/json"),
                       (event(0, payload), NDJSON)):
        answer = api.post("/events/batch", body, content_type=type)
        shown = api.get(f"/events/{answer.json['items'][0]['id']}").body
        assert f'"payload":{payload},'.encode() in shown


@pytest.mark.parametrize("body, type", [("[]", "application/json"), ("\n \n", NDJSON)])
def test_an_empty_batch_makes_nothing(api, body, type):
    answer = api.post("/events/batch", body, content_type=type)
    assert (answer.status, answer.text) == (201, '{"items":[]}')


def test_a_thousand_and_no_more(api):
    thousand = [event(n) for n in range(1000)]
    assert len(api.post("/events/batch", "[" + ",".join(thousand) + "]").json["items"]) == 1000
    more = thousand + [event(1000)]
    for body, type in (("[" + ",".join(more) + "]", "application/json"), ("\n".join(more), NDJSON)):
        answer = api.post("/events/batch", body, content_type=type)
        assert answer.status == 422
        entry = answer.json["detail"][0]
        assert (entry["type"], entry["loc"]) == ("too_long", ["body"])
        assert entry["msg"] == "List should have at most 1000 items after validation, not 1001"
        assert entry["ctx"] == {"field_type": "List", "max_length": 1000, "actual_length": 1001}


def test_one_bad_event_refuses_all(api):
    before = api.get("/metrics/summary").json["total"]
    body = f'[{event(0)},{{"type":1,"payload":{{}}}},3]'
    assert_faults(
        api.post("/events/batch", body),
        fault("string_type", ["body", 1, "type"], "Input should be a valid string", 1),
        missing("body", 1, "source", input={"type": 1, "payload": {}}),
        fault("model_attributes_type", ["body", 2],
              "Input should be a valid dictionary or object to extract fields from", 3))
    assert api.get("/metrics/summary").json["total"] == before


def test_a_line_that_is_no_json_is_named(api):
    body = event(0) + "\n\n" + '{"type":}'
    assert_faults(api.post("/events/batch", body, content_type=NDJSON),
                  fault("json_invalid", ["body", 1, 8], "JSON decode error", {},
                        error="Expecting value"))


@pytest.mark.parametrize("body", ["{}", '"x"', "1"])
def test_what_is_no_list(api, body):
    assert_faults(api.post("/events/batch", body),
                  fault("list_type", ["body"], "Input should be a valid list", json.loads(body)))


def test_no_batch_at_all(api):
    assert_faults(api.post("/events/batch", ""), missing("body", input=None))
    assert_faults(api.post("/events/batch", "null"), missing("body", input=None))
    assert_faults(api.post("/events/batch", "", content_type=NDJSON), missing("body", input=None))
    assert_faults(api.post("/events/batch", "[1", content_type="application/json"),
                  fault("json_invalid", ["body", 2], "JSON decode error", {},
                        error="Expecting ',' delimiter"))


@pytest.mark.parametrize("type", ["application/json", NDJSON])
def test_bytes_that_are_no_text(api, type):
    answer = api.post("/events/batch", b'[{"type":"\xff"}]', content_type=type)
    assert (answer.status, answer.text) == (400, '{"detail":"There was an error parsing the body"}')
