"""A DNS server that answers what a test tells it to, over UDP, and over TCP what is too long for it."""

import contextlib
import socket
import struct
import threading

TYPE_A, TYPE_AAAA = 1, 28
NAME_ERROR = 3
MAX_DATAGRAM = 512  # RFC 1035, section 4.2.1
CUT = 0x0200  # the flag of an answer that must be asked for over TCP


class NameServer:
    """`names` has for each name a list of addresses, bytes that are sent as they are behind the
    question's id, None for silence, or a function of the number of the look-up, from 0, that returns
    one of these. Other names do not exist."""

    def __init__(self, names, address="127.0.0.1", port=53):
        self.names, self.address = names, address
        self.asked = {}  # (name, type) → how often
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, port))
        self._listener = socket.create_server((address, port))
        self._threads = [threading.Thread(target=serve, daemon=True)
                         for serve in (self._serve_datagrams, self._serve_streams)]
        for thread in self._threads:
            thread.start()

    def _serve_datagrams(self):
        with contextlib.suppress(OSError):  # it was stopped
            while True:
                question, sender = self._socket.recvfrom(4096)
                answer = self._answer(question) if len(question) > 16 else None
                if answer is not None and len(answer) > MAX_DATAGRAM and answer[2] & 0x80:
                    answer = question[:2] + struct.pack("!HHHHH", 0x8180 | CUT, 1, 0, 0, 0) + question[12:]
                if answer is not None:
                    self._socket.sendto(answer, sender)

    def _serve_streams(self):
        """One at a time, each for as long as it asks; each message behind its length."""
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                connection.settimeout(2)
                with connection, contextlib.suppress(OSError), connection.makefile("rb") as stream:
                    while head := stream.read(2):
                        answer = self._answer(stream.read(int.from_bytes(head, "big")))
                        if answer is not None:
                            connection.sendall(struct.pack("!H", len(answer)) + answer)

    def _answer(self, question):
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode())
            at += 1 + question[at]
        name, (kind,) = ".".join(labels).lower(), struct.unpack_from("!H", question, at + 1)
        number = self.asked.get((name, kind), 0)
        self.asked[name, kind] = number + 1
        content = self.names.get(name, NAME_ERROR)
        if callable(content):
            content = content(number)
        if content is None:
            return None
        if isinstance(content, bytes):
            return question[:2] + content
        records = [] if content == NAME_ERROR else [packed for packed in map(pack, content)
                                                    if len(packed) == (4 if kind == TYPE_A else 16)]
        flags = 0x8180 | (NAME_ERROR if content == NAME_ERROR else 0)
        head = question[:2] + struct.pack("!HHHHH", flags, 1, len(records), 0, 0)
        return head + question[12:at + 5] + b"".join(
            struct.pack("!HHHIH", 0xC00C, kind, 1, 0, len(packed)) + packed for packed in records)

    def stop(self):
        for one in (self._socket, self._listener):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join(10)


def pack(address):
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
