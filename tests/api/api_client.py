"""A running service and a plain client of it. Nothing is hidden: what is asserted is what came over the
socket, headers in lower case, bodies as bytes."""

import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("DISPATCHER_BIN", ROOT / "build/release/dispatcher"))

# Generous: a time-out means "never", on the slowest machine under a sanitizer.
PATIENCE = 60

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\Z")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
NO_SUCH_ID = "00000000-0000-4000-8000-000000000000"

INBOX_FIELDS = ["id", "type", "source", "payload", "status", "created_at", "updated_at",
                "delivery_attempts", "last_delivery_attempt", "delivery_latency_ms", "error_message"]


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode("utf-8")

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def detail(self):
        return self.json["detail"]

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r}"


class Client:
    """One kept connection. Not for several threads."""

    def __init__(self, port, token=None):
        self.port, self.token = port, token
        self._connection = None

    def request(self, method, path, body=None, headers=None, content_type="application/json"):
        sent = {name.lower(): value for name, value in (headers or {}).items()}
        if self.token and "authorization" not in sent:
            sent["authorization"] = f"Bearer {self.token}"
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode("utf-8")
        if body is not None and content_type and "content-type" not in sent:
            sent["content-type"] = content_type
        for attempt in range(2):
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                              timeout=PATIENCE)
            is_new = self._connection.sock is None
            try:
                self._connection.request(method, path, body=body, headers=sent)
                answer = self._connection.getresponse()
                text = answer.read()
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                # The server may have closed a kept connection after an early refusal.
                self.close()
                if is_new or attempt:
                    raise
                continue
            return Answer(answer.status,
                          {name.lower(): value for name, value in answer.getheaders()}, text)

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, body=None, **options):
        return self.request("POST", path, body, **options)

    def patch(self, path, body=None, **options):
        return self.request("PATCH", path, body, **options)

    def delete(self, path, **options):
        return self.request("DELETE", path, **options)

    def post_event(self, type="order.created", source="shop", payload="{}", **options):
        """Takes the payload as JSON text; returns the new event's id."""
        body = f'{{"type":{json.dumps(type)},"source":{json.dumps(source)},"payload":{payload}}}'
        answer = self.post("/events", body, **options)
        assert answer.status == 201, answer
        return answer.json["id"]

    def take_token(self, api_key):
        form = urllib.parse.urlencode({"username": "api", "password": api_key})
        answer = self.post("/token", form, content_type="application/x-www-form-urlencoded")
        assert answer.status == 200, answer
        self.token = answer.json["access_token"]
        return self

    def close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Service:
    """`dispatcher serve` without any endpoint: the API alone."""

    def __init__(self, folder, secrets=None, env=None):
        self.folder = pathlib.Path(folder)
        ours = ("AWS_", "API_", "ALLOW_", "CA_FILE", "MAX_", "RETRY_", "REQUEST_", "SECRET",
                "ENDPOINT_", "METRICS_", "DYNAMODB_")
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith(ours)}
        environment.update(env or {})
        self.secrets_file = self.folder / "data" / "secrets.json"
        if secrets is not None:
            self.secrets_file = self.folder / "secrets.json"
            self.write_secrets(secrets)
            environment["SECRETS_FILE"] = str(self.secrets_file)
        self.log = self.folder / "serve.err"
        self.out = self.folder / "serve.out"
        self._environment = environment
        self._start()

    def _start(self):
        with open(self.out, "wb") as out, open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [str(BINARY), "serve", "--listen", "127.0.0.1:0", "--data",
                 str(self.folder / "data")],
                stdin=subprocess.DEVNULL, stdout=out, stderr=log, env=self._environment)
        self.port = self._wait_for_port()

    def restart(self, secrets):
        """Ends it, and starts it on the same store with other secrets."""
        self.stop()
        self.write_secrets(secrets)
        self._start()

    def _wait_for_port(self):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = re.search(r"listening on http://127\.0\.0\.1:(\d+)",
                              self.out.read_text() + self.log.read_text())
            if found:
                return int(found.group(1))
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        self.stop()
        raise AssertionError(f"serve does not listen: {self.out.read_text()}{self.log.read_text()}")

    def write_secrets(self, secrets):
        self.secrets_file.write_text(json.dumps(secrets))
        self.secrets_file.chmod(0o600)

    def api_key(self):
        key = json.loads(self.secrets_file.read_text())["zapier_api_key"]
        return key[0] if isinstance(key, list) else key

    def jwt_secret(self):
        secret = json.loads(self.secrets_file.read_text())["jwt_secret"]
        return secret[0] if isinstance(secret, list) else secret

    def anonymous(self):
        return Client(self.port)

    def client(self):
        return Client(self.port).take_token(self.api_key())

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(35)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def wait_until(condition, what):
    """The first true value of `condition()`."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"waited {PATIENCE} s in vain for: {what}")


def fault(type, loc, msg, input, **ctx):
    """One entry of a 422, in its order."""
    entry = {"type": type, "loc": loc, "msg": msg, "input": input}
    if ctx:
        entry["ctx"] = ctx
    return entry


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def assert_faults(answer, *entries):
    assert answer.status == 422, answer
    assert answer.text == compact({"detail": list(entries)})


def missing(*loc, input):
    return fault("missing", list(loc), "Field required", input)
