"""A plain HTTP receiver on this machine: answers what it is told to, and remembers what came."""

import threading
import time

import loopback_server


class WebhookReceiver:
    def __init__(self, status=200, headers=(), is_open=True):
        """While it is not open, what came waits for its answer."""
        self.status, self.headers, self.requests = status, list(headers), []
        self.arrivals = []  # of the requests, on the monotonic clock
        self._opened = threading.Event()
        if is_open:
            self._opened.set()
        receiver = self

        class Handler(loopback_server.Handler):
            def do_POST(self):
                body = self.body()
                receiver.arrivals.append(time.monotonic())
                receiver.requests.append((self.path, dict(self.headers.items()), body))
                receiver._opened.wait()
                self.answer(receiver.status, "ok", receiver.headers)

        self._server = loopback_server.LoopbackServer(Handler)

    def url(self, path="/hook"):
        return self._server.origin + path

    def open(self):
        self._opened.set()

    def bodies(self):
        return [body for _, _, body in self.requests]

    def stop(self):
        self.open()
        self._server.close()
