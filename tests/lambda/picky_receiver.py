"""A webhook receiver that answers each request as the test decides."""

import http.server
import json
import threading


class PickyReceiver:
    """`status_of(payload)` decides: a status, or one with headers; None never answers. Serves on a free port of
    127.0.0.1 until `close`, over TLS with `tls`, a server's context."""

    def __init__(self, status_of, tls=None):
        self.lock = threading.Lock()
        self.requests = []  # (event's id, status), in order of arrival
        self.bodies = []  # of the same, as they came
        self.closing = threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                event = json.loads(body)
                decided = status_of(event["payload"])
                status, headers = decided if isinstance(decided, tuple) else (decided, {})
                with receiver.lock:
                    receiver.requests.append((event["id"], status))
                    receiver.bodies.append(body)
                if status is None:
                    receiver.closing.wait()
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def ids(self, status=200):
        with self.lock:
            return [event for event, answered in self.requests if answered == status]

    def close(self):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
