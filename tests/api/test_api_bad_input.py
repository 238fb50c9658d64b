"""Promise: whatever comes in is answered, never with a 500, and the service lives on."""

import json
import random
import socket

import pytest

from api_client import PATIENCE

PATHS = ["/", "/health", "/config", "/token", "/events", "/events/batch", "/events/export", "/events/x",
         "/events/x/attempts", "/inbox", "/inbox/renew", "/inbox/ack", "/inbox/x/ack",
         "/inbox/x/nack", "/metrics", "/metrics/summary", "/metrics/latency", "/webhook",
         "/webhooks/logs", "/%", "/%zz", "/\x7f", "/events/" + "a" * 2000]
METHODS = ["GET", "POST", "DELETE", "PUT", "HEAD", "OPTIONS"]
TYPES = [None, "application/json", "application/x-ndjson", "application/x-www-form-urlencoded",
         "multipart/form-data; boundary=x", "text/plain", "application/", ";;;", "a/b/c"]


def is_alive(client):
    return client.get("/health").status == 200


def bodies(dice):
    yield b""
    yield bytes(dice.randrange(256) for _ in range(dice.randrange(1, 300)))
    yield b"{" * dice.randrange(1, 4000)
    yield b'[{"type":"\\ud800","source":"\\udc00","payload":{}}]'
    yield json.dumps({"ids": [None, 1, "x", "\0"], "lease_seconds": 10 ** 30, "type": "\0",
                      "source": "x" * 5000, "payload": {"": 1e308}, "event_type": "x"}).encode()
    yield b'{"type":"\\u0000","source":"\xc3\xa9","payload":{"a":1e999999}}'
    yield b"--x\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\n"
    yield b"username=%&password=%zz&grant_type"
    yield b"\n" * 5000
    yield b'"' + b"\\u" * 3000


@pytest.mark.parametrize("seed", range(4))
def test_anything_is_answered(api, seed):
    dice = random.Random(seed)
    for path in PATHS:
        for body in bodies(dice):
            method = dice.choice(METHODS)
            headers = {"Idempotency-Key": "x" * dice.randrange(0, 300),
                       "X-Lease-Token": "t" * dice.randrange(1, 300)}
            answer = api.request(method, path.replace("\x7f", "%7F"), body, headers=headers,
                                 content_type=dice.choice(TYPES))
            assert answer.status < 500, (method, path, body[:80], answer)
    assert is_alive(api)


@pytest.mark.parametrize("query", ["limit=%00", "limit=" + "9" * 4000, "cursor=%FF", "from=%00", "&&&=",
                                   "limit=1&limit=x", "order=%F0", "lease_seconds=1e3", "?", "%",
                                   "status=pending&state=waiting&endpoint_id=%00&type=%FF",
                                   "start_date=-0001-01-01", "start_date=9999-12-31T23:59:59Z",
                                   "from=9999-12-31T23:59:59.999999%2B23:59", "search=%25%5F%27"])
def test_any_query_is_answered(api, query):
    for path in ("/inbox", "/events", "/events/export", "/webhooks/logs", "/health"):
        answer = api.get(f"{path}?{query}")
        assert answer.status < 500, (path, answer)


def test_ids_of_any_kind_are_not_found(api):
    for path in ("x" * 3000, "%00", "%27%20OR%201=1", "..", "%2e%2e", "%C0%80", "{id}", "-",
                 "00000000-0000-0000-0000-00000000000g", "00000000000000000000000000000000"):
        for method, template in (("GET", "/events/{}"), ("DELETE", "/events/{}"),
                                 ("POST", "/inbox/{}/ack")):
            assert api.request(method, template.replace("{}", path)).status == 404, path


def raw(service, data):
    """What comes back for bytes of our own making."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # refused before the end
        received = b""
        try:
            while part := connection.recv(65536):
                received += part
        except OSError:
            pass
        return received


def test_a_body_of_100_mb_is_refused(service, api):
    head = (f"POST /events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {100 * 1024 * 1024}\r\n\r\n")
    received = raw(service, head.encode() + b" " * 1024 * 1024)
    assert received.startswith(b"HTTP/1.1 413 ")
    assert b'{"detail":"' in received
    assert is_alive(api)


def test_a_body_just_over_the_limit_is_refused_and_one_at_it_is_not(service, api):
    frame = '{"type":"a","source":"b","payload":{"x":"%s"}}'
    fill = 1024 * 1024 - len(frame) + 2
    assert api.post("/events", frame % ("x" * fill)).status == 201
    head = (f"POST /events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.token}\r\n"
            f"Content-Length: {1024 * 1024 + 1}\r\n\r\n")
    assert raw(service, head.encode()).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_never_comes_whole(service, api):
    head = (f"POST /events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.token}\r\n"
            "Content-Type: application/json\r\nContent-Length: 500\r\n\r\n")
    received = raw(service, head.encode() + b'{"type":"a"')
    assert b" 201 " not in received and b" 500 " not in received
    assert is_alive(api)


def test_without_a_token_a_body_is_not_waited_for(service):
    head = "POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
    received = raw(service, head.encode())
    assert received.startswith(b"HTTP/1.1 401 ")
    assert b'{"detail":"Not authenticated"}' in received


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes_on_the_socket(service, api, seed):
    dice = random.Random(seed)
    raw(service, bytes(dice.randrange(256) for _ in range(dice.randrange(1, 2000))))
    assert is_alive(api)
