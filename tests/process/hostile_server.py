"""Receivers that misbehave, each a behaviour of its own on a port of 127.0.0.1. Every connection has a
thread, which ends with the server."""

import contextlib
import socket
import ssl
import struct
import threading

# Long before it a test has failed; until then a behaviour that hangs hangs.
HOLD_SECONDS = 300
DRIP_SECONDS = 1.0
FLOOD_PIECE = b"x" * 65536
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def reset(connection):
    """Ends it with an RST: what was not read is lost at both ends."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class HostileServer:
    """`behave(server, connection, number)` is called with each connection and its number, from 0."""

    def __init__(self, behave, context=None, address="127.0.0.1", port=0):
        self.behave, self.context = behave, context
        self.ending = threading.Event()
        self.elsewhere = ""  # where it redirects to
        self.connections = 0
        self.sent_bytes = 0  # by floods
        self._open = set()
        self._threads = []
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._listener = socket.create_server((address, port), family=family, backlog=256)
        self.port = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept_all, daemon=True)
        self._acceptor.start()

    def _accept_all(self):
        while not self.ending.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(HOLD_SECONDS)
            self._open.add(connection)
            number, self.connections = self.connections, self.connections + 1
            thread = threading.Thread(target=self._serve, args=(connection, number), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection, number):
        # What the other side does to a connection is no fault of the test's.
        with contextlib.suppress(OSError, ValueError):
            self.behave(self, connection, number)
        with contextlib.suppress(OSError):
            connection.close()
        self._open.discard(connection)

    def url(self, path="/hook"):
        return f"https://127.0.0.1:{self.port}{path}"

    def shake_hands(self, connection):
        wrapped = self.context.wrap_socket(connection, server_side=True)
        self._open.add(wrapped)
        return wrapped

    def wait(self, seconds=HOLD_SECONDS):
        """True when the server ends meanwhile."""
        return self.ending.wait(seconds)

    def hold(self, connection):
        """Until the other side is gone."""
        while connection.recv(4096):
            pass

    def drip(self, connection, data):
        """A byte a second."""
        for byte in data:
            connection.sendall(bytes([byte]))
            if self.wait(DRIP_SECONDS):
                return

    def flood(self, connection, piece=FLOOD_PIECE):
        while not self.ending.is_set():
            connection.sendall(piece)
            self.sent_bytes += len(piece)

    def stop(self):
        self.ending.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._acceptor.join(10)
        for thread in self._threads:
            thread.join(10)


def read_request(connection):
    """A whole request; empty when the other side is gone."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n")
                   if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        more = connection.recv(65536)
        if not more:
            return b""
        body += more
    return head + b"\r\n\r\n" + body


# -- behaviours

def accepts_and_is_silent(server, connection, _):
    server.hold(connection)


def never_answers(server, connection, _):
    server.hold(server.shake_hands(connection))


def drips_the_handshake(server, connection, _):
    """The real bytes of a TLS server, one a second."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = server.context.wrap_bio(incoming, outgoing, server_side=True)
    incoming.write(connection.recv(65536))
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    server.drip(connection, outgoing.read())


def resets_on_accepting(_, connection, __):
    reset(connection)


def resets_in_the_handshake(_, connection, __):
    connection.recv(1)
    reset(connection)


def after_the_request(act):
    """`act(server, tls connection)` once a request was read."""
    def behave(server, connection, _):
        with server.shake_hands(connection) as tls:
            if read_request(tls):
                act(server, tls)
    return behave


def answers(data):
    """`data`, and then the end."""
    return after_the_request(lambda _, tls: tls.sendall(data))


def answers_and_resets(data):
    def act(_, tls):
        tls.sendall(data)
        reset(tls)
    return after_the_request(act)


def answers_and_drips(data, drops=b"a" * HOLD_SECONDS):
    def act(server, tls):
        tls.sendall(data)
        server.drip(tls, drops)
    return after_the_request(act)


def answers_and_floods(data, piece=FLOOD_PIECE):
    def act(server, tls):
        tls.sendall(data)
        server.flood(tls, piece)
    return after_the_request(act)


def resets_after_the_handshake(server, connection, _):
    reset(server.shake_hands(connection))


def resets_within_the_request(server, connection, _):
    tls = server.shake_hands(connection)
    tls.recv(10)
    reset(tls)


def resets_as_it_is_reused(server, connection, number):
    """The first connection takes a second request and resets it; the others behave."""
    with server.shake_hands(connection) as tls:
        while read_request(tls):
            tls.sendall(OK)
            if number == 0 and read_request(tls):
                reset(tls)
                return


@after_the_request
def redirects_elsewhere(server, tls):
    tls.sendall(b"HTTP/1.1 307 Go\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n"
                % server.elsewhere.encode())
