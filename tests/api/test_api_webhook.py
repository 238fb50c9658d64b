"""Promise: webhooks are taken from whoever may send them, checked, and shown."""

import base64
import hashlib
import hmac
import json
import time

import pytest

from api_client import TIMESTAMP, UUID, assert_faults, fault, missing

LOG_FIELDS = ["id", "event_type", "payload", "source_ip", "timestamp", "status", "request_id"]
SECRET = "webhook-secret-of-the-tests"


@pytest.fixture
def fresh(start):
    client = start().client()
    yield client
    client.close()


@pytest.fixture(scope="module")
def signed(start):
    return start(secrets={"zapier_api_key": "a-key-of-the-tests", "jwt_secret": "a-jwt-secret",
                          "zapier_webhook_secret": SECRET})


def test_a_webhook_is_received_and_logged(fresh):
    answer = fresh.request("POST", "/webhook", '{"event_type":"a","payload":{"x": 1.0}}',
                           headers={"authorization": "none", "X-Request-ID": "req-1"})
    assert answer.status == 200
    assert list(answer.json) == ["status", "message", "event_id", "timestamp"]
    assert answer.json["status"] == "received"
    assert answer.json["message"] == "Webhook event received and logged successfully"
    assert answer.json["event_id"] == "unknown"
    assert TIMESTAMP.match(answer.json["timestamp"])
    logs = fresh.get("/webhooks/logs")
    entry = logs.json[0]
    assert list(entry) == LOG_FIELDS
    assert UUID.match(entry["id"])
    assert entry["event_type"] == "a"
    assert b'"payload":{"x": 1.0},' in logs.body
    assert entry["source_ip"] == "127.0.0.1"
    assert TIMESTAMP.match(entry["timestamp"])
    assert entry["status"] == "received"
    assert entry["request_id"] == "req-1"


def test_id_and_time_are_the_senders(fresh):
    event_id = "6f2f0c0e-8a52-4d6c-9a3c-0d3c2f7b1a11"
    answer = fresh.post("/webhook", {"event_type": "a", "payload": {}, "event_id": event_id,
                                     "timestamp": "2024-01-15T10:30:00Z"})
    assert answer.json["event_id"] == event_id
    entry = fresh.get("/webhooks/logs").json[0]
    assert entry["id"] == event_id
    assert entry["timestamp"] == "2024-01-15T10:30:00.000000Z"
    assert entry["request_id"] == "none"


def test_an_id_may_be_anything(fresh):
    answer = fresh.post("/webhook", {"event_type": "a", "payload": {}, "event_id": "evt-1"})
    assert answer.json["event_id"] == "evt-1"
    assert fresh.get("/webhooks/logs").json[0]["id"] == "evt-1"


def test_optional_fields_may_be_null(fresh):
    answer = fresh.post("/webhook", {"event_type": "a", "payload": {}, "event_id": None,
                                     "timestamp": None})
    assert answer.json["event_id"] == "unknown"


def test_what_is_wrong(anonymous):
    assert_faults(anonymous.post("/webhook", "{}"), missing("body", "event_type", input={}),
                  missing("body", "payload", input={}))
    body = {"event_type": 1, "payload": [], "event_id": 2, "timestamp": 3}
    string = "Input should be a valid string"
    assert_faults(anonymous.post("/webhook", body),
                  fault("string_type", ["body", "event_type"], string, 1),
                  fault("dict_type", ["body", "payload"], "Input should be a valid dictionary", []),
                  fault("string_type", ["body", "event_id"], string, 2),
                  fault("string_type", ["body", "timestamp"], string, 3))
    assert_faults(anonymous.post("/webhook", ""), missing("body", input=None))
    assert_faults(anonymous.post("/webhook", "{"), fault(
        "json_invalid", ["body", 1], "JSON decode error", {},
        error="Expecting property name enclosed in double quotes"))


def test_the_bodies_of_our_own_deliveries_are_taken(fresh):
    event_id = "01890a5d-ac96-774b-bcce-b302099a8057"
    event = {"id": event_id, "type": "order.created", "source": "shop", "payload": {"n": 1},
             "status": "pending", "created_at": "2026-01-01T00:00:00.000000Z",
             "updated_at": "2026-01-01T00:00:00.000000Z", "delivery_attempts": 0,
             "last_delivery_attempt": None, "delivery_latency_ms": None, "error_message": None}
    standard = {"type": "order.paid", "timestamp": "2026-01-01T00:00:00.000000Z", "data": {"n": 2}}
    assert fresh.post("/webhook", event).json["event_id"] == event_id
    assert fresh.post("/webhook", standard, headers={"webhook-id": event_id}).status == 200
    assert fresh.post("/webhook", {"n": 3}, headers={"webhook-id": event_id}).status == 200
    logged = fresh.get("/webhooks/logs").json
    assert [entry["payload"] for entry in logged] == [{"n": 3}, {"n": 2}, {"n": 1}]
    assert [entry["event_type"] for entry in logged] == ["unknown", "order.paid", "order.created"]
    assert logged[2]["id"] == event_id


def sign(body, secret=SECRET):
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def test_with_a_secret_the_signature_must_be_right(signed):
    client = signed.anonymous()
    body = b'{"event_type":"a","payload":{}}'
    good = sign(body)
    assert client.post("/webhook", body, headers={"X-Webhook-Signature": good}).status == 200
    for headers in ({}, {"X-Webhook-Signature": ""}, {"X-Webhook-Signature": good.upper()},
                    {"X-Webhook-Signature": sign(body + b" ")}, {"X-Webhook-Signature": good[:-1]},
                    {"X-Webhook-Signature": sign(body, "another")},
                    {"X-Webhook-Signature": "sha256=" + good}):
        answer = client.post("/webhook", body, headers=headers)
        assert (answer.status, answer.text) == (401, '{"detail":"Invalid webhook signature"}')


def test_whatever_secret_made_the_standard_signature_the_plain_one_counts(signed):
    client = signed.anonymous()
    body = b'{"event_type":"a","payload":{}}'
    now = str(int(time.time()))
    content = b"msg-1." + now.encode() + b"." + body
    standard = base64.b64encode(hmac.new(SECRET.encode(), content, hashlib.sha256).digest()).decode()
    headers = {"X-Webhook-Signature": sign(body), "webhook-id": "msg-1", "webhook-timestamp": now,
               "webhook-signature": "v1," + standard}
    assert client.post("/webhook", body, headers=headers).status == 200
    # An endpoint's own secret signs what it is sent beside the service's.
    headers["webhook-id"] = "msg-2"
    assert client.post("/webhook", body, headers=headers).status == 200
    del headers["X-Webhook-Signature"]
    headers["webhook-id"] = "msg-1"
    assert client.post("/webhook", body, headers=headers).status == 401


@pytest.fixture(scope="module")
def logged(start):
    client = start().client()
    for n in range(8):
        answer = client.post("/webhook", {
            "event_type": "even" if n % 2 == 0 else "odd", "payload": {"n": n, "name": f"Item-{n}"},
            "timestamp": f"2024-01-0{n + 1}T00:00:00Z"})
        assert answer.status == 200
    return client


def numbers(answer):
    assert answer.status == 200, answer
    return [entry["payload"]["n"] for entry in answer.json]


@pytest.mark.parametrize("query, expected", [
    ("", [7, 6, 5, 4, 3, 2, 1, 0]),
    ("limit=3", [7, 6, 5]),
    ("event_type=odd", [7, 5, 3, 1]),
    ("event_type=", [7, 6, 5, 4, 3, 2, 1, 0]),
    ("start_date=2024-01-07", [7, 6]),
    ("end_date=2024-01-02T00:00:00Z", [1, 0]),
    ("start_date=2024-01-03&end_date=2024-01-04", [3, 2]),
    ("search=item-4", [4]),
    ("search=ODD&limit=1", [7]),
    ("search=nothing", []),
    ("event_type=even&search=item-5", []),
])
def test_filters(logged, query, expected):
    assert numbers(logged.get(f"/webhooks/logs?{query}")) == expected


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "99999999999999999999"])
def test_a_limit_out_of_range(logged, limit):
    answer = logged.get(f"/webhooks/logs?limit={limit}")
    assert (answer.status, answer.text) == (400, '{"detail":"Limit must be between 1 and 1000"}')


def test_a_limit_that_is_no_number(logged):
    assert_faults(logged.get("/webhooks/logs?limit=many"),
                  fault("int_parsing", ["query", "limit"],
                        "Input should be a valid integer, unable to parse string as an integer",
                        "many"))


@pytest.mark.parametrize("query, detail", [
    ("start_date=x", "Invalid start_date format. Use ISO 8601 format (e.g., 2024-01-01T00:00:00Z)"),
    ("end_date=x", "Invalid end_date format. Use ISO 8601 format (e.g., 2024-12-31T23:59:59Z)"),
])
def test_dates_that_are_none(logged, query, detail):
    answer = logged.get(f"/webhooks/logs?{query}")
    assert answer.status == 400
    assert answer.text == json.dumps({"detail": detail}, separators=(",", ":"))


def test_the_last_thousand_are_kept(fresh):
    for n in range(1005):
        assert fresh.post("/webhook", {"event_type": "a", "payload": {"n": n}}).status == 200
    assert numbers(fresh.get("/webhooks/logs?limit=1000")) == list(range(1004, 4, -1))
    assert len(fresh.get("/webhooks/logs").json) == 100
