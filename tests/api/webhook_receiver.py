"""A plain HTTP receiver on this machine: answers what it is told to, and remembers what came."""

import http.server
import threading
import time


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    # With fewer, of many connections at once some would come a second late.
    request_queue_size = 256


class WebhookReceiver:
    def __init__(self, status=200, headers=(), is_open=True):
        """While it is not open, what came waits for its answer."""
        self.status, self.headers, self.requests = status, list(headers), []
        self.arrivals = []  # of the requests, on the monotonic clock
        self._opened = threading.Event()
        if is_open:
            self._opened.set()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.arrivals.append(time.monotonic())
                receiver.requests.append((self.path, dict(self.headers.items()), body))
                receiver._opened.wait()
                self.send_response(receiver.status)
                for name, value in receiver.headers:
                    self.send_header(name, value)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *args):
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def url(self, path="/hook"):
        return f"http://127.0.0.1:{self._server.server_port}{path}"

    def open(self):
        self._opened.set()

    def bodies(self):
        return [body for _, _, body in self.requests]

    def stop(self):
        self.open()
        self._server.shutdown()
        self._server.server_close()
