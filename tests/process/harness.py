"""Starts the real programs, talks to them over real sockets, and waits for what they do.

Every process started here listens on port 0 and is found by the `listening on …` line that it prints,
so that any number of tests can run at once. Nothing here sleeps a fixed time: `wait_until` polls
for what a test is waiting for, and says what that was when it does not come.
"""

import contextlib
import datetime
import hashlib
import http.client
import json
import os
import pathlib
import re
import signal
import ssl
import subprocess
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
# A sanitizer's build is tested by naming it here.
BINARY = pathlib.Path(os.environ.get("DISPATCHER_BIN", ROOT / "build/release/dispatcher"))

# Generous: a time-out here means "never", on the slowest machine under a sanitizer.
PATIENCE = float(os.environ.get("TEST_PATIENCE_SECONDS", "90"))
LOOPBACK_TARGETS = "https://127.0.0.0/8,http://127.0.0.0/8"

LISTENING = re.compile(r"listening on (https?)://(\[[^\]]+\]|[^:/\s]+):(\d+)")


def wait_until(condition, what, timeout=PATIENCE):
    """Returns the first true value of `condition()`; fails, saying `what` did not come, after `timeout`."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout:.0f} s in vain for: {what}")
        time.sleep(0.01)


def clean_environment(**extra):
    """Our environment without any of the program's own settings, and with `extra` on top."""
    ours = ("AWS_", "API_", "ALLOW_", "CA_FILE", "MAX_", "RETRY_", "REQUEST_", "SECRET",
            "ENDPOINT_", "METRICS_", "DYNAMODB_", "DISPATCHER_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    kept.update({name: str(value) for name, value in extra.items()})
    return kept


class Process:
    """A running program, whose stdout and stderr go to files in `folder`."""

    def __init__(self, args, folder, name, env=None, cwd=None, **popen):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.out_file = self.folder / f"{name}.out"
        self.err_file = self.folder / f"{name}.err"
        # Appended to: a service that is started again keeps its earlier log.
        self._out_start = self.out_file.stat().st_size if self.out_file.exists() else 0
        self._err_start = self.err_file.stat().st_size if self.err_file.exists() else 0
        with open(self.out_file, "ab") as out, open(self.err_file, "ab") as err:
            self.popen = subprocess.Popen(
                [str(arg) for arg in args], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                env=env if env is not None else clean_environment(), cwd=cwd, **popen)

    @property
    def pid(self):
        return self.popen.pid

    def stdout(self):
        return self._since(self.out_file, self._out_start)

    def stderr(self):
        return self._since(self.err_file, self._err_start)

    @staticmethod
    def _since(path, start):
        with open(path, "rb") as file:
            file.seek(start)
            return file.read().decode("utf-8", "replace")

    def is_running(self):
        return self.popen.poll() is None

    def kill(self):
        """SIGKILL: the process gets no chance to do anything."""
        self.popen.kill()
        self.popen.wait()

    def terminate(self):
        self.popen.send_signal(signal.SIGTERM)

    def signal(self, number):
        self.popen.send_signal(number)

    def wait(self, timeout=PATIENCE):
        """The exit status."""
        try:
            return self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end within {timeout} s\n{self.stderr()[-4000:]}")

    def stop(self):
        """Ends it without an opinion on how: for cleaning up."""
        if self.is_running():
            self.terminate()
            try:
                self.popen.wait(35)
            except subprocess.TimeoutExpired:
                self.kill()

    def wait_for_address(self):
        """(scheme, host, port) of the `listening on` line."""

        def seen():
            found = LISTENING.search(self.stdout()) or LISTENING.search(self.stderr())
            if found is None and not self.is_running():
                raise AssertionError(
                    f"{self.name} ended with {self.popen.returncode} before it listened:\n"
                    f"{self.stdout()}{self.stderr()}")
            return found

        found = wait_until(seen, f"{self.name} to print `listening on …`")
        return found.group(1), found.group(2).strip("[]"), int(found.group(3))


def run_command(*args, env=None, cwd=None, input=None, timeout=PATIENCE):
    """One `dispatcher` command to its end: returncode, stdout and stderr as text."""
    return subprocess.run(
        [str(BINARY), *map(str, args)], env=env if env is not None else clean_environment(), cwd=cwd,
        input=input if input is not None else "", capture_output=True, text=True, timeout=timeout)


class Client:
    """A plain HTTP client of the Triggers API, on one kept connection. Not for several threads."""

    def __init__(self, host, port, token=None, timeout=PATIENCE):
        self.host, self.port, self.token, self.timeout = host, port, token, timeout
        self._connection = None

    def request(self, method, path, body=None, headers=None):
        """(status, headers, body bytes). A connection that the server closed is opened again once;
        only for requests that may be repeated, or that did not leave."""
        sent = dict(headers or {})
        if self.token and "Authorization" not in sent:
            sent["Authorization"] = f"Bearer {self.token}"
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            sent.setdefault("Content-Type", "application/json")
        if isinstance(body, str):
            body = body.encode()
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)
        try:
            self._connection.request(method, path, body=body, headers=sent)
            answer = self._connection.getresponse()
            return answer.status, answer.headers, answer.read()
        except Exception:
            self.close()
            raise

    def json(self, method, path, body=None, headers=None, expect=200):
        status, _, text = self.request(method, path, body, headers)
        assert status == expect, f"{method} {path}: {status} {text[:500]!r}"
        return json.loads(text) if text else None

    def take_token(self, api_key):
        form = urllib.parse.urlencode({"username": "api", "password": api_key})
        answer = self.json("POST", "/token", form,
                           {"Content-Type": "application/x-www-form-urlencoded"})
        self.token = answer["access_token"]
        return self

    def post_event(self, payload=None, type="order.created", source="shop"):
        """The id of the new event."""
        event = {"type": type, "source": source, "payload": payload if payload is not None else {}}
        return self.json("POST", "/events", event, expect=201)["id"]

    def post_batch(self, events):
        """The ids of the new events (at most 1,000)."""
        answer = self.json("POST", "/events/batch", events, expect=201)
        return [item["id"] for item in answer["items"]]

    def summary(self):
        return self.json("GET", "/metrics/summary")

    def close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Service(Process):
    """`dispatcher serve`, listening."""

    def __init__(self, folder, *args, data=None, port=0, env=None, name="serve", **popen):
        self.data = pathlib.Path(data or pathlib.Path(folder) / "data")
        super().__init__(
            [BINARY, "serve", "--listen", f"127.0.0.1:{port}", "--data", self.data, *args], folder, name,
            env=clean_environment(**(env or {})), **popen)
        try:
            _, self.host, self.port = self.wait_for_address()
        except BaseException:
            self.stop()
            raise

    @property
    def url(self):
        return f"http://{self.host}:{self.port}"

    def secret(self):
        return json.loads((self.data / "secrets.json").read_text())

    def api_key(self):
        key = self.secret()["zapier_api_key"]
        return key[0] if isinstance(key, list) else key

    def anonymous(self, **options):
        return Client(self.host, self.port, **options)

    def client(self, **options):
        """With a token."""
        return self.anonymous(**options).take_token(self.api_key())

    def memory_bytes(self):
        """Resident set."""
        pages = int(pathlib.Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def peak_memory_bytes(self):
        """The largest resident set since the start."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1))


class Receiver(Process):
    """`dispatcher listen` with a record of every request."""

    def __init__(self, folder, *args, name="listen", data=None, port=0, env=None):
        self.data = pathlib.Path(data or pathlib.Path(folder) / f"{name}-data")
        self.record_file = pathlib.Path(folder) / f"{name}.ndjson"
        super().__init__(
            [BINARY, "listen", "--listen", f"127.0.0.1:{port}", "--data", self.data,
             "--record", self.record_file, *args],
            folder, name, env=clean_environment(**(env or {})))
        try:
            self.scheme, self.host, self.port = self.wait_for_address()
        except BaseException:
            self.stop()
            raise

    @property
    def ca_file(self):
        return self.data / CERTIFICATE_NAME

    def url(self, path="/hook"):
        return f"{self.scheme}://{self.host}:{self.port}{path}"

    def records(self):
        return read_records(self.record_file)


# The certificate that `listen` makes in its `--data`.
CERTIFICATE_NAME = "cert.pem"


def read_records(path):
    """The requests recorded so far; a line that is still being written is left for the next time."""
    if not pathlib.Path(path).exists():
        return []
    text = pathlib.Path(path).read_bytes()
    return [json.loads(line) for line in text[:text.rfind(b"\n") + 1].splitlines()]


def accepted(records):
    """Those the receiver answered with a 2xx: a refused request may come again, these may not."""
    return [record for record in records if 200 <= record["status"] < 300]


def delivered_ids(records):
    """The event's id of each accepted request, with repetitions, in order of arrival."""
    return [record["id"] for record in accepted(records)]


def delivering(receiver, path="/hook", *more):
    """The arguments that make `serve` or `run` deliver to `receiver`."""
    return ["--endpoint", receiver.url(path), "--ca-file", receiver.ca_file,
            "--allow-target", "https://127.0.0.0/8", *more]


@contextlib.contextmanager
def starting(folder):
    """A function that starts a Service or a Receiver in `folder`; all of them end with the block."""
    with contextlib.ExitStack() as started:

        def start(kind, *args, **options):
            process = kind(folder, *args, **options)
            started.callback(process.stop)
            return process

        yield start


@contextlib.contextmanager
def stopping(*processes):
    """Ends them all when the block ends, however it ends."""
    try:
        yield processes[0] if len(processes) == 1 else processes
    finally:
        for process in processes:
            process.stop()


def secret_endpoint_id(url):
    """The id of an endpoint that the secret, or `--endpoint`, configures."""
    return "secret-" + hashlib.sha256(url.encode()).hexdigest()[:8]


def serving(certificate, key):
    """A server's TLS context."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def trusting(ca_file):
    """A client's TLS context that trusts `ca_file` alone."""
    return ssl.create_default_context(cafile=str(ca_file))


def seconds_of(timestamp):
    """Seconds since the epoch of `2024-01-01T00:00:00.000000Z`."""
    return datetime.datetime.fromisoformat(timestamp.replace("Z", "+00:00")).timestamp()
