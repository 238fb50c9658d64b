"""Promise: a request that two servers could read differently is refused and nothing behind it is run; and
whatever stands in a field, a path or a header is answered by a 2xx or a 4xx, at once."""

import json
import re
import socket

import pytest

from api_client import PATIENCE


def send(service, *parts):
    """All that comes back, until the service ends the connection or we do."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) as connection:
        received = b""
        try:
            for part in parts:
                connection.sendall(part)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # refused before the end
        try:
            while piece := connection.recv(65536):
                received += piece
        except ConnectionResetError:
            pass
        return received


def statuses(received):
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]


@pytest.fixture
def smuggled(service, api, request):
    """A whole request that would make an event; in the end there is none."""
    body = json.dumps({"type": request.node.name, "source": "s", "payload": {}}).encode()
    yield (b"POST /events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + api.token.encode() +
           b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    listed = api.get("/inbox?limit=1000").json
    assert [event for event in listed if event["type"] == request.node.name] == []
    assert api.get("/health").status == 200


HEAD = b"POST /webhook HTTP/1.1\r\nHost: x\r\n"
TWO_READINGS = {
    "length and chunked": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked and length": b"Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n",
    "two equal lengths": b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
    "a list of lengths": b"Content-Length: 0, 44\r\n\r\n",
    "a signed length": b"Content-Length: +0\r\n\r\n",
    "a negative length": b"Content-Length: -1\r\n\r\n",
    "a hexadecimal length": b"Content-Length: 0x0\r\n\r\n",
    "a length past 64 bits": b"Content-Length: 18446744073709551616\r\n\r\n",
    "an empty length": b"Content-Length: \r\n\r\n",
    "a space before the colon": b"Content-Length : 44\r\n\r\n",
    "a tab before the colon": b"Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n",
    "a folded header": b"X: a\r\n Content-Length: 44\r\n\r\n",
    "a folded first header": b" X: a\r\n\r\n",
    "a bare feed between headers": b"X: a\nContent-Length: 44\r\n\r\n",
    "a bare feed at the end": b"Content-Length: 0\r\n\n",
    "a bare return in a value": b"X: a\rContent-Length: 44\r\n\r\n",
    "a NUL in a value": b"X: a\0b\r\n\r\n",
    "a NUL in a name": b"X\0: a\r\n\r\n",
    "a coding that is not chunked": b"Transfer-Encoding: identity\r\n\r\n",
    "a coding spelt otherwise": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a coding with a tail": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "two codings": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a vertical tab in a coding": b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "two hosts": b"Host: y\r\nContent-Length: 0\r\n\r\n",
    "a chunk size without digits": b"Transfer-Encoding: chunked\r\n\r\n\r\n\r\n",
    "a signed chunk size": b"Transfer-Encoding: chunked\r\n\r\n+0\r\n\r\n",
    "a chunk size with a prefix": b"Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
    "a chunk size past 64 bits": b"Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n",
    "a chunk size of zeros without end": b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 5000 + b"\r\n\r\n",
    "a chunk line with a bare feed": b"Transfer-Encoding: chunked\r\n\r\n0\n\r\n",
    "an extension with a bare feed": b"Transfer-Encoding: chunked\r\n\r\n0;a\nb\r\n\r\n",
    "chunk data without its end": b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}0\r\n\r\n",
    "trailers without end": b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"A: b\r\n" * 5000 + b"\r\n",
}


@pytest.mark.parametrize("rest", TWO_READINGS.values(), ids=TWO_READINGS.keys())
def test_a_request_with_two_readings_is_refused_and_nothing_behind_it_runs(service, smuggled, rest):
    answered = statuses(send(service, HEAD + rest + smuggled))
    assert len(answered) == 1 and 400 <= answered[0] < 600 and answered[0] not in (500, 503), answered


LINES = {
    "an old protocol": b"GET /health\r\n\r\n",
    "a newer protocol": b"GET /health HTTP/2.0\r\nHost: x\r\n\r\n",
    "a space in the target": b"GET /health /x HTTP/1.1\r\nHost: x\r\n\r\n",
    "a space in an absolute target": b"GET http://a b/health HTTP/1.1\r\nHost: x\r\n\r\n",
    "a return in an absolute target": b"GET http://a\rb/health HTTP/1.1\r\nHost: x\r\n\r\n",
    "a NUL in the target": b"GET /health\0 HTTP/1.1\r\nHost: x\r\n\r\n",
    "no host": b"GET /health HTTP/1.1\r\n\r\n",
    "a method of other characters": b"G(T /health HTTP/1.1\r\nHost: x\r\n\r\n",
    "a TLS greeting": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "a line of 100 KB": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "a header of 100 KB": b"GET /health HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
    "10,000 headers": b"GET /health HTTP/1.1\r\nHost: x\r\n" + b"X: a\r\n" * 10_000 + b"\r\n",
    "a header's name of 10 KB": b"GET /health HTTP/1.1\r\nHost: x\r\n" + b"a" * 100_000 + b": b\r\n\r\n",
}


@pytest.mark.parametrize("request_text", LINES.values(), ids=LINES.keys())
def test_a_head_that_is_none_is_refused_once(service, smuggled, request_text):
    answered = statuses(send(service, request_text + smuggled))
    assert len(answered) == 1 and 400 <= answered[0] <= 505 and answered[0] != 500, answered


def test_pipelined_bodies_are_each_their_own_request(service, api):
    body = b'{"type":"piped","source":"s","payload":{"n":%d}}'
    head = b"POST /events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + api.token.encode() + b"\r\n"
    requests = []
    for number in range(20):
        text = body % number
        if number % 2:
            requests.append(head + b"Content-Length: %d\r\n\r\n" % len(text) + text)
        else:
            requests.append(head + b"Transfer-Encoding: chunked\r\n\r\n%x;a=b\r\n" % len(text) + text +
                            b"\r\n0\r\nX: y\r\n\r\n")
    assert statuses(send(service, b"\r\n".join(requests))) == [201] * 20
    # The same, cut at places that are no border of anything.
    whole = b"".join(requests)
    pieces = [whole[at:at + 97] for at in range(0, len(whole), 97)]
    assert statuses(send(service, *pieces)) == [201] * 20


PATHS = ["//health", "/health/", "/./health", "/%2e/health", "/health%00", "/%68ealth", "/HEALTH",
         "/health;x", "/events/%2e%2e/health", "/events/%F0%9F%98%80", "/events/%ED%A0%80",
         "/events/%c0%af", "/inbox/%2F/ack", "/events//attempts", "/events/%25%32%35", "*", "/" * 3000,
         "/events/" + "%41" * 1000, "/?%00", "/events/a\xe9", "/endpoints/%00", "/replay/", "/dashboard/..%2f"]


@pytest.mark.parametrize("path", PATHS, ids=range(len(PATHS)))
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PATCH"])
def test_any_path_is_answered(service, api, method, path):
    head = (f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.token}\r\n"
            "Content-Length: 2\r\n\r\n{}")
    answered = statuses(send(service, head.encode("latin-1")))
    assert len(answered) == 1 and answered[0] < 500, answered


TEXTS = {
    "a lone surrogate": rb'"\ud800"',
    "surrogates the wrong way": rb'"\udc00\ud800"',
    "a NUL": rb'"\u0000"',
    "not UTF-8": b'"\xff"',
    "an overlong character": b'"\xc0\x80"',
    "a surrogate as UTF-8": b'"\xed\xa0\x80"',
    "an emoji": '"\U0001F600"'.encode(),
    "a direction mark": '"\u202e"'.encode(),
    "200 KB": b'"' + b"x" * 200_000 + b'"',
    "a number of 10,000 digits": b"9" * 10_000,
    "a fraction of 10,000 digits": b"0." + b"1" * 10_000,
    "an exponent of 10,000 digits": b"1e" + b"9" * 10_000,
    "5,000 arrays": b"[" * 5000 + b"]" * 5000,
    "5,000 objects": b'{"a":' * 5000 + b"1" + b"}" * 5000,
    "800 arrays": b"[" * 800 + b"]" * 800,
    "null": b"null",
    "a list": b"[1,2,3]",
    "an object": b'{"a":1,"a":2}',
}
BODIES = {
    "/events": ["type", "source", "payload"],
    "/events/batch": ["type", "source", "payload"],
    "/webhook": ["event_type", "payload", "event_id", "timestamp", "type", "id", "created_at", "data"],
    "/inbox/renew": ["ids", "lease_seconds"],
    "/inbox/ack": ["ids"],
    "/inbox/x/nack": ["error", "reason", "retry_after_seconds", "attempts", "delivered"],
    "/events/x/replay": ["endpoint_id", "note"],
    "/replay": ["filter", "limit", "dry_run", "note"],
    "/discard": ["filter", "limit", "dry_run", "note"],
    "/endpoints": ["url", "description", "types", "sources", "body", "headers", "concurrency",
                   "rate_per_second", "timeout_seconds", "retries", "schedule_seconds", "start"],
}
GOOD = {"type": b'"a"', "source": b'"b"', "payload": b"{}", "event_type": b'"a"', "ids": b"[]",
        "lease_seconds": b"5", "url": b'"https://hooks.example.com/"', "filter": b'{"state":"review"}',
        "dry_run": b"true"}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
@pytest.mark.parametrize("path", BODIES)
def test_any_value_of_any_field_is_answered(api, path, text):
    for name in BODIES[path]:
        fields = {other: GOOD[other] for other in BODIES[path] if other in GOOD} | {name: text}
        body = b"{" + b",".join(b'"%s":%s' % (key.encode(), value)
                                for key, value in fields.items()) + b"}"
        for sent in (body, b'{"%s":1,' % name.encode() + body[1:]):  # and each of them twice
            answer = api.post(path, b"[" + sent + b"]" if path.endswith("batch") else sent,
                              headers={"X-Lease-Token": "t"})
            assert answer.status < 500, (path, name, answer)
            json.loads(answer.body, parse_int=float)  # int() has a limit of its own


FORMS = [b"username=%FF&password=%00", b"&" * 5000, b"=" * 5000, b"username=api&password=" + b"%41" * 5000,
         b"username", b"%", b"+" * 5000, b"\0"]


@pytest.mark.parametrize("form", FORMS, ids=range(len(FORMS)))
def test_any_form_is_answered(anonymous, form):
    for content_type in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                         "multipart/form-data; boundary=" + "x" * 5000, "multipart/form-data"):
        answer = anonymous.post("/token", form, content_type=content_type)
        assert 400 <= answer.status < 500, answer


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer ", "bearer a.b.c", "Bearer ..", "Basic YTpi",
                                   "Bearer " + "." * 5000, "Bearer " + "a" * 7000,
                                   "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhcGkiLCJleHAiOjk5OTk5OTk5OTl9.",
                                   "Bearer a.b.c, Bearer d.e.f", "Bearer \xff"])
def test_any_token_that_is_none_is_refused(anonymous, token):
    answer = anonymous.get("/inbox", headers={"Authorization": token})
    assert answer.status == 401, answer
