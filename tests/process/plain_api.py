"""A Triggers API that has none of our extensions, as the original is: at most 100 pending events,
newest first, no lease, unknown parameters ignored."""

import http.server
import json
import threading
import urllib.parse
import uuid


class PlainApi:
    """Serves on a free port of 127.0.0.1 until `close`."""

    API_KEY = "plain-api-key"

    def __init__(self):
        self.lock = threading.Lock()
        self.events = []  # oldest first: {"json": the raw text of the event, "id", "acked"}
        self.tokens = set()
        self.tokens_given = 0
        self.requests = []  # (method, path)
        self.expire_after = None  # requests that a token lasts for
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.answer(*api.serve("GET", self.path, self.headers, b""))

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.answer(*api.serve(self.command, self.path, self.headers, body))

            do_PATCH = do_DELETE = do_POST

            def answer(self, status, text):
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def add(self, payload_text="{}"):
        number = len(self.events)
        event_id = str(uuid.uuid4())
        text = (f'{{"id":"{event_id}","type":"t","source":"s","payload":{payload_text},'
                f'"status":"pending","created_at":"2024-01-01T00:00:{number // 1000:02d}.{number % 1000:03d}000Z",'
                f'"updated_at":"2024-01-01T00:00:00.000000Z","delivery_attempts":0,'
                f'"last_delivery_attempt":null,"delivery_latency_ms":null,"error_message":null}}')
        with self.lock:
            self.events.append({"id": event_id, "json": text, "acked": 0})
        return event_id

    def pending(self):
        with self.lock:
            return [event["id"] for event in self.events if not event["acked"]]

    def count(self, method, start):
        with self.lock:
            return sum(1 for m, path in self.requests if m == method and path.startswith(start))

    def serve(self, method, path, headers, body):
        with self.lock:
            self.requests.append((method, path))
            path = path.split("?")[0]
            if path == "/token":
                return self.log_in(body)
            token = headers.get("Authorization", "").removeprefix("Bearer ")
            if token not in self.tokens:
                return 401, '{"detail":"Could not validate credentials"}'
            if self.expire_after is not None:
                self.expire_after -= 1
                if self.expire_after == 0:
                    self.tokens.clear()
            if (method, path) == ("GET", "/inbox"):
                shown = [event["json"] for event in reversed(self.events) if not event["acked"]]
                return 200, "[" + ",".join(shown[:100]) + "]"
            if method == "POST" and path.startswith("/inbox/") and path.endswith("/ack"):
                return self.acknowledge(path.split("/")[2])
            return 404, '{"detail":"Not Found"}'

    def log_in(self, body):
        form = urllib.parse.parse_qs(body.decode())
        if form.get("username") != ["api"] or form.get("password") != [self.API_KEY]:
            return 401, '{"detail":"Incorrect username or password"}'
        self.tokens_given += 1
        token = f"opaque-{self.tokens_given}"
        self.tokens.add(token)
        return 200, json.dumps({"access_token": token, "token_type": "bearer"})

    def acknowledge(self, event_id):
        for event in self.events:
            if event["id"] == event_id:
                event["acked"] += 1
                return 200, json.dumps({"id": event_id, "status": "delivered"})
        return 404, '{"detail":"Event not found"}'

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
