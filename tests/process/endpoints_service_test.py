"""Endpoints of a running service by the command line: added, tried out, changed, held back, given a new
secret and removed, with deliveries that follow; what a person decides about events in review; and no
secret in what is not meant to show it."""

import json
import uuid

import pytest

from harness import Receiver, Service, run_command, wait_until

MARK = uuid.uuid4().hex


class Shop:
    """A service that may deliver to a receiver, and the commands for it."""

    def __init__(self, starts, *receiver_args):
        self.receiver = starts(Receiver, *receiver_args)
        self.service = starts(Service, "--ca-file", self.receiver.ca_file, "--allow-target",
                              "https://127.0.0.0/8", env={"RETRY_BASE_SECONDS": "0.05"})

    def run(self, *args, status=0, **options):
        done = run_command(*args, "--data", self.service.data, "--log-level", "debug", **options)
        assert done.returncode == status, (args, done.stdout, done.stderr)
        assert MARK not in done.stderr
        return done.stdout

    def json(self, *args, **options):
        return json.loads(self.run(*args, "--json", **options))

    def add(self, *args, path=f"/hook/{MARK}"):
        """The id and the secret of a new endpoint."""
        made = self.json("endpoints", "add", "-", *args, input=self.receiver.url(path) + "\n")
        return made["id"], made["secret"]

    def send(self, type="order.created"):
        return self.run("send", "--type", type, "--source", "shop", "--payload", "{}").strip()

    def state_of(self, event):
        deliveries = self.json("events", "show", event)["deliveries"]
        return [one["state"] for one in deliveries]

    def wait_for(self, event, state):
        wait_until(lambda: self.state_of(event) == [state], f"{event} to be {state}")


@pytest.fixture
def shop(starts):
    return Shop(starts)


def test_an_endpoint_that_is_added_gets_events_with_its_headers(shop, tmp_path):
    headers = tmp_path / "headers"
    headers.write_text(f"X-Tenant: {MARK}\n")
    endpoint, secret = shop.add("--type", "order.*", "--header", f"@{headers}", "--body", "payload")
    assert endpoint.startswith("ep_") and secret.startswith("whsec_")
    other = shop.send("invoice.created")
    event = shop.send("order.created")
    shop.wait_for(event, "delivered")
    assert shop.state_of(other) == []
    [record] = shop.receiver.records()
    assert record["headers"]["x-tenant"] == MARK and record["body"] == "{}"


def test_secrets_are_shown_when_asked_for_and_not_otherwise(shop):
    endpoint, _ = shop.add("--header", f"X-Tenant: {MARK}")
    for command in (["list"], ["show", endpoint], ["list", "--json"], ["show", endpoint, "--json"]):
        assert endpoint in shop.run("endpoints", *command)
        assert MARK not in shop.run("endpoints", *command)
        assert shop.run("endpoints", *command, "--reveal").count(MARK) >= 1
    assert MARK not in shop.service.stderr()


def test_a_test_shows_the_exchange_and_is_no_delivery(shop):
    endpoint, _ = shop.add("--header", f"X-Tenant: {MARK}")
    shown = shop.run("endpoints", "test", endpoint)
    assert f"> POST https://127.0.0.1:{shop.receiver.port}\n" in shown and MARK not in shown
    assert f"> Host: 127.0.0.1:{shop.receiver.port}\n" in shown and "> Content-Length: " in shown
    assert "\n< 200\n" in shown and "delivered in " in shown
    assert "webhook-signature" in shown.lower()
    assert len(shop.receiver.records()) == 1
    assert shop.json("endpoints", "show", endpoint)["stats"]["delivered"] == 0


def test_a_test_that_is_refused_is_status_1(starts):
    shop = Shop(starts, "--status", "404")
    endpoint, _ = shop.add()
    assert "\n< 404\n" in shop.run("endpoints", "test", endpoint, status=1)


def test_settings_change_one_by_one(shop):
    endpoint, _ = shop.add()
    before = shop.json("endpoints", "show", endpoint)
    after = shop.json("endpoints", "set", endpoint, "--concurrency", "3", "--rate", "0.5", "--timeout",
                      "1500ms", "--schedule", "1m,2m", "--description", "mine")
    changed = {name for name in before if before[name] != after[name]}
    assert changed - {"updated_at"} == {"concurrency", "rate_per_second", "timeout_seconds",
                                        "schedule_seconds", "description"}
    assert after["timeout_seconds"] == 1.5 and after["schedule_seconds"] == [60, 120]
    again = shop.json("endpoints", "set", endpoint, "--rate", "none", "--schedule", "none")
    assert again["rate_per_second"] is None and again["schedule_seconds"] == []


def test_what_the_service_refuses_is_told_by_flag(shop):
    done = run_command("endpoints", "add", f"http://192.0.2.1/{MARK}", "--type", "a*b", "--data",
                       shop.service.data)
    assert done.returncode == 2 and done.stdout == ""
    assert {line.split(": ")[1] for line in done.stderr.splitlines()} == {"URL", "--type"}
    assert MARK not in done.stderr


def test_a_paused_endpoints_events_wait(shop):
    endpoint, _ = shop.add()
    assert shop.run("endpoints", "pause", endpoint) == f"{endpoint} is paused\n"
    event = shop.send()
    assert shop.state_of(event) == ["waiting"]
    refused = run_command("endpoints", "remove", endpoint, "--data", shop.service.data)
    assert refused.returncode == 1 and refused.stderr.count("\n") == 1
    assert refused.stderr.endswith("1 deliveries waiting and 0 in review: add --waiting discard to discard them\n")
    assert shop.run("endpoints", "resume", endpoint) == f"{endpoint} is active\n"
    shop.wait_for(event, "delivered")
    assert len(shop.receiver.records()) == 1


def test_what_waits_is_discarded_with_its_endpoint_when_asked_for(shop):
    endpoint, _ = shop.add()
    shop.run("endpoints", "pause", endpoint)
    event = shop.send()
    assert shop.run("endpoints", "remove", endpoint, "--waiting", "discard") == f"removed {endpoint}\n"
    shop.wait_for(event, "discarded")
    assert shop.json("endpoints", "list") == []


def test_a_new_secret_signs_beside_the_old_one(shop):
    endpoint, old = shop.add()
    new = shop.json("endpoints", "rotate-secret", endpoint, "--overlap", "1h")["secret"]
    assert new.startswith("whsec_") and new != old
    shop.wait_for(shop.send(), "delivered")
    [record] = shop.receiver.records()
    assert len(record["headers"]["webhook-signature"].split()) == 2


def test_events_in_review_are_replayed_or_discarded(starts):
    shop = Shop(starts, "--status", "404")
    endpoint, _ = shop.add()
    events = [shop.send() for _ in range(3)]
    for event in events:
        shop.wait_for(event, "review")
    by_reason = ["--reason", "rejected", "--endpoint-id", endpoint]
    of_endpoint = ["--state", "review", "--endpoint-id", endpoint]
    assert len(shop.json("events", "list", *of_endpoint)) == 3
    assert shop.run("events", "replay", *of_endpoint, "--dry-run").startswith("3 events match")
    assert shop.run("events", "replay", *by_reason, "--dry-run").startswith("3 events match")
    assert shop.json("events", "discard", *by_reason, "--limit", "1", "--note", "too old") == {
        "matched": 1, "discarded": 1}
    assert shop.state_of(events[0]) == ["discarded"]  # the oldest first
    assert shop.run("events", "replay", events[1], "--note", "try again") == "replayed 1 deliveries\n"
    wait_until(lambda: len(shop.receiver.records()) == 4, "the replayed event to come again")
    assert shop.run("events", "discard", events[2], "--note", "a duplicate") == "discarded 1 deliveries\n"
    assert shop.state_of(events[2]) == ["discarded"]
    assert "a duplicate" in shop.run("events", "show", events[2])
    shown = shop.run("events", "show", events[1])
    assert "replay" in shown and "try again" in shown
    assert "too old" in shop.run("events", "show", events[0])
