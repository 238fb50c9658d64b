"""The commands for endpoints over a real connection: secrets come from standard input and from files, and
reach the service alone; statuses and streams are those of every command."""

import json
import uuid

import pytest

from harness import clean_environment, run_command
from plain_api import PlainApi

MARK = uuid.uuid4().hex


class EndpointsApi(PlainApi):
    """Answers the calls of endpoints as they are scripted: a queue of (status, body)."""

    def __init__(self):
        super().__init__()
        self.answers = []
        self.received = []  # (method, path, the JSON of the body)

    def serve(self, method, path, headers, body):
        if not path.startswith("/endpoints"):
            return super().serve(method, path, headers, body)
        assert headers["Authorization"].removeprefix("Bearer ") in self.tokens
        self.received.append((method, path, json.loads(body) if body else None))
        status, answer = self.answers.pop(0)
        return status, json.dumps(answer, separators=(",", ":")) if answer is not None else ""


@pytest.fixture
def api():
    api = EndpointsApi()
    yield api
    api.close()


@pytest.fixture
def run(api, tmp_path):
    """Runs a command against the service, with all that it has to say in its log."""
    secrets = tmp_path / "secrets.json"
    secrets.write_text(json.dumps({"zapier_api_key": PlainApi.API_KEY}))
    secrets.chmod(0o600)

    def run(*args, url=None, **options):
        done = run_command("endpoints", *args, env=clean_environment(
            API_BASE_URL=url or api.url, SECRETS_FILE=secrets, DISPATCHER_LOG_LEVEL="debug"), **options)
        assert MARK not in done.stderr
        return done

    return run


def test_secrets_are_read_from_the_input_and_from_files(api, run, tmp_path):
    (tmp_path / "secret").write_text(f"whsec_{MARK}\n")
    (tmp_path / "headers").write_text(f"X-Tenant: {MARK}\nX-Other: 2\n")
    api.answers = [(201, {"id": "ep_1", "secret": f"whsec_{MARK}"})]
    done = run("add", "-", "--secret", f"@{tmp_path}/secret", "--header", f"@{tmp_path}/headers",
               input=f"https://h.test/{MARK}\n")
    assert done.returncode == 0, done.stderr
    assert api.received == [("POST", "/endpoints", {
        "url": f"https://h.test/{MARK}", "headers": {"X-Tenant": MARK, "X-Other": "2"},
        "secret": f"whsec_{MARK}"})]
    assert f"secret  whsec_{MARK}\n" in done.stdout and "shown this once" in done.stdout


def test_what_is_refused_or_not_answered_shows_no_secret(api, run):
    api.answers = [(422, {"detail": [
        {"type": "value_error", "loc": ["body", "url"], "msg": "must be https", "input": MARK},
        {"type": "value_error", "loc": ["body", "headers", "Host"], "msg": "may not be set", "input": MARK}]})]
    add = ["add", f"http://h.test/{MARK}", "--header", f"Host: {MARK}"]
    done = run(*add)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == "dispatcher: URL: must be https\ndispatcher: --header: Host: may not be set\n"
    gone = run(*add, url="http://127.0.0.1:1")
    assert gone.returncode == 1 and gone.stdout == ""
    assert "may have been added or not" in gone.stderr and gone.stderr.count("\n") == 1
    assert run("add", f"https://h.test/{MARK}", "--header", MARK).returncode == 2
    assert run("add", f"https://h.test/{MARK}", "--secret", "@/no/such/file").returncode == 2
    assert run("add", f"https://h.test/{MARK}", f"https://h.test/{MARK}").returncode == 2


def test_each_call_has_its_method_and_path(api, run):
    endpoint = {"id": "ep_1", "state": "paused", "timeout_seconds": 1, "secret": "whsec_x"}
    tested = {"outcome": "refused", "status": 404, "request": {"url": "https://h.test/***"}}
    api.answers = [(200, endpoint)] * 6 + [(200, tested), (204, None)]
    assert run("show", "ep_1").returncode == 0
    assert run("set", "ep_1", "--timeout", "1500ms", "--rate", "none").returncode == 0
    assert run("pause", "ep_1").stdout == "ep_1 is paused\n"
    assert run("resume", "ep_1").returncode == 0
    assert run("rotate-secret", "ep_1", "--overlap", "1h", "--json").stdout == (
        json.dumps(endpoint, separators=(",", ":")) + "\n")
    assert run("test", "ep_1").returncode == 1
    assert run("remove", "ep_1", "--waiting", "discard").stdout == "removed ep_1\n"
    assert api.received == [
        ("GET", "/endpoints/ep_1", None),
        ("PATCH", "/endpoints/ep_1", {"timeout_seconds": 1.5, "rate_per_second": None}),
        ("POST", "/endpoints/ep_1/pause", None), ("POST", "/endpoints/ep_1/resume", None),
        ("POST", "/endpoints/ep_1/rotate-secret", {"overlap_seconds": 3600}),
        ("GET", "/endpoints/ep_1", None), ("POST", "/endpoints/ep_1/test", None),
        ("DELETE", "/endpoints/ep_1?waiting=discard", None)]
