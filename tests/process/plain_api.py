"""A Triggers API that has none of our extensions, as the original is: at most 100 pending events,
newest first, no lease, unknown parameters ignored."""

import json
import threading
import urllib.parse
import uuid

import loopback_server


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

        class Handler(loopback_server.Handler):
            def do_GET(self):
                self.serve(b"")

            def do_POST(self):
                self.serve(self.body())

            do_PATCH = do_DELETE = do_POST

            def serve(self, body):
                status, text = api.serve(self.command, self.path, self.headers, body)
                self.answer(status, text, {"Content-Type": "application/json"})

        self.server = loopback_server.LoopbackServer(Handler)
        self.url = self.server.origin

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
        self.server.close()
