"""Our signatures are those of Standard Webhooks: the published libraries and openssl verify what we
send, and we verify what they sign, and nothing else."""

import base64
import json
import secrets
import time

import pytest

import harness  # of tests/process, which conftest.py puts in reach
import published
from published import SECRETS

# Whatever a payload's spelling, what is signed are the bytes that are sent.
PAYLOADS = ['{}', '{"n":1.10,"e":1e3,"big":12345678901234567890123}', '{ "spaced" : [ 1 , 2 ] }',
            '{"text":"\\u00e9 é ☃ 😀 \\n \\\\ \\/"}', json.dumps({"long": "x" * 200_000})]
JSON_TYPE = {"Content-Type": "application/json"}


def delivered(starts, tmp_path, secret):
    """The requests that the receiver recorded, of a service that signs with `secret`."""
    receiver = starts(harness.Receiver)
    file = tmp_path / "secret.json"
    file.write_text(json.dumps({
        "zapier_api_key": "key", "jwt_secret": "j" * 40, "zapier_webhook_secret": secret,
        "zapier_webhook_url": receiver.url()}))
    service = starts(harness.Service, "--ca-file", receiver.ca_file, "--allow-target",
                     "https://127.0.0.0/8", "--secrets-file", file)
    client = service.anonymous().take_token("key")
    for payload in PAYLOADS:
        status, _, _ = client.request(
            "POST", "/events", f'{{"type":"a.b","source":"s","payload":{payload}}}', JSON_TYPE)
        assert status == 201
    harness.wait_until(lambda: len(receiver.records()) == len(PAYLOADS), "the events to be received")
    return receiver.records()


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_what_we_deliver_is_verified_by_the_libraries_and_openssl(starts, tmp_path, libraries, secret):
    records = delivered(starts, tmp_path, secret)
    published.expect_signed(records, secret)
    published.expect_body_signed(records, secret)
    assert any(len(record["body"]) > 200_000 for record in records), "the long one was not among them"


def test_the_libraries_refuse_what_was_changed(starts, tmp_path, libraries):
    secret = SECRETS["base64"]
    [*_, record] = delivered(starts, tmp_path, secret)
    changed = [
        {**record, "body": record["body"] + " "},
        {**record, "headers": {**record["headers"], "webhook-id": "another"}},
        {**record, "headers": {**record["headers"],
                               "webhook-timestamp": str(int(record["headers"]["webhook-timestamp"]) + 1)}},
    ]
    assert all(published.faults(changed, secret))
    assert all(published.faults([record], "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()))


def signed_headers(secret, body, timestamp=None, id="msg_1"):
    """As each of the libraries signs it."""
    timestamp = int(time.time()) if timestamp is None else timestamp
    return [{**JSON_TYPE, "webhook-id": id, "webhook-timestamp": str(timestamp), "webhook-signature": signature}
            for signature in published.signatures(secret, id, timestamp, body)]


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_listen_takes_what_the_libraries_sign_and_nothing_else(starts, libraries, secret):
    receiver = starts(harness.Receiver, "--plain", "--secret", secret)
    client = harness.Client(receiver.host, receiver.port)
    body = '{"text":"é"}'.encode()

    def answer(headers, sent=body):
        return client.request("POST", "/hook", sent, headers)[0]

    for headers in signed_headers(secret, body):
        assert answer(headers) == 200
        assert answer(headers, body + b" ") == 401
        assert answer({**headers, "webhook-id": "msg_2"}) == 401
        # While a secret is rotated there is a signature by each; other versions of the scheme are none
        # of ours.
        other = "v1," + base64.b64encode(b"o" * 32).decode()
        mixed = f"v1a,{'A' * 88} {other} {headers['webhook-signature']}"
        assert answer({**headers, "webhook-signature": mixed}) == 200
        assert answer({**headers, "webhook-signature": other}) == 401
    for seconds in (-301, 330):
        for headers in signed_headers(secret, body, int(time.time()) + seconds):
            assert answer(headers) == 401
    for headers in signed_headers("whsec_" + base64.b64encode(b"another key").decode(), body):
        assert answer(headers) == 401
    plain = published.hmac_by_openssl(secret, body).hex()
    assert answer({**JSON_TYPE, "X-Webhook-Signature": plain}) == 200
    assert answer({**JSON_TYPE, "X-Webhook-Signature": plain}, body + b" ") == 401
    assert answer(JSON_TYPE) == 401


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_the_webhook_route_takes_what_openssl_and_the_libraries_sign(starts, tmp_path, libraries, secret):
    file = tmp_path / "secret.json"
    file.write_text(json.dumps({"zapier_api_key": "key", "jwt_secret": "j" * 40,
                                "zapier_webhook_secret": secret}))
    client = starts(harness.Service, "--secrets-file", file).anonymous()
    body = '{"event_type":"a.b","payload":{"text":"é"}}'.encode()
    plain = {**JSON_TYPE, "X-Webhook-Signature": published.hmac_by_openssl(secret, body).hex()}

    def answer(headers, sent=body):
        return client.request("POST", "/webhook", sent, headers)[0]

    assert answer(plain) == 200
    assert answer(plain, body + b" ") == 401
    assert answer({**plain, "X-Webhook-Signature": plain["X-Webhook-Signature"].upper()}) == 401
    assert answer(JSON_TYPE) == 401
    for headers in signed_headers(secret, body):
        assert answer({**headers, **plain}) == 200
        assert answer(headers) == 401, "X-Webhook-Signature is asked for"
    # The standard signature may be by the secret of an endpoint.
    for headers in signed_headers("whsec_" + base64.b64encode(b"another key").decode(), body):
        assert answer({**headers, **plain}) == 200
        assert answer({**headers, **plain}, body + b" ") == 401


def test_what_we_deliver_is_taken_by_our_own_receivers(starts, tmp_path):
    secret = SECRETS["base64"]
    file = tmp_path / "secret.json"
    plain_file = tmp_path / "receiving.json"
    plain_file.write_text(json.dumps({"zapier_api_key": "key", "jwt_secret": "j" * 40,
                                      "zapier_webhook_secret": secret}))
    receiving = starts(harness.Service, "--secrets-file", plain_file, name="receiving",
                       data=tmp_path / "receiving")
    listening = starts(harness.Receiver, "--plain", "--secret", secret)
    urls = [f"{receiving.url}/webhook", listening.url()]
    file.write_text(json.dumps({"zapier_api_key": "key", "jwt_secret": "j" * 40,
                                "zapier_webhook_secret": secret, "zapier_webhook_url": urls}))
    sending = starts(harness.Service, "--secrets-file", file, "--allow-target", "http://127.0.0.0/8")
    client = sending.anonymous().take_token("key")
    event = client.post_event({"n": 1})
    harness.wait_until(lambda: client.json("GET", f"/events/{event}")["status"] == "delivered",
                       "both to take it")


@pytest.mark.parametrize("format", ["event", "payload", "standard"])
def test_our_own_receivers_take_every_body_while_a_secret_is_rotated(starts, tmp_path, format):
    """The old secret is the receivers'; while it signs beside the new one they go on."""
    secret = SECRETS["base64"]
    file = tmp_path / "secret.json"
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    file.write_text(json.dumps({"zapier_api_key": "key", "jwt_secret": "j" * 40,
                                "zapier_webhook_secret": secret, "encryption_keys": [key]}))
    listening = starts(harness.Receiver, "--plain", "--secret", secret)
    service = starts(harness.Service, "--secrets-file", file, "--allow-target", "http://127.0.0.0/8")
    client = service.anonymous().take_token("key")
    for url in (f"{service.url}/webhook", listening.url()):
        made = client.json("POST", "/endpoints", {"url": url, "body": format, "secret": secret}, expect=201)
        tested = client.json("POST", f"/endpoints/{made['id']}/test")
        assert tested["status"] == 200, tested
        client.json("POST", f"/endpoints/{made['id']}/rotate-secret", {"overlap_seconds": 3600})
    event = client.post_event({"n": 1}, type="order.created")
    harness.wait_until(lambda: client.json("GET", f"/events/{event}")["status"] == "delivered",
                       "both to take it")
    assert all(" " in record["headers"]["webhook-signature"] for record in listening.records()[1:])
    [entry, *_] = client.json("GET", "/webhooks/logs")
    assert (entry["payload"], entry["event_type"]) == (
        {"n": 1}, "unknown" if format == "payload" else "order.created")
    # Without the overlap the receivers' secret is no longer among those that sign; the service's own
    # route goes by X-Webhook-Signature, which every endpoint gets.
    for one, status in zip(client.json("GET", "/endpoints")["items"], (200, 401)):
        client.json("POST", f"/endpoints/{one['id']}/rotate-secret", {"overlap_seconds": 0})
        assert client.json("POST", f"/endpoints/{one['id']}/test")["status"] == status


def test_while_a_secret_is_rotated_both_sign_until_the_old_ones_end(starts, tmp_path, libraries):
    receiver = starts(harness.Receiver)
    service = starts(harness.Service, "--ca-file", receiver.ca_file, "--allow-target",
                     "https://127.0.0.0/8")
    client = service.client()
    made = client.json("POST", "/endpoints", {"url": receiver.url()}, expect=201)
    path = f"/endpoints/{made['id']}"

    def delivered():
        """The request of an event that is posted now."""
        event = client.post_event({"n": 1})
        return [harness.wait_until(
            lambda: next((one for one in receiver.records() if one["id"] == event), None),
            "the event to be received")]

    def rotate(seconds):
        return client.json("POST", f"{path}/rotate-secret", {"overlap_seconds": seconds})

    old_secret = made["secret"]
    published.expect_signed(delivered(), old_secret)
    new_secret = rotate(3600)["secret"]
    published.expect_signed(delivered(), new_secret, old_secret)
    third_secret = rotate(3600)["secret"]
    published.expect_signed(delivered(), third_secret, new_secret, old_secret)
    # Without an overlap the one before ends at once, and so do those that went before it.
    last = rotate(0)
    assert last["previous_valid_until"] is None
    published.expect_signed(delivered(), last["secret"])
    # The end comes by itself.
    next_secret = rotate(1)["secret"]
    signatures = harness.wait_until(
        lambda: one if len((one := delivered()[0])["headers"]["webhook-signature"].split()) == 1 else None,
        "the overlap to end")
    published.expect_signed([signatures], next_secret)


def test_listen_takes_what_any_of_its_secrets_signed(starts, tmp_path):
    """An endpoint's own secret signs `webhook-signature`, the service's `X-Webhook-Signature`."""
    file = tmp_path / "secret.json"
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    file.write_text(json.dumps({"zapier_api_key": "key", "jwt_secret": "j" * 40,
                                "zapier_webhook_secret": SECRETS["raw"], "encryption_keys": [key]}))
    own = SECRETS["base64"]
    both = starts(harness.Receiver, "--plain", "--secret", own, "--secret", SECRETS["raw"])
    one = starts(harness.Receiver, "--plain", "--secret", own, name="one")
    service = starts(harness.Service, "--secrets-file", file, "--allow-target", "http://127.0.0.0/8")
    client = service.anonymous().take_token("key")

    def status_of_test(url, secret):
        made = client.json("POST", "/endpoints", {"url": url, "secret": secret}, expect=201)
        return client.json("POST", f"/endpoints/{made['id']}/test")["status"]

    assert status_of_test(both.url(), own) == 200
    assert status_of_test(one.url(), own) == 401, "nothing says who made X-Webhook-Signature"
    other = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    assert status_of_test(both.url(), other) == 401
    # The service's own route goes by X-Webhook-Signature.
    assert status_of_test(f"{service.url}/webhook", other) == 200
