"""Endpoints over HTTP: made, shown, changed, tried out and ended while the service runs, delivered to as
they say, and shown without their secrets."""

import base64
import hashlib
import hmac
import json
import re
import threading

import pytest

from api_client import TIMESTAMP, assert_faults, fault, missing, wait_until

FIELDS = ["id", "url", "description", "state", "state_reason", "types", "sources", "body", "headers",
          "concurrency", "rate_per_second", "timeout_seconds", "retries", "schedule_seconds", "breaker",
          "failing_since", "created_at", "updated_at", "stats"]
STATS = ["delivered", "failed", "waiting", "review", "oldest_waiting", "p50_ms", "p99_ms"]


@pytest.fixture
def hooks(delivering):
    """A client of the service that delivers; its endpoints end with the test."""
    client = delivering.client()
    yield client
    for endpoint in client.get("/endpoints?limit=1000").json["items"]:
        assert client.delete(f"/endpoints/{endpoint['id']}?waiting=discard").status == 204
    client.close()


def create(client, url, **settings):
    answer = client.post("/endpoints", {"url": url, **settings})
    assert answer.status == 201, answer
    return answer.json


def state_of(client, event):
    return [one["state"] for one in client.get(f"/events/{event}").json["deliveries"]]


def standard_signature(secret, headers, body):
    key = base64.b64decode(secret.removeprefix("whsec_"))
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()


def test_a_new_endpoint_has_the_fields_of_the_contract_in_their_order(hooks):
    made = hooks.post("/endpoints", {"url": "https://hooks.example.com/T0/secret"})
    assert made.status == 201
    endpoint = made.json
    assert list(endpoint) == FIELDS + ["secret"]
    assert list(endpoint["stats"]) == STATS
    assert endpoint["id"].startswith("ep_")
    assert endpoint["url"] == "https://hooks.example.com/***"
    assert endpoint["state"] == "active" and endpoint["breaker"] == "closed"
    assert endpoint["schedule_seconds"][:2] == [300, 1800]
    assert TIMESTAMP.match(endpoint["created_at"])
    assert len(base64.b64decode(endpoint.pop("secret").removeprefix("whsec_"))) == 32
    assert hooks.get(f"/endpoints/{endpoint['id']}").json == endpoint
    assert hooks.get("/endpoints").json == {"items": [endpoint], "next_cursor": None}


def test_an_event_goes_to_the_endpoints_that_it_matches(hooks, receive):
    orders, all_of_shop = receive(), receive()
    first = create(hooks, orders.url("/orders"), types=["order.*"], body="payload",
                   headers={"X-Key": "k"})
    create(hooks, all_of_shop.url(), sources=["shop"], body="standard")
    event = hooks.post_event("order.created", "shop", '{"n": 1.0}')
    hooks.post_event("stock.low", "shop", "{}")
    hooks.post_event("order.created", "market", "{}")
    wait_until(lambda: len(orders.requests) == 2 and len(all_of_shop.requests) == 2, "the webhooks")
    [(path, headers, body)] = [one for one in orders.requests if one[1]["webhook-id"] == event]
    assert (path, body) == ("/orders", b'{"n": 1.0}')
    assert headers["X-Key"] == "k"
    assert headers["webhook-signature"] == standard_signature(first["secret"], headers, body)
    assert {json.loads(body)["type"] for body in all_of_shop.bodies()} == {"order.created", "stock.low"}
    wait_until(lambda: hooks.get(f"/endpoints/{first['id']}").json["stats"]["delivered"] == 2,
               "the deliveries to be counted")


def test_a_paused_endpoint_gets_nothing_until_it_is_resumed(hooks, receive):
    receiver = receive()
    endpoint = create(hooks, receiver.url())["id"]
    assert hooks.post(f"/endpoints/{endpoint}/pause").json["state"] == "paused"
    event = hooks.post_event()
    assert state_of(hooks, event) == ["waiting"]
    stats = hooks.get(f"/endpoints/{endpoint}").json["stats"]
    assert stats["waiting"] == 1 and TIMESTAMP.match(stats["oldest_waiting"])
    assert receiver.requests == []
    assert hooks.post(f"/endpoints/{endpoint}/resume").json["state"] == "active"
    wait_until(lambda: state_of(hooks, event) == ["delivered"], "the event to be delivered")


def test_what_matched_nothing_so_far_is_delivered_to_one_that_starts_with_it(hooks, receive):
    receiver = receive()
    event = hooks.post_event("early.bird")
    create(hooks, receiver.url("/now"), types=["early.*"])
    create(hooks, receiver.url("/pending"), types=["early.*"], start="pending")
    wait_until(lambda: state_of(hooks, event) == ["delivered"], "the event to be delivered")
    assert [path for path, _, _ in receiver.requests] == ["/pending"]


def test_a_change_holds_from_then_on_and_null_undoes_it(hooks, receive):
    old, new = receive(), receive()
    endpoint = create(hooks, old.url(), description="d", retries=0, timeout_seconds=5)["id"]
    changed = hooks.patch(f"/endpoints/{endpoint}", {"url": new.url(), "types": ["a"], "retries": None,
                                                     "concurrency": 2, "rate_per_second": 100})
    assert changed.status == 200
    shown = changed.json
    assert (shown["retries"], shown["concurrency"], shown["rate_per_second"]) == (3, 2, 100)
    assert (shown["description"], shown["timeout_seconds"], shown["types"]) == ("d", 5, ["a"])
    assert hooks.patch(f"/endpoints/{endpoint}", {"types": None}).json["types"] == ["*"]
    hooks.post_event("b")
    wait_until(lambda: new.requests, "the webhook at the new URL")
    assert old.requests == []


def test_many_may_change_one_endpoint_at_once(hooks, delivering):
    endpoint = create(hooks, "https://hooks.example.com/x")["id"]
    refused = []

    def change(field):
        client = delivering.client()
        answers = [client.patch(f"/endpoints/{endpoint}", {field: n}) for n in range(1, 21)]
        refused.extend(answer for answer in answers if answer.status != 200)
        client.close()

    fields = ["concurrency", "retries", "timeout_seconds", "rate_per_second"] * 2
    changers = [threading.Thread(target=change, args=(field,)) for field in fields]
    for changer in changers:
        changer.start()
    for changer in changers:
        changer.join()
    assert refused == []
    shown = hooks.get(f"/endpoints/{endpoint}").json
    assert [shown[field] for field in fields] == [20] * 8


def test_secrets_are_shown_when_they_are_to_be_revealed_alone(hooks):
    url, headers = "https://u:pass@hooks.example.com:8443/T0/secret?k=v", {"X-Key": "value"}
    endpoint = create(hooks, url, headers=headers)
    assert (endpoint["url"], endpoint["headers"]) == ("https://hooks.example.com:8443/***",
                                                     {"X-Key": "***"})
    for path in (f"/endpoints/{endpoint['id']}", "/endpoints"):
        assert "secret" not in hooks.get(path).text and "value" not in hooks.get(path).text
        revealed = hooks.get(path + "?reveal=true").json
        revealed = revealed["items"][0] if "items" in revealed else revealed
        assert (revealed["url"], revealed["headers"]) == (url, headers)
        assert "secret" not in revealed
    # What was read with its masks cannot be written back over what they hide.
    for masked in ({"url": endpoint["url"]}, {"headers": endpoint["headers"]}):
        assert hooks.patch(f"/endpoints/{endpoint['id']}", masked).status == 422


def test_a_test_event_shows_the_whole_exchange_and_is_kept_nowhere(hooks, receive):
    receiver = receive(status=202, headers=[("X-Answer", "a"), ("X-Answer", "b")])
    url = receiver.url("/path").replace("//", "//user:word@")
    endpoint = create(hooks, url, headers={"X-Key": "value"})
    hooks.post(f"/endpoints/{endpoint['id']}/pause")
    tested = hooks.post(f"/endpoints/{endpoint['id']}/test")
    assert tested.status == 200
    shown = tested.json
    assert list(shown) == ["number", "endpoint_id", "started_at", "duration_ms", "outcome", "status",
                           "error", "response_body", "remote_address", "request", "response_headers"]
    assert (shown["outcome"], shown["status"], shown["response_body"]) == ("delivered", 202, "ok")
    [(path, headers, body)] = receiver.requests
    assert path == "/path" and headers["X-Key"] == "value"
    assert shown["request"]["method"] == "POST"
    assert shown["request"]["url"] == receiver.url("/***")
    assert shown["request"]["body"].encode() == body
    sent = {name.lower(): value for name, value in shown["request"]["headers"].items()}
    received = {name.lower(): value for name, value in headers.items()}
    assert sent == {**received, "x-key": "***", "authorization": "***"}
    assert sent["webhook-signature"] == standard_signature(endpoint["secret"], headers, body)
    answered = {name.lower(): value for name, value in shown["response_headers"].items()}
    assert answered["x-answer"] == "a, b"
    assert hooks.get(f"/endpoints/{endpoint['id']}").json["stats"]["delivered"] == 0
    receiver.status = 500
    failed = hooks.post(f"/endpoints/{endpoint['id']}/test").json
    assert (failed["outcome"], failed["status"]) == ("retryable", 500)
    assert failed["error"].startswith("status:")


def test_one_that_a_429_holds_says_so(hooks, receive):
    receiver = receive(status=429, headers=[("Retry-After", "3600")])
    endpoint = create(hooks, receiver.url())["id"]
    hooks.post_event()
    shown = wait_until(lambda: (one if (one := hooks.get(f"/endpoints/{endpoint}").json)["state_reason"]
                                else None), "the endpoint to be held")
    assert (shown["state"], shown["breaker"]) == ("active", "closed")
    assert re.fullmatch(r"429 with Retry-After: nothing is sent until \S+Z", shown["state_reason"])
    waits = hooks.post_event()
    assert state_of(hooks, waits) == ["waiting"]
    assert len(receiver.requests) == 1


def test_an_overlap_that_is_misspelled_is_refused_and_rotates_nothing(hooks):
    endpoint = create(hooks, "https://hooks.example.com/x")["id"]
    before = hooks.get(f"/endpoints/{endpoint}").json["updated_at"]
    assert_faults(hooks.post(f"/endpoints/{endpoint}/rotate-secret", {"overlap": 0}),
                  fault("extra_forbidden", ["body", "overlap"], "Extra inputs are not permitted", "***"))
    assert hooks.get(f"/endpoints/{endpoint}").json["updated_at"] == before


def test_both_secrets_sign_while_one_is_rotated(hooks, receive):
    receiver = receive()
    endpoint = create(hooks, receiver.url())
    rotated = hooks.post(f"/endpoints/{endpoint['id']}/rotate-secret", {"overlap_seconds": 3600})
    assert list(rotated.json) == ["id", "secret", "previous_valid_until"]
    hooks.post(f"/endpoints/{endpoint['id']}/test")
    _, headers, body = receiver.requests[-1]
    secrets = [rotated.json["secret"], endpoint["secret"]]
    assert headers["webhook-signature"].split(" ") == [
        standard_signature(secret, headers, body) for secret in secrets]
    latest = hooks.post(f"/endpoints/{endpoint['id']}/rotate-secret", {"overlap_seconds": 0}).json
    assert latest["previous_valid_until"] is None
    hooks.post(f"/endpoints/{endpoint['id']}/test")
    _, headers, body = receiver.requests[-1]
    assert headers["webhook-signature"] == standard_signature(latest["secret"], headers, body)


def test_an_endpoint_is_deleted_when_nothing_waits_or_what_waits_is_given_up(hooks, receive):
    endpoint = create(hooks, receive().url())["id"]
    hooks.post(f"/endpoints/{endpoint}/pause")
    event = hooks.post_event()
    refused = hooks.delete(f"/endpoints/{endpoint}")
    assert refused.status == 409
    assert refused.detail == (f"Endpoint {endpoint} has 1 deliveries waiting and 0 in review: add "
                              "?waiting=discard to discard them")
    gone = hooks.delete(f"/endpoints/{endpoint}?waiting=discard")
    assert (gone.status, gone.body) == (204, b"")
    assert "content-type" not in gone.headers
    wait_until(lambda: state_of(hooks, event) == ["discarded"], "what waited to be discarded")
    for answer in (hooks.get(f"/endpoints/{endpoint}"), hooks.delete(f"/endpoints/{endpoint}"),
                   hooks.patch(f"/endpoints/{endpoint}", {}),
                   *(hooks.post(f"/endpoints/{endpoint}/{verb}")
                     for verb in ("pause", "resume", "test", "rotate-secret"))):
        assert (answer.status, answer.detail) == (404, f"Endpoint with ID {endpoint} not found")


def test_one_that_answers_410_is_disabled_and_can_be_resumed(hooks, receive):
    receiver = receive(status=410)
    endpoint = create(hooks, receiver.url())["id"]
    hooks.post_event()
    shown = wait_until(lambda: (hooks.get(f"/endpoints/{endpoint}").json
                                if hooks.get(f"/endpoints/{endpoint}").json["state"] == "disabled"
                                else None), "the endpoint to be disabled")
    assert "410" in shown["state_reason"]
    receiver.status = 200
    assert hooks.post(f"/endpoints/{endpoint}/resume").json["state_reason"] is None
    event = hooks.post_event()
    wait_until(lambda: state_of(hooks, event) == ["delivered"], "the next event to be delivered")


def test_lists_page(hooks):
    made = [create(hooks, f"https://hooks.example.com/{i}")["id"] for i in range(5)]
    seen, cursor = [], ""
    while cursor is not None:
        page = hooks.get(f"/endpoints?limit=2{cursor and '&cursor=' + cursor}").json
        assert len(page["items"]) <= 2
        seen += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"]
    assert seen == made


def test_faults_come_all_at_once_and_show_no_secret(api):
    assert_faults(api.post("/endpoints", {}), missing("body", "url", input={}))
    answer = api.post("/endpoints", {"url": "https://10.0.0.1/T0/secret", "types": [], "retries": 101})
    assert_faults(
        answer,
        fault("value_error", ["body", "url"],
              "Value error, its address is not public (ALLOW_TARGETS can exempt it)",
              "https://10.0.0.1/***", error={}),
        fault("too_short", ["body", "types"],
              "List should have at least 1 item after validation, not 0", [], field_type="List",
              min_length=1, actual_length=0),
        fault("less_than_equal", ["body", "retries"],
              "Input should be less than or equal to 100", 101, le=100))
    for url in ("http://hooks.example.com/secret", "https://192.168.1.1/secret", "ftp://a.test/secret",
                "https://2130706433/secret", "https://[::ffff:10.0.0.1]/secret", "secret", 7, None):
        answer = api.post("/endpoints", {"url": url})
        assert answer.status == 422, url
        assert "secret" not in answer.text


def test_names_of_addresses_that_are_exempt_are_taken(hooks):
    for url in ("http://127.0.0.1:1/x", "http://2130706433:1/x", "http://localhost:1/x"):
        create(hooks, url)


def test_an_endpoint_survives_a_restart_and_its_key_may_change(start, receive):
    receiver = receive()
    keys = [base64.b64encode(bytes([byte]) * 32).decode() for byte in b"ab"]
    secrets = {"zapier_api_key": "key", "jwt_secret": "j" * 40, "encryption_keys": keys[:1]}
    service = start(secrets, {"ALLOW_TARGETS": "http://127.0.0.0/8"})
    endpoint = create(service.client(), receiver.url("/path"))["id"]

    def restart(encryption_keys):
        service.restart({**secrets, "encryption_keys": encryption_keys})
        return service.client()

    client = restart(keys[1:])  # the key is gone
    shown = client.get(f"/endpoints/{endpoint}?reveal=true").json
    assert shown["state"] == "disabled" and "encryption key is missing" in shown["state_reason"]
    assert shown["url"] == receiver.url("/***")
    event = client.post_event()
    assert state_of(client, event) == ["waiting"]
    assert client.patch(f"/endpoints/{endpoint}", {"retries": 1}).status == 409
    client = restart(keys[::-1])  # a new key before the old one
    wait_until(lambda: state_of(client, event) == ["delivered"], "what waited to be delivered")
    client = restart(keys[1:])  # everything has been sealed anew
    assert client.get(f"/endpoints/{endpoint}?reveal=true").json["url"] == receiver.url("/path")


def test_without_a_key_to_keep_them_under_no_endpoint_is_made(start):
    client = start({"zapier_api_key": "key", "jwt_secret": "j" * 40}).client()
    answer = client.post("/endpoints", {"url": "https://hooks.example.com/x"})
    assert answer.status == 409 and "encryption_keys" in answer.detail


def test_what_the_secret_gives_can_be_paused_and_not_changed(start, receive):
    receiver = receive()
    url = receiver.url("/secret-path")
    service = start({"zapier_api_key": "key", "jwt_secret": "j" * 40, "zapier_webhook_url": url},
                    {"ALLOW_TARGETS": "http://127.0.0.0/8"})
    client = service.client()
    [endpoint] = client.get("/endpoints").json["items"]
    assert endpoint["id"] == "secret-" + hashlib.sha256(url.encode()).hexdigest()[:8]
    assert endpoint["url"] == receiver.url("/***")
    path = f"/endpoints/{endpoint['id']}"
    assert client.get(path + "?reveal=true").json["url"] == url
    for answer in (client.patch(path, {"retries": 1}), client.delete(path + "?waiting=discard"),
                   client.post(path + "/rotate-secret")):
        assert answer.status == 409
        assert answer.detail == (f"Endpoint {endpoint['id']} is given by the secret: it can be paused "
                                 "and resumed, and is changed there")
    assert client.post(path + "/pause").json["state"] == "paused"
    event = client.post_event()
    assert state_of(client, event) == ["waiting"]
    assert client.post(path + "/test").json["outcome"] == "delivered"
    assert client.post(path + "/resume").json["state"] == "active"
    wait_until(lambda: state_of(client, event) == ["delivered"], "the event to be delivered")
