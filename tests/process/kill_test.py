"""Killed with SIGKILL at any moment, under load, again and again: no event that was answered with 201
is lost, every one is delivered, and a kill duplicates no more than what was in flight."""

import bisect
import collections
import os
import random
import time

import harness
import senders

KILLS = int(os.environ.get("TEST_KILLS", "24"))
CONCURRENCY = 16
# What a killed service left at the receiver is answered and recorded by then, so that a record's
# time says which service sent it.
SETTLE_SECONDS = 0.1
ENVIRONMENT = {
    "MAX_CONCURRENCY": CONCURRENCY,
    # Retries that come soon, and go on until they succeed.
    "RETRY_BASE_SECONDS": "0.2",
    "RETRY_SCHEDULE": ",".join(["1s"] * 20),
}


class Victim:
    """A service that is killed and started again on the same data, at the same address."""

    def __init__(self, folder, receiver):
        self.folder, self.receiver = folder, receiver
        self.launches = []  # wall clock, in the receiver's seconds
        self.port = 0
        self.service = None
        self.token = None

    def start(self):
        self.launches.append(time.time())
        self.service = harness.Service(self.folder, *harness.delivering(self.receiver),
                                       port=self.port, env=ENVIRONMENT)
        self.port = self.service.port
        if self.token is None:
            self.token = self.service.client().token

    def find(self):
        return "127.0.0.1", self.port, self.token


def duplicates_by_kill(records, launches):
    """How many events each killed service had delivered that a later one delivered again; and the
    ids that one and the same service delivered twice."""
    sent_by = collections.defaultdict(list)
    for record in harness.accepted(records):
        which = bisect.bisect(launches, harness.seconds_of(record["time"])) - 1
        sent_by[record["id"]].append(which)
    by_kill, by_one = collections.Counter(), []
    for event, services in sent_by.items():
        services.sort()
        for first, second in zip(services, services[1:]):
            if first == second:
                by_one.append(event)
            else:
                by_kill[first] += 1
    return by_kill, by_one


def test_no_event_is_lost_and_few_come_twice_when_serve_is_killed_under_load(tmp_path, starts):
    seed = int(os.environ.get("TEST_SEED", random.randrange(1 << 32)))
    print(f"TEST_SEED={seed}")
    chance = random.Random(seed)
    receiver = starts(harness.Receiver, "--fail-rate", "0.1", "--delay", "10ms")
    victim = Victim(tmp_path, receiver)
    victim.start()
    load = senders.Senders(victim.find)
    try:
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.02, 0.8))
            victim.service.kill()
            time.sleep(SETTLE_SECONDS)
            victim.start()
        answered = set(load.stop())
        assert load.unexpected == []
        assert len(answered) > 20 * KILLS, "there was hardly any load"
        harness.wait_until(lambda: answered <= set(harness.delivered_ids(receiver.records())),
                           "every event that was answered with 201 to be received")
        client = victim.service.client()
        harness.wait_until(lambda: client.summary()["pending"] == 0, "nothing to be pending")
        assert client.summary()["failed"] == 0
        client.close()
        victim.service.terminate()
        assert victim.service.wait() == 0
    finally:
        victim.service.stop()
    by_kill, by_one = duplicates_by_kill(receiver.records(), victim.launches)
    print(f"{len(answered)} events answered, {KILLS} kills, {sum(by_kill.values())} duplicates")
    assert by_one == []
    assert max(by_kill.values(), default=0) <= CONCURRENCY
    checked = harness.run_command("store", "check", "--data", victim.service.data)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_what_was_answered_before_a_kill_is_there_after_it_byte_for_byte(starts):
    payload = '{"b":1.0,"a":[1e3,12345678901234567890123],"t":"\\u00fc\\/ü" , "s" : " "}'
    body = '{"type":"t","source":"s","payload":' + payload + "}"
    first = starts(harness.Service)
    client = first.client()
    event = client.json("POST", "/events", body, {"Content-Type": "application/json"}, expect=201)
    first.kill()
    second = starts(harness.Service, data=first.data, name="serve-again")
    status, _, text = second.client().request("GET", f"/events/{event['id']}")
    assert status == 200
    assert payload.encode() in text


def test_an_idempotency_key_holds_across_a_kill(starts):
    first = starts(harness.Service)
    headers = {"Content-Type": "application/json", "Idempotency-Key": "order-17"}
    body = '{"type":"t","source":"s","payload":{}}'
    answer = first.client().json("POST", "/events", body, headers, expect=201)
    first.kill()
    second = starts(harness.Service, data=first.data, name="serve-again")
    assert second.client().json("POST", "/events", body, headers, expect=201) == answer
