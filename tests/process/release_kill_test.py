"""Promise: what a person decided about many events is neither lost nor half done for ever when the service
is killed in the middle: what was replayed is delivered, what was not is still in review, and an endpoint
that was removed stays removed and its events end."""

import threading

import pytest

from harness import Client, Receiver, Service, accepted, run_command, wait_until

# Some steps' worth: a step is a commit of 200 events.
EVENTS = 4000


class Killed:
    """A service with events for one endpoint, which is killed while it works on a call."""

    def __init__(self, starts):
        self.starts = starts
        self.receiver = starts(Receiver)
        self.args = ["--ca-file", self.receiver.ca_file, "--allow-target", "https://127.0.0.0/8"]
        self.service = starts(Service, *self.args)
        self.client = self.service.client()

    def make_endpoint(self, path="/hook"):
        made = self.client.json("POST", "/endpoints", {"url": self.receiver.url(path)}, expect=201)
        return f"/endpoints/{made['id']}"

    def post_events(self):
        return [id for _ in range(EVENTS // 1000)
                for id in self.client.post_batch([{"type": "a", "source": "s", "payload": {}}] * 1000)]

    def kill_during(self, method, path, body, has_begun):
        """The call is under way when `has_begun()`; the service is then started again."""
        client = Client(self.service.host, self.service.port, self.client.token)

        def call():
            try:
                client.request(method, path, body)
            except OSError:
                pass  # the kill cut it off, which is what this is about
            except Exception as error:  # http.client says it in its own ways
                assert "closed" in str(error) or "Disconnected" in type(error).__name__, error

        caller = threading.Thread(target=call)
        caller.start()
        wait_until(has_begun, f"{path} to begin")
        self.service.kill()
        caller.join()
        self.service = self.starts(Service, *self.args, data=self.service.data)
        self.client = self.service.client()

    def stats(self, endpoint):
        return self.client.json("GET", endpoint)["stats"]

    def check(self):
        self.service.stop()
        done = run_command("store", "check", "--data", self.service.data)
        assert done.returncode == 0, done.stderr


@pytest.fixture
def killed(starts):
    return Killed(starts)


def test_a_replay_that_is_killed_is_finished_by_another(killed):
    endpoint = killed.make_endpoint()
    killed.client.json("POST", f"{endpoint}/pause")
    events = killed.post_events()
    # Discarded here, for a start: a replay takes those as it takes what is in review.
    killed.client.json("POST", "/discard", {"filter": {"type": "a"}}, expect=202)
    wanted = {"filter": {"state": "discarded"}}
    killed.kill_during("POST", "/replay", wanted, lambda: killed.stats(endpoint)["waiting"])
    waiting = killed.stats(endpoint)["waiting"]
    left = killed.client.json("POST", "/replay", {**wanted, "dry_run": True}, expect=202)["matched"]
    assert 0 < waiting and waiting + left == EVENTS
    assert killed.client.json("POST", "/replay", wanted, expect=202) == {"matched": left, "replayed": left}
    killed.client.json("POST", f"{endpoint}/resume")
    wait_until(lambda: killed.stats(endpoint)["delivered"] == EVENTS, "all to be delivered")
    received = [record["id"] for record in accepted(killed.receiver.records())]
    assert sorted(received) == sorted(events)
    assert killed.client.summary()["pending"] == 0
    killed.check()


def test_a_removal_that_is_killed_goes_on_by_itself(killed):
    endpoint = killed.make_endpoint()
    killed.client.json("POST", f"{endpoint}/pause")
    events = killed.post_events()
    other = killed.make_endpoint("/other")
    killed.client.json("POST", f"{other}/pause")
    kept = killed.client.post_event(type="a", source="s")
    killed.kill_during("DELETE", f"{endpoint}?waiting=discard", None,
                       lambda: killed.client.request("GET", endpoint)[0] == 404)
    assert killed.client.request("GET", endpoint)[0] == 404
    page = "/events?state=waiting&limit=2&order=asc"
    wait_until(lambda: [one["id"] for one in killed.client.json("GET", page)["items"]] == [kept],
               "what waited for it to be discarded")
    shown = killed.client.json("GET", f"/events/{events[-1]}")
    assert shown["status"] == "failed"
    assert [one["note"] for one in shown["releases"]] == ["the endpoint was deleted"]
    killed.client.json("POST", f"{other}/resume")
    wait_until(lambda: killed.stats(other)["delivered"] == 1, "the other endpoint's event")
    assert [record["id"] for record in killed.receiver.records()] == [kept]
    killed.check()
