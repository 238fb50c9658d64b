"""Promise: what is wrong with an event is told in the original validator's words, all faults at once."""

import json

import pytest

from api_client import TIMESTAMP, UUID, assert_faults, fault, missing

STRING = "Input should be a valid string"
OBJECT = "Input should be a valid dictionary"
MODEL = "Input should be a valid dictionary or object to extract fields from"


def test_an_event_is_created(api):
    answer = api.post("/events", '{"type":"a","source":"b","payload":{"x":1}}')
    assert answer.status == 201
    assert list(answer.json) == ["id", "status", "timestamp"]
    assert UUID.match(answer.json["id"])
    assert answer.json["status"] == "pending"
    assert TIMESTAMP.match(answer.json["timestamp"])
    assert " " not in answer.text


@pytest.mark.parametrize("body", [
    '{"type":"","source":"","payload":{}}',
    '{"type":"a","source":"b","payload":{},"unknown":1}',
    '  {"payload":{} , "type":"a","source":"b"}\r\n',
    '\ufeff{"type":"a","source":"b","payload":{}}',
    '{"type":1,"type":"a","source":"b","payload":[],"payload":{}}',
])
def test_what_may_be_is_taken(api, body):
    assert api.post("/events", body).status == 201


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8",
                                          "application/cloudevents+json", None])
def test_content_types_that_are_json(api, content_type):
    answer = api.post("/events", '{"type":"a","source":"b","payload":{}}',
                      content_type=content_type)
    assert answer.status == 201


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "json",
                                          "application/octet-stream", "text/json"])
def test_another_content_type_is_taken_as_text(api, content_type):
    body = '{"type":"a", "é":"\\n"}'
    assert_faults(api.post("/events", body, content_type=content_type),
                  fault("model_attributes_type", ["body"], MODEL, body))


@pytest.mark.parametrize("body", ["", "null", "  null "])
def test_no_body(api, body):
    assert_faults(api.post("/events", body), missing("body", input=None))


@pytest.mark.parametrize("body", ["[]", "[1, 2]", '"text"', "1.50", "true", "-0", "1e3"])
def test_a_body_that_is_no_object(api, body):
    assert_faults(api.post("/events", body),
                  fault("model_attributes_type", ["body"], MODEL, json.loads(body)))


def test_all_fields_missing(api):
    assert_faults(api.post("/events", "{}"), *(missing("body", name, input={})
                                               for name in ("type", "source", "payload")))


def test_the_whole_body_is_the_input_of_what_is_missing(api):
    body = {"source": "s", "z": [1, 2.5, {"a": None}], "a": "é\n\"\\ \u0001"}
    assert_faults(api.post("/events", body), missing("body", "type", input=body),
                  missing("body", "payload", input=body))


@pytest.mark.parametrize("value", [1, 2.5, True, None, [], {"a": 1}])
def test_a_type_that_is_no_string(api, value):
    assert_faults(api.post("/events", {"type": value, "source": "b", "payload": {}}),
                  fault("string_type", ["body", "type"], STRING, value))


@pytest.mark.parametrize("value", ["x", 1, None, True, [{}]])
def test_a_payload_that_is_no_object(api, value):
    assert_faults(api.post("/events", {"type": "a", "source": "b", "payload": value}),
                  fault("dict_type", ["body", "payload"], OBJECT, value))


def test_all_faults_come_in_the_order_of_the_fields(api):
    body = {"payload": 7, "type": [1]}
    assert_faults(api.post("/events", body),
                  fault("string_type", ["body", "type"], STRING, [1]),
                  missing("body", "source", input=body),
                  fault("dict_type", ["body", "payload"], OBJECT, 7))


def test_half_a_surrogate_pair_is_no_string(api):
    answer = api.post("/events", '{"type":"\\ud800","source":"b","payload":{}}')
    assert answer.status == 422
    assert answer.json["detail"][0]["type"] == "string_unicode"
    assert answer.json["detail"][0]["loc"] == ["body", "type"]


@pytest.mark.parametrize("body", [b"\xff", b'{"type":"\xff","source":"b","payload":{}}',
                                  b'{"a":"\xed\xa0\x80"}', b"\xc3", b'{"broken":\xfe'])
@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
def test_a_body_that_is_not_utf8(api, body, content_type):
    answer = api.post("/events", body, content_type=content_type)
    assert (answer.status, answer.text) == (400, '{"detail":"There was an error parsing the body"}')


@pytest.mark.parametrize("body", ["[" * 5000, "[" * 5000 + "]" * 5000, '{"a":' * 5000,
                                  '{"type":"a","source":"b","payload":' + '{"a":' * 2000 + "1" +
                                  "}" * 2001])
def test_a_body_that_nests_too_deep(api, body):
    answer = api.post("/events", body)
    assert (answer.status, answer.text) == (400, '{"detail":"There was an error parsing the body"}')


def test_deep_payloads_within_the_limit_come_back(api):
    payload = '{"a":' * 800 + "1" + "}" * 800
    event_id = api.post_event(payload=payload)
    assert payload.encode() in api.get(f"/events/{event_id}").body
