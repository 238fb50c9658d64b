"""What is measured, a function for each part: it gets an empty folder and a scale (1.0: all of it), and
returns rows of the table."""

import contextlib
import dataclasses
import pathlib
import re
import resource
import socket
import subprocess
import time

import measure
from row import Row, event_text, ratio

import harness
import nginx


# Nothing is delivered before the service is started again in real time.
NEVER = ["--schedule", "24h"]


def preload(service, count, text):
    """Ingests `count` events in batches of 1,000."""
    client = service.client()
    batch = "[" + ",".join([text] * 1000) + "]"
    for _ in range(count // 1000):
        status, _, said = client.request("POST", "/events/batch", batch,
                                         {"Content-Type": "application/json"})
        assert status == 201, said[:300]
    client.close()


def stop(service):
    service.terminate()
    assert service.wait() == 0, service.stderr()[-2000:]


def ingest(folder, scale):
    """Durable 201s at 64 connections, against GET /health on the same server."""
    seconds = max(2, int(10 * scale))
    service = harness.Service(folder)
    with harness.stopping(service):
        token = service.client().token
        health = measure.wrk(f"{service.url}/health", seconds=seconds)
        before = measure.cpu_seconds(service.pid)
        posts = measure.wrk(f"{service.url}/events", "post", seconds=seconds, TOKEN=token,
                            BODY=event_text())
        cpu_us = (measure.cpu_seconds(service.pid) - before) / posts.requests * 1e6
    share = ratio(posts.rate, health.rate)
    return [
        Row("`GET /health`, 64 connections", f"{health.rate:,.0f}/s, p99 {health.p99_ms:.1f} ms"),
        Row("ingest: durable 201s, 64 connections, authenticated",
            f"{posts.rate:,.0f}/s = {share:.0%} of `GET /health`; {cpu_us:.0f} µs CPU each; "
            f"{posts.failed} failed", "≥ 30 %", share >= 0.3 and posts.failed == 0),
        Row("its latency", f"p50 {posts.p50_ms:.1f} ms, p99 {posts.p99_ms:.1f} ms", "p99 ≤ 10 ms",
            posts.p99_ms <= 10),
    ]


@dataclasses.dataclass
class Drained:
    rate: float
    cpu_us: float
    connections_per_1000: float
    first_seconds: float  # from exec to the first delivery


def drain_backlog(folder, receiver, count, *arguments):
    """Preloads `count` events for `receiver`, and times their delivery by a service that starts anew.
    The rate and the CPU are of the middle nine tenths."""
    delivering = harness.delivering(receiver)
    loader = harness.Service(folder, *delivering, *NEVER, name="loader")
    with harness.stopping(loader):
        preload(loader, count, event_text())
        stop(loader)
    connections_before, requests_before = receiver.counters()
    asked = 0

    def delivered():
        nonlocal asked
        asked += 1
        return receiver.counters()[1] - requests_before - asked

    began = time.monotonic()
    service = harness.Service(folder, *delivering, *arguments, data=loader.data)
    with harness.stopping(service):
        measure.wait_for(lambda: delivered() > 0, "the first delivery", pause=0.002)
        first = time.monotonic() - began
        samples = []
        for share in (0.05, 0.95):
            measure.wait_for(lambda: delivered() >= share * count, "the backlog to be delivered")
            samples.append((time.monotonic(), measure.cpu_seconds(service.pid), delivered()))
        measure.wait_for(lambda: delivered() >= count, "the backlog to be delivered")
        opened = receiver.counters()[0] - connections_before - asked - 1
        stop(service)
    (t0, c0, n0), (t1, c1, n1) = samples
    return Drained((n1 - n0) / (t1 - t0), (c1 - c0) / (n1 - n0) * 1e6, opened / count * 1000, first)


def drain(folder, scale):
    """A preloaded backlog over TLS, signed, each durable, to nginx, against wrk to the same nginx."""
    count = max(10, int(200 * scale)) * 1000
    receiver = nginx.Nginx(folder, log=False)
    with harness.stopping(receiver):
        wrk = measure.wrk(receiver.url(), "post", seconds=max(2, int(8 * scale)),
                          BODY="x" * measure.BODY_BYTES)
        drained = drain_backlog(folder, receiver, count)
    share, cpu = ratio(drained.rate, wrk.rate), ratio(drained.cpu_us, wrk.cpu_us)
    return [
        Row("`wrk`: POST of 418 bytes, TLS, to nginx", f"{wrk.rate:,.0f}/s, {wrk.cpu_us:.1f} µs CPU each"),
        Row(f"drain of {count:,} events to the same nginx",
            f"{drained.rate:,.0f}/s = {share:.0%} of `wrk`'s", "≥ 20 %", share >= 0.2),
        Row("its CPU per event", f"{drained.cpu_us:.1f} µs = {cpu:.1f}× `wrk`'s", "≤ 4×", cpu <= 4),
        Row("connections opened per 1,000 deliveries", f"{drained.connections_per_1000:.2f}", "≤ 64",
            drained.connections_per_1000 <= 64),
    ]


def receipts(answered_file, records):
    """Milliseconds from each 201 to the event's first receipt."""
    received = {}
    for record in harness.accepted(records):
        received.setdefault(record["id"], harness.seconds_of(record["time"]))
    times = []
    for line in pathlib.Path(answered_file).read_text().splitlines():
        event, _, at = line.partition(" ")
        if event in received:
            times.append((received[event] - float(at)) * 1000)
    return times


def endtoend(folder, scale):
    """Ingest while delivering: first as much as it takes, then half of that."""
    seconds = max(3, int(10 * scale))
    receiver = nginx.Nginx(folder, log=False)
    with harness.stopping(receiver):
        service = harness.Service(folder, *harness.delivering(receiver), name="most")
        with harness.stopping(service):
            token = service.client().token
            _, before = receiver.counters()
            most = measure.wrk(f"{service.url}/events", "post", seconds=seconds, TOKEN=token,
                               BODY=event_text())
            delivered = receiver.counters()[1] - before
    sustained = min(most.rate, delivered / most.seconds)
    half = sustained / 2
    listener = harness.Receiver(folder)
    with harness.stopping(listener):
        service = harness.Service(folder, *harness.delivering(listener), name="half",
                                  data=folder / "half-data")
        with harness.stopping(service):
            token = service.client().token
            paced = measure.wrk(f"{service.url}/events", "paced", seconds=seconds, TOKEN=token,
                                BODY=event_text(), ANSWERED=folder / "answered",
                                DELAY_MS=measure.CONNECTIONS / half * 1000)
            measure.wait_for(lambda: len(listener.records()) >= paced.requests, "the receipts",
                             seconds=120, pause=0.5)
    times = receipts(folder / "answered", listener.records())
    p50, p99 = measure.percentile(times, 0.5), measure.percentile(times, 0.99)
    return [
        Row("ingest while delivering to nginx, as much as it takes",
            f"{most.rate:,.0f} in and {delivered / most.seconds:,.0f} out a second; "
            f"201 after p50 {most.p50_ms:.1f} ms, p99 {most.p99_ms:.1f} ms"),
        Row(f"at {paced.rate:,.0f}/s, about half of that: 201 to receipt",
            f"p50 {p50:.2f} ms, p99 {p99:.2f} ms", "p50 ≤ 2 ms, p99 ≤ 10 ms", p50 <= 2 and p99 <= 10),
    ]


CLAIM_LINE = re.compile(r"^(\d[^:]*?) +([\d.]+) us +([\d.]+) us +x([\d.]+) +([\d.]+) us", re.MULTILINE)


def claim(folder, scale):
    """Claiming from 1 k, 100 k and 1 M waiting, and beside another endpoint's 1 M, in the store itself;
    the ratios are of the writer thread's CPU time."""
    largest = int(1_000_000 * scale)
    program = measure.ROOT / "build/release/bench/claim_cost"
    done = subprocess.run([program, str(largest), folder], capture_output=True, text=True, check=True)
    return [
        Row(f"claim of 64 with {waiting} waiting", f"{wall} µs, {cpu} µs CPU = {times}× that with 1000",
            "≤ 1.5×", float(times) <= 1.5)
        for waiting, wall, cpu, times, _ in CLAIM_LINE.findall(done.stdout)]


def idle_clients(service, count):
    """Open connections, and their end with the block."""
    stack = contextlib.ExitStack()
    for _ in range(count):
        client = stack.enter_context(socket.socket())
        client.connect((service.host, service.port))
    return stack


def memory(folder, scale):
    """Resident memory: idle, with a backlog, with idle clients."""
    backlog = int(1_000_000 * scale)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    clients = min(int(10_000 * scale), hard - 500)
    receiver = nginx.Nginx(folder, log=False)
    rows = []
    with harness.stopping(receiver):
        service = harness.Service(folder, *harness.delivering(receiver), *NEVER)
        with harness.stopping(service):
            service.anonymous().json("GET", "/health")
            idle = measure.resident_mb(service.pid)
            with idle_clients(service, clients):
                service.anonymous().json("GET", "/health")
                crowded = measure.resident_mb(service.pid)
            preload(service, backlog, event_text())
            waiting = measure.resident_mb(service.pid)
            stop(service)
    rows.append(Row("memory of `serve`, idle", f"{idle:.1f} MB", "≤ 16 MB", idle <= 16))
    rows.append(Row(f"with {clients:,} idle clients", f"{crowded:.1f} MB", "≤ 128 MB", crowded <= 128))
    rows.append(Row(f"with {backlog:,} events waiting", f"{waiting:.1f} MB", "≤ 64 MB", waiting <= 64))
    return rows


def start(folder, scale):
    """From exec to the first delivery, with a backlog."""
    backlog = int(1_000_000 * scale)
    receiver = nginx.Nginx(folder, log=False)
    with harness.stopping(receiver):
        first = first_delivery_seconds(folder, receiver, backlog)
    return [Row(f"start of `serve` with {backlog:,} waiting, to the first delivery",
                f"{first * 1000:.0f} ms", "≤ 500 ms", first <= 0.5)]


def first_delivery_seconds(folder, receiver, backlog):
    delivering = harness.delivering(receiver)
    loader = harness.Service(folder, *delivering, *NEVER, name="loader")
    with harness.stopping(loader):
        preload(loader, backlog, event_text())
        stop(loader)
    _, before = receiver.counters()
    asked = 0
    began = time.monotonic()
    process = harness.Process(
        [harness.BINARY, "serve", "--listen", "127.0.0.1:0", "--data", loader.data, *delivering],
        folder, "starting")
    with harness.stopping(process):
        while True:
            asked += 1
            if receiver.counters()[1] - before - asked > 0:
                return time.monotonic() - began
            assert process.is_running(), process.stderr()
