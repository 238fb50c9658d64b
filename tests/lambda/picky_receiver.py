"""A webhook receiver that answers each request as the test decides."""

import json
import threading

import loopback_server


class PickyReceiver:
    """`status_of(payload)` decides: a status, or one with headers; None never answers. Serves on a free port of
    127.0.0.1 until `close`, over TLS with `tls`, a server's context."""

    def __init__(self, status_of, tls=None):
        self.lock = threading.Lock()
        self.requests = []  # (event's id, status), in order of arrival
        self.bodies = []  # of the same, as they came
        self.closing = threading.Event()
        receiver = self

        class Handler(loopback_server.Handler):
            def do_POST(self):
                body = self.body()
                event = json.loads(body)
                decided = status_of(event["payload"])
                status, headers = decided if isinstance(decided, tuple) else (decided, {})
                with receiver.lock:
                    receiver.requests.append((event["id"], status))
                    receiver.bodies.append(body)
                if status is None:
                    receiver.closing.wait()
                    self.close_without_answer()
                    return
                self.answer(status, headers=headers)

        self.server = loopback_server.LoopbackServer(Handler, tls)
        self.port = self.server.port
        self.url = f"{self.server.origin}/hook"

    def ids(self, status=200):
        with self.lock:
            return [event for event, answered in self.requests if answered == status]

    def close(self):
        self.closing.set()
        self.server.close()
