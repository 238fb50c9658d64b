"""Receivers that hang, crawl, flood, lie and break off cost the others nothing, take no memory and no
time past the attempt's, and each of their events says what went wrong."""

import dataclasses
import re

import pytest

import harness
import nginx
from harness import secret_endpoint_id
from hostile_server import (
    OK, HostileServer, accepts_and_is_silent, answers, answers_and_drips, answers_and_floods,
    answers_and_resets, drips_the_handshake, never_answers, redirects_elsewhere,
    resets_after_the_handshake, resets_as_it_is_reused, resets_in_the_handshake, resets_on_accepting,
    resets_within_the_request)

TIMEOUT_SECONDS = 2
# The bound of the attempt's end, and so of the slot.
LATE_SECONDS = 0.05

DELIVERED = ("delivered", "delivered", None)
WAITING = ("retryable", "waiting", None)


@dataclasses.dataclass
class Hostile:
    behave: object
    ends: tuple  # outcome of the attempt, state of the delivery, reason of its review
    error: str = ""  # a pattern of the whole error
    certificate: str = "trusted"


HEAD = b"HTTP/1.1 200 OK\r\n"
HOSTILE = {
    "accepts and never handshakes": Hostile(accepts_and_is_silent, WAITING, "timeout: TLS handshake"),
    "handshakes a byte a second": Hostile(drips_the_handshake, WAITING, "timeout: TLS handshake"),
    "never answers": Hostile(never_answers, WAITING, "timeout: waiting for an answer"),
    "a header byte a second": Hostile(answers_and_drips(HEAD + b"A: "), WAITING,
                                      "timeout: waiting for an answer"),
    "a body byte a second": Hostile(answers_and_drips(HEAD + b"Content-Length: 300\r\n\r\n"), DELIVERED),
    "a failure's body, a byte a second": Hostile(
        answers_and_drips(b"HTTP/1.1 503 Busy\r\nContent-Length: 300\r\n\r\n"), WAITING, "status: 503.*"),
    "endless headers": Hostile(answers_and_floods(HEAD, b"A: " + b"a" * 4000 + b"\r\n"), WAITING,
                               "protocol: the answer's headers are longer than 16 KiB"),
    "an endless header": Hostile(answers_and_floods(HEAD + b"A: "), WAITING,
                                 "protocol: the answer's headers are longer than 16 KiB"),
    "an endless body": Hostile(answers_and_floods(HEAD + b"\r\n"), DELIVERED),
    "endless chunks of a failure": Hostile(
        answers_and_floods(b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n",
                           b"1000\r\n" + b"x" * 4096 + b"\r\n"), WAITING, "status: 500.*"),
    "a body longer than announced": Hostile(answers(HEAD + b"Content-Length: 1\r\n\r\nabc"), DELIVERED),
    "a truncated body": Hostile(answers(HEAD + b"Content-Length: 10\r\n\r\nabc"), DELIVERED),
    "truncated headers": Hostile(answers(HEAD + b"Content-Le"), WAITING,
                                 "reset: the connection ended within the answer's headers"),
    "wrong chunking": Hostile(answers(HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n"), DELIVERED),
    "garbage": Hostile(answers(b"\xee" * 100_000), WAITING, "protocol: what came back is not HTTP/1.x"),
    "HTTP/0.9": Hostile(answers(b"<html>ok</html>"), WAITING, "protocol: what came back is not HTTP/1.x"),
    "a flood of interim answers": Hostile(answers_and_floods(b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
                                          WAITING, "protocol: .*interim answers without end"),
    "nothing": Hostile(answers(b""), WAITING, "reset: the connection ended before an answer"),
    "a reset on accepting": Hostile(resets_on_accepting, WAITING, "reset: .*"),
    "a reset in the handshake": Hostile(resets_in_the_handshake, WAITING, "reset: .*"),
    "a reset after the handshake": Hostile(resets_after_the_handshake, WAITING, "reset: .*"),
    "a reset within the request": Hostile(resets_within_the_request, WAITING, "reset: .*"),
    "a reset within the headers": Hostile(answers_and_resets(HEAD + b"A: b"), WAITING, "reset: .*"),
    "a reset within the body": Hostile(answers_and_resets(HEAD + b"Content-Length: 9\r\n\r\nabc"),
                                       DELIVERED),
    "a reset as it is reused": Hostile(resets_as_it_is_reused, DELIVERED),
    "HTTP/1.0": Hostile(answers(b"HTTP/1.0 200 OK\r\n\r\nold"), DELIVERED),
    "HTTP/2 alone": Hostile(answers(b"\0\0\x12\x04\0\0\0\0\0" + b"\0" * 18), WAITING,
                            "protocol: the server speaks HTTP/2 only; HTTP/1.1 is needed"),
    "a redirect inside": Hostile(
        redirects_elsewhere, ("refused", "review", "redirected"),
        r"status: 307 redirects to https://127\.0\.0\.7:\d+; redirects are not followed"),
    "a certificate of nobody's": Hostile(answers(OK), WAITING, "tls: the certificate is self-signed.*",
                                         "untrusted"),
    "no TLS": Hostile(lambda _, connection, __: connection.sendall(b"HTTP/1.1 400 Bad\r\n\r\n"), WAITING,
                      "tls: the server does not speak TLS on this port"),
}


@pytest.fixture
def hostile(tmp_path):
    """Starts the hostile servers named, and ends them with the test."""
    contexts, servers = {}, {}
    for name in ("trusted", "untrusted"):
        (tmp_path / name).mkdir()
        nginx.make_certificate(tmp_path / name)
        contexts[name] = harness.serving(tmp_path / name / "cert.pem", tmp_path / name / "cert.key")

    def start(*names):
        for name in names:
            servers[name] = HostileServer(HOSTILE[name].behave, contexts[HOSTILE[name].certificate])
        return servers

    start.ca_file = tmp_path / "trusted/cert.pem"
    yield start
    for server in servers.values():
        server.stop()


def endpoints(urls):
    return [argument for url in urls for argument in ("--endpoint", url)]


def service_for(starts, hostile, urls, more=(), **env):
    settings = {"MAX_RETRIES": 0, "ENDPOINT_CONCURRENCY": 2, "REQUEST_TIMEOUT_SECONDS": TIMEOUT_SECONDS}
    return starts(harness.Service, *endpoints(urls), "--ca-file", hostile.ca_file, "--allow-target",
                  "https://127.0.0.1/32", *more, env={**settings, **env})


def deliveries_of(client, event):
    found = client.json("GET", f"/events/{event}")["deliveries"]
    return {delivery["endpoint_id"]: delivery for delivery in found}


def attempts_of(client, event):
    found = {}
    for attempt in client.json("GET", f"/events/{event}/attempts")["items"]:
        found.setdefault(attempt["endpoint_id"], []).append(attempt)
    return found


def test_fifty_healthy_receivers_get_everything_while_the_others_hang(starts, hostile):
    stuck = ["accepts and never handshakes", "handshakes a byte a second", "never answers",
             "a header byte a second"]
    broken = ["endless headers", "garbage", "a flood of interim answers", "a reset after the handshake"]
    servers = hostile(*stuck, *broken)
    receiver = starts(harness.Receiver)
    healthy = [receiver.url(f"/healthy/{number}") for number in range(50)]
    # So long a time-out that none of the stuck ones ends by itself.
    service = service_for(starts, hostile, [server.url() for server in servers.values()] + healthy,
                          ["--ca-file", receiver.ca_file], REQUEST_TIMEOUT_SECONDS=harness.PATIENCE)
    client = service.client()
    events = client.post_batch([{"type": "t", "source": "s", "payload": {"n": n}} for n in range(10)])
    harness.wait_until(lambda: len(harness.accepted(receiver.records())) >= len(events) * len(healthy),
                       "the healthy receivers to have every event")
    harness.wait_until(lambda: all(servers[name].connections == 2 for name in stuck),
                       "the hanging receivers to be connected to")
    for name in stuck:
        states = [deliveries_of(client, event)[secret_endpoint_id(servers[name].url())]["state"]
                  for event in events]
        assert states.count("in_flight") == 2 and set(states) == {"in_flight", "waiting"}, name
    counts = [harness.delivered_ids(receiver.records()).count(event) for event in events]
    assert counts == [len(healthy)] * len(events), "no event came to a healthy receiver twice"
    service.kill()


def test_every_event_of_a_hostile_receiver_says_what_went_wrong(starts, hostile):
    servers = hostile(*HOSTILE)
    inside = HostileServer(accepts_and_is_silent, address="")  # at all of this machine's addresses
    servers["a redirect inside"].elsewhere = f"https://127.0.0.7:{inside.port}/private"
    closed = nginx.free_port()
    expected = {secret_endpoint_id(servers[name].url()): (name, one) for name, one in HOSTILE.items()}
    others = {
        f"https://127.0.0.1:{closed}/": Hostile(None, WAITING, "connect: connection refused"),
        f"https://127.0.0.9:{inside.port}/": Hostile(
            None, ("blocked", "review", "blocked"), "blocked: address 127.0.0.9 is not public.*"),
        f"http://127.0.0.1:{inside.port}/": Hostile(
            None, ("blocked", "review", "blocked"), "blocked: only https is allowed.*"),
    }
    expected.update({secret_endpoint_id(url): (url, one) for url, one in others.items()})
    service = service_for(starts, hostile, [server.url() for server in servers.values()] + [*others])
    client = service.client()
    # One after the other, so that what keeps its connection is reused.
    for event in [client.post_event({"n": n}) for n in range(2)]:
        harness.wait_until(lambda: len(attempts_of(client, event)) == len(expected),
                           "an attempt at each endpoint")
        attempts, deliveries = attempts_of(client, event), deliveries_of(client, event)
        for endpoint, (name, one) in expected.items():
            attempt, delivery = attempts[endpoint][-1], deliveries[endpoint]
            seen = (attempt["outcome"], delivery["state"], delivery["review_reason"])
            assert seen == one.ends, f"{name}: {attempt}"
            assert re.fullmatch(one.error, attempt["error"] or ""), f"{name}: {attempt}"
            assert len(attempts[endpoint]) == 1, f"{name}: {attempts[endpoint]}"
            assert len(attempt["response_body"] or "") <= 4096, name
    assert servers["a reset as it is reused"].connections == 2, "one of each event"
    assert inside.connections == 0
    inside.stop()


def test_a_slot_is_free_as_soon_as_the_attempts_time_is_over(starts, hostile):
    """By the service's own clock, and the best of several: a busy machine makes some of them late."""
    names = ["accepts and never handshakes", "never answers", "a header byte a second",
             "a failure's body, a byte a second"]
    servers = hostile(*names)
    timeout = 0.5
    service = service_for(starts, hostile, [server.url() for server in servers.values()],
                          ENDPOINT_CONCURRENCY=1, REQUEST_TIMEOUT_SECONDS=timeout)
    client = service.client()
    events = client.post_batch([{"type": "t", "source": "s", "payload": {}} for _ in range(8)])
    harness.wait_until(lambda: all(len(attempts_of(client, event)) == len(names) for event in events),
                       "an attempt of each event at each receiver")
    attempts = [attempts_of(client, event) for event in events]
    for name in names:
        of_one = sorted((of_event[secret_endpoint_id(servers[name].url())][0] for of_event in attempts),
                        key=lambda attempt: attempt["started_at"])
        began = [harness.seconds_of(attempt["started_at"]) for attempt in of_one]
        late = [after - before - timeout for before, after in zip(began, began[1:])]
        assert min(late) <= LATE_SECONDS, f"{name}: {late}"
        assert min(attempt["duration_ms"] for attempt in of_one) <= 1000 * (timeout + LATE_SECONDS)


def test_floods_take_no_memory(starts, hostile):
    floods = ["endless headers", "an endless header", "an endless body", "endless chunks of a failure",
              "a flood of interim answers"]
    servers = hostile(*floods)
    service = service_for(starts, hostile, [server.url() for server in servers.values()],
                          ENDPOINT_CONCURRENCY=8)
    client = service.client()
    before = service.peak_memory_bytes()
    rounds = 19  # one more, and the breaker would hold back the rest
    events = client.post_batch([{"type": "t", "source": "s", "payload": {}} for _ in range(rounds)])
    harness.wait_until(lambda: all(len(attempts_of(client, event)) == len(floods) for event in events),
                       "an attempt of each event at each flood")
    # 40 answers at once, 8 of each flood, each of 64 KiB at most, and their buffers.
    assert service.peak_memory_bytes() - before < 64 * 1024 * 1024
    for name in floods:
        # What a closed connection's buffers hold was sent and not read.
        assert servers[name].sent_bytes < servers[name].connections * 16 * 1024 * 1024, name


def test_proxy_variables_are_not_read(starts, hostile):
    proxy = HostileServer(accepts_and_is_silent)
    receiver = starts(harness.Receiver)
    names = ("http_proxy", "https_proxy", "all_proxy")
    variables = {spelled: f"http://127.0.0.1:{proxy.port}"
                 for name in names for spelled in (name, name.upper())}
    service = starts(harness.Service, *harness.delivering(receiver), env=variables)
    sent = harness.run_command("send", "--data", service.data, "--type", "t", "--source", "s",
                               "--payload", "{}", env=harness.clean_environment(**variables))
    assert sent.returncode == 0, sent.stderr
    harness.wait_until(receiver.records, "the event to be received")
    assert proxy.connections == 0
    proxy.stop()
