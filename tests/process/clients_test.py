"""Clients that misbehave cost the others nothing: ten thousand idle connections, a client that sends a
byte a second, one that never reads, bodies that are too large or never end."""

import contextlib
import resource
import selectors
import socket
import time

import pytest

import harness

IDLE = 10_000
# What else the test and the service have open.
SPARE = 600


def raise_open_files():
    """As many open files as this process may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def connect_many(stack, service, count):
    """Open connections, made a few hundred at a time."""
    opened = []
    while len(opened) < count:
        with selectors.DefaultSelector() as selector:
            for _ in range(min(500, count - len(opened))):
                client = stack.enter_context(socket.socket())
                client.setblocking(False)
                client.connect_ex((service.host, service.port))
                selector.register(client, selectors.EVENT_WRITE)
            while selector.get_map():
                ready = selector.select(harness.PATIENCE)
                assert ready, "a connection was never accepted"
                for key, _ in ready:
                    selector.unregister(key.fileobj)
                    assert key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
                    opened.append(key.fileobj)
    return opened


def test_ten_thousand_idle_connections_leave_the_service_answering(starts):
    count = min(IDLE, raise_open_files() - SPARE)
    if count < IDLE:
        print(f"RLIMIT_NOFILE allows {count} connections")
    service = starts(harness.Service)
    with contextlib.ExitStack() as stack:
        connect_many(stack, service, count)
        client = service.client()
        for number in range(50):
            client.post_event({"n": number})
        assert service.anonymous().json("GET", "/health") == {"status": "healthy"}
        assert service.is_running()
    # And when they have gone.
    assert service.anonymous().json("GET", "/health") == {"status": "healthy"}


def begin(service, text):
    """A connection on which `text` has been sent."""
    client = socket.create_connection((service.host, service.port), timeout=harness.PATIENCE)
    client.sendall(text)
    return client


def answer_of(client):
    """What comes until the server closes."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while chunk := client.recv(65536):
            received += chunk
    return received


def test_a_client_that_sends_a_byte_a_second_holds_nobody_up_and_is_ended(starts):
    service = starts(harness.Service)
    client = service.client()
    slow = [begin(service, b"POST /events HTTP/1.1\r\n") for _ in range(50)]
    began = time.monotonic()
    ended = None
    while ended is None and time.monotonic() - began < harness.PATIENCE:
        for connection in slow:
            try:
                connection.sendall(b"X")
            except OSError:
                ended = connection
        client.post_event()
        time.sleep(1)
        slow[0].setblocking(False)
        try:
            ended = slow[0] if slow[0].recv(1, socket.MSG_PEEK) is not None else None
        except BlockingIOError:
            pass
        except OSError:
            ended = slow[0]
        slow[0].setblocking(True)
    assert ended is not None, "the slow client was never ended"
    for connection in slow:
        connection.close()


@pytest.mark.parametrize("head, status", [
    (b"POST /events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer TOKEN\r\nContent-Type: "
     b"application/json\r\nContent-Length: 104857600\r\n\r\n", b"413"),
    (b"GET /health HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 200_000 + b"\r\n\r\n", b"431"),
    (b"GET /health HTTP/1.1\r\nHost: x\r\n" + b"X-Many: y\r\n" * 5_000 + b"\r\n", b"431"),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 not http\r\n\r\n", b"400"),
    (b"GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: nine\r\n\r\n", b"400"),
    (b"POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
     b"400"),
], ids=["body-too-large", "header-too-long", "too-many-headers", "not-http", "bad-length",
        "two-lengths"])
def test_a_bad_request_is_answered_and_the_service_goes_on(starts, head, status):
    service = starts(harness.Service)
    token = service.client().token.encode()
    with begin(service, b"") as client:
        with contextlib.suppress(ConnectionError):
            client.sendall(head.replace(b"TOKEN", token))
        answer = answer_of(client)
    assert answer.startswith(b"HTTP/1.1 " + status), answer[:200]
    assert service.anonymous().json("GET", "/health") == {"status": "healthy"}


def test_a_client_that_never_reads_pins_no_memory_and_holds_nobody_up(starts):
    service = starts(harness.Service)
    client = service.client()
    payload = {"text": "x" * 10_000}
    for _ in range(10):
        client.post_batch([{"type": "t", "source": "s", "payload": payload}] * 90)
    before = service.memory_bytes()
    request = (f"GET /events/export?format=json HTTP/1.1\r\nHost: x\r\n"
               f"Authorization: Bearer {client.token}\r\n\r\n").encode()
    deaf = [begin(service, request) for _ in range(20)]
    for number in range(20):
        client.post_event({"n": number})
    grown = service.memory_bytes() - before
    for connection in deaf:
        connection.close()
    # Twenty exports of 9 MB each are under way; a piece of each may be in memory.
    assert grown < 60 * 1024 * 1024
