"""Two `run` processes at once on one `serve`: no event is delivered twice, and none is missed."""

import collections
import json

import harness

EVENTS = 1000
# Neither run can take all of them, so both must have worked for none to be left.
MOST_PER_RUN = 700


def start_run(folder, number, service, receiver):
    return harness.Process(
        [harness.BINARY, "run", "--json", "--max-events", MOST_PER_RUN, "--api", service.url,
         "--data", service.data, *harness.delivering(receiver)],
        folder, f"run-{number}", env=harness.clean_environment())


def test_two_runs_at_once_share_the_events_without_doubling_or_missing_any(tmp_path, starts):
    receiver = starts(harness.Receiver, "--delay", "5ms")
    service = starts(harness.Service)
    client = service.client()
    ids = client.post_batch([{"type": "t", "source": "s", "payload": {"n": n}} for n in range(EVENTS)])
    runs = [start_run(tmp_path, number, service, receiver) for number in range(2)]
    with harness.stopping(*runs):
        for run in runs:
            assert run.wait() == 0, run.stderr()
    times = collections.Counter(harness.delivered_ids(receiver.records()))
    assert set(times) == set(ids)
    assert max(times.values()) == 1
    results = [json.loads(run.stdout()) for run in runs]
    assert sum(result["successful_deliveries"] for result in results) == EVENTS
    assert sum(result["acknowledged_count"] for result in results) == EVENTS
    assert all(result["successful_deliveries"] > 0 for result in results)
    # The figures may be up to 30 s old; an event itself says how it stands now.
    for event in ids[::100]:
        assert client.json("GET", f"/events/{event}")["status"] == "delivered"


def test_a_run_that_was_killed_leaves_nothing_behind_that_another_does_not_take(tmp_path, starts):
    slow = starts(harness.Receiver, "--delay", "1h", name="slow")
    receiver = starts(harness.Receiver)
    service = starts(harness.Service)
    client = service.client()
    ids = set(client.post_batch([{"type": "t", "source": "s", "payload": {}} for _ in range(20)]))
    # The lease covers an attempt: a short time-out makes it a short lease.
    killed = harness.Process(
        [harness.BINARY, "run", "--api", service.url, "--data", service.data,
         *harness.delivering(slow)],
        tmp_path, "killed", env=harness.clean_environment(REQUEST_TIMEOUT_SECONDS="1"))
    with harness.stopping(killed):
        harness.wait_until(lambda: len(leased(client, ids)) == len(ids), "the first run to lease them")
        killed.kill()

    def another_took_all():
        done = harness.run_command("run", "--api", service.url, "--data", service.data,
                                   *harness.delivering(receiver))
        assert done.returncode == 0, done.stderr
        return set(harness.delivered_ids(receiver.records())) == ids

    harness.wait_until(another_took_all, "another run to deliver what the dead one had leased")


def leased(client, ids):
    """Those that a plain `GET /inbox` leaves out."""
    shown = {event["id"] for event in client.json("GET", "/inbox?limit=1000")}
    return ids - shown
