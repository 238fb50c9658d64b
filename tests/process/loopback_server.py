"""What every HTTP server that stands for somebody else in a test is made of: on a free port of 127.0.0.1, a thread
for each connection, connections kept."""

import http.server
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body are written one after the other: the second must not wait for an acknowledgement.
    disable_nagle_algorithm = True

    def body(self):
        """The request's; read it once."""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status, body=b"", headers=()):
        """`body` is bytes or text, `headers` a dict or pairs."""
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        self.finish_answer(body, headers)

    def finish_answer(self, body, headers=()):
        """After the status line."""
        for name, value in headers.items() if isinstance(headers, dict) else headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def close_without_answer(self):
        self.close_connection = True

    def log_message(self, *_):
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    # With fewer, of many connections at once some would come a second late.
    request_queue_size = 256


class LoopbackServer:
    """Serves by `handler`, a Handler, until `close`; over TLS with `tls`, a server's context."""

    def __init__(self, handler, tls=None):
        self._server = _Server(("127.0.0.1", 0), handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self.address = f"127.0.0.1:{self.port}"
        self.origin = f"http://{self.address}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
