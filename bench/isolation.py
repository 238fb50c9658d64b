"""What one bad endpoint, or one with a large backlog, costs the others: each case against the same without
it, in one run."""

import contextlib
import json
import pathlib
import re
import socket
import time

import measure

import harness
import nginx
from row import Row, event_text, ratio

JSON = {"Content-Type": "application/json"}
# Of the events, how many go to the one endpoint that is looked at: enough to fill its slots.
SKEW = 20
BACKLOG_OF_SLOW = 300  # events: more than such an endpoint gets done while it is looked at
# Events a second of the one beside them: with the few slots that it has until they give back what is too much,
# it could do some times as many.
RATE_BESIDE_SLOW = 200
RATE = 1_000  # events a second: a fraction of what the service can do, so that nothing else queues


def reaching(*receivers):
    """The arguments that let `serve` deliver to these receivers, once endpoints name them."""
    trust = [argument for receiver in receivers for argument in ("--ca-file", receiver.ca_file)]
    return [*trust, "--allow-target", "https://127.0.0.0/8"]


def make_endpoint(client, url, kind, **settings):
    body = json.dumps({"url": url, "types": [kind], **settings})
    status, _, answer = client.request("POST", "/endpoints", body, JSON)
    assert status == 201, answer[:300]
    return json.loads(answer)["id"]


@contextlib.contextmanager
def hanging_receiver():
    """Takes connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(4096)
        yield f"https://127.0.0.1:{listener.getsockname()[1]}/hangs"


def receipt_times(answered, receiver, passed_over=None):
    """Milliseconds from 201 to receipt of the events that are not of one type."""
    received = {record["id"]: harness.seconds_of(record["time"])
                for record in harness.accepted(receiver.records())
                if json.loads(record["body"])["type"] != passed_over}
    times = []
    for line in pathlib.Path(answered).read_text().splitlines():
        event, _, at = line.partition(" ")
        if event in received:
            times.append((received[event] - float(at)) * 1000)
    return times


def others_p99(folder, name, endpoints, seconds, first_url):
    """The p99 from 201 to receipt of all endpoints but the first, whose URL is given, or like theirs."""
    receiver = harness.Receiver(folder, name=f"{name}-receiver")
    with harness.stopping(receiver):
        service = harness.Service(folder, *reaching(receiver), name=name,
                                  data=folder / f"{name}-data")
        with harness.stopping(service):
            client = service.client()
            for number in range(endpoints):
                url = first_url if number == 0 and first_url else receiver.url(f"/{number}")
                make_endpoint(client, url, f"t.{number}")
            answered = folder / f"{name}-answered"
            measure.wrk(f"{service.url}/events", "types", seconds=seconds, TOKEN=client.token,
                        BODY=event_text(), TYPES=endpoints, SKEW=SKEW, ANSWERED=answered,
                        DELAY_MS=measure.CONNECTIONS / RATE * 1000)
            sent = len(answered.read_text().splitlines())
            expected = sent - sent // SKEW - sent // endpoints - 2 if first_url else sent
            measure.wait_for(lambda: len(receiver.records()) >= expected, "the others' receipts",
                             seconds=60, pause=0.5)
            service.kill()
    return measure.percentile(receipt_times(answered, receiver, "t.0"), 0.99)


def hanging(folder, scale):
    endpoints = max(20, int(1_000 * scale))
    seconds = max(3, int(15 * scale))
    healthy = [others_p99(folder, f"healthy-{turn}", endpoints, seconds, None) for turn in range(2)]
    with hanging_receiver() as url:
        beside = [others_p99(folder, f"hanging-{turn}", endpoints, seconds, url) for turn in range(2)]
    change = ratio(min(beside), min(healthy)) - 1
    return Row(f"{endpoints:,} endpoints, one of them hanging: the others' 201 to receipt, p99",
               f"{min(beside):.2f} ms, {min(healthy):.2f} ms without it: {change:+.0%}", "≤ +10 %",
               change <= 0.1)


def healthy_times(folder, name, seconds, urls_of_slow):
    """Milliseconds from 201 to receipt of one endpoint's events, once those that came first, whose URLs are
    given, have taken all the slots that they may."""
    receiver = harness.Receiver(folder, name=f"{name}-receiver")
    with harness.stopping(receiver):
        trust = [argument for _, ca_file in urls_of_slow if ca_file
                 for argument in ("--ca-file", ca_file)]
        service = harness.Service(folder, *reaching(receiver), *trust, name=name,
                                  data=folder / f"{name}-data")
        with harness.stopping(service):
            client = service.client()
            make_endpoint(client, receiver.url(), "t.*")
            for number, (url, _) in enumerate(urls_of_slow):
                make_endpoint(client, url, f"slow.{number}")
            for number in range(len(urls_of_slow)):
                preload(client, BACKLOG_OF_SLOW, f"slow.{number}")
            measure.wait_for(lambda: not urls_of_slow or in_flight(client) >= 700, "the slots to be taken",
                             seconds=30)
            answered = folder / f"{name}-answered"
            measure.wrk(f"{service.url}/events", "types", seconds=seconds, TOKEN=client.token,
                        BODY=event_text(), TYPES=1, SKEW=SKEW, ANSWERED=answered,
                        DELAY_MS=measure.CONNECTIONS / RATE_BESIDE_SLOW * 1000)
            sent = len(answered.read_text().splitlines())
            measure.wait_for(lambda: len(receiver.records()) >= sent, "the receipts", seconds=60,
                             pause=0.5)
            service.kill()
    return receipt_times(answered, receiver)


def in_flight(client):
    _, _, text = client.request("GET", "/metrics")
    return float(re.search(rb"^dispatcher_deliveries_in_flight ([0-9.]+)", text, re.M).group(1))


def beside_slow(folder, scale):
    """As many endpoints again as would take every slot at the default settings, half of them hanging and half
    answering 200 after a while."""
    seconds = max(3, int(15 * scale))
    slow_receiver = harness.Receiver(folder, "--delay", "5s", name="slow-receiver")
    with harness.stopping(slow_receiver), hanging_receiver() as hanging_url:
        slow = [(slow_receiver.url(f"/{number}"), slow_receiver.ca_file if number == 0 else None)
                for number in range(20)]
        slow += [(f"{hanging_url}-{number}", None) for number in range(20)]
        alone = healthy_times(folder, "without-slow", seconds, [])
        beside = healthy_times(folder, "beside-slow", seconds, slow)
    p50, p99 = (measure.percentile(beside, share) for share in (0.5, 0.99))
    alone_p50, alone_p99 = (measure.percentile(alone, share) for share in (0.5, 0.99))
    return Row("20 endpoints that hang and 20 that take 5 s hold what they may: another's 201 to receipt",
               f"p50 {p50:.2f} ms, p99 {p99:.2f} ms = {ratio(p50, alone_p50):.1f}× and "
               f"{ratio(p99, alone_p99):.1f}× those without them")


class Arrivals:
    """What reaches an nginx from now on; asking is a request too, which is not counted."""

    def __init__(self, receiver):
        self.receiver = receiver
        self.before = receiver.counters()[1]

    def count(self):
        self.before += 1
        return self.receiver.counters()[1] - self.before

    def wait_for(self, count):
        measure.wait_for(lambda: self.count() >= count, "the deliveries", pause=0.002)


def preload(client, count, kind):
    text = event_text().replace('"type":"order.created"', f'"type":"{kind}"')
    for first in range(0, count, 1000):
        batch = "[" + ",".join([text] * min(1000, count - first)) + "]"
        status, _, said = client.request("POST", "/events/batch", batch, JSON)
        assert status == 201, said[:300]


def fairness(folder, scale):
    """A's backlog goes to one receiver and B's one event to another, so that each is seen by itself."""
    backlog = max(1_000, int(10_000 * scale))
    first, second = nginx.Nginx(folder / "a", log=False), nginx.Nginx(folder / "b", log=False)
    with harness.stopping(first), harness.stopping(second):
        service = harness.Service(folder, *reaching(first, second), name="fair",
                                  data=folder / "fair-data")
        with harness.stopping(service):
            client = service.client()
            ids = [make_endpoint(client, receiver.url(), kind)
                   for receiver, kind in ((first, "a"), (second, "b"))]
            for one in ids:
                client.request("POST", f"/endpoints/{one}/pause")
            preload(client, backlog, "a")
            preload(client, 1, "b")
            client.request("POST", f"/endpoints/{ids[0]}/resume")
            arrivals = Arrivals(second)
            began = time.monotonic()
            client.request("POST", f"/endpoints/{ids[1]}/resume")
            arrivals.wait_for(1)
            alone = time.monotonic() - began
            measure.wait_for(lambda: client.json("GET", f"/endpoints/{ids[0]}")["stats"]["waiting"] == 0,
                             "A's backlog", pause=0.01)
            whole = time.monotonic() - began
    return Row(f"{backlog:,} waiting for A, one for B: B's has arrived after",
               f"{alone * 1000:.1f} ms = {ratio(alone, whole):.1%} of the time that A's take")


def beside_paused(folder, scale):
    """The rate of a drain, with and without a paused endpoint's backlog in the same store."""
    paused_backlog, count = int(100_000 * scale), max(2_000, int(50_000 * scale))
    rates = {}
    for name, waiting in (("alone", 0), ("beside", paused_backlog)):
        receiver = nginx.Nginx(folder / name, log=False)
        with harness.stopping(receiver):
            service = harness.Service(folder, *reaching(receiver), name=f"paused-{name}",
                                      data=folder / f"paused-{name}-data")
            with harness.stopping(service):
                client = service.client()
                ids = [make_endpoint(client, receiver.url(), kind) for kind in ("paused", "drained")]
                for one in ids:
                    client.request("POST", f"/endpoints/{one}/pause")
                preload(client, waiting, "paused")
                preload(client, count, "drained")
                arrivals = Arrivals(receiver)
                began = time.monotonic()
                client.request("POST", f"/endpoints/{ids[1]}/resume")
                arrivals.wait_for(count)
                rates[name] = count / (time.monotonic() - began)
    share = ratio(rates["beside"], rates["alone"])
    return Row(f"drain of {count:,} beside {paused_backlog:,} waiting for a paused endpoint",
               f"{rates['beside']:,.0f}/s = {share:.0%} of the rate without them")


def isolation(folder, scale):
    for name in ("a", "b", "alone", "beside"):
        (folder / name).mkdir()
    return [hanging(folder, scale), beside_slow(folder, scale), fairness(folder, scale), beside_paused(folder, scale)]
