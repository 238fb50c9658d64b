"""The demonstration: 1,000 events to a receiver that fails some, until every one has been received.

Starts `dispatcher listen` and `dispatcher serve` on a new store in a temporary folder, ingests with
`dispatcher send`, follows what the receiver records, and prints what came of it. The exit status is
0 only when every event was received. With --keep the service goes on until Ctrl-C.
"""

import argparse
import collections
import json
import pathlib
import signal
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/process"))
import harness  # noqa: E402  (the process tests start the same programs in the same way)

EVENTS = 1000
FAIL_RATE = 0.1
# Retries come after 1, 2 and 4 s. One event in ten thousand uses these up and goes on the long
# schedule, whose first steps are shorter here than the usual 5 min, 30 min, ….
LONG_SCHEDULE = "3s,5s,10s,30s"
PATIENCE_SECONDS = 120


class Failed(Exception):
    """The demonstration did not work; the text says why."""


class Record:
    """Follows the receiver's record, reading only what is new."""

    def __init__(self, path):
        self.path = path
        self.offset = 0
        self.accepted = collections.Counter()  # event's id → times answered 2xx
        self.refused = 0
        self.seconds_to_receipt = []
        self.last_receipt = 0.0

    def follow(self):
        if not self.path.exists():
            return
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            text = file.read()
        text = text[:text.rfind(b"\n") + 1]
        self.offset += len(text)
        for line in text.splitlines():
            self.note(json.loads(line))

    def note(self, request):
        if not 200 <= request["status"] < 300:
            self.refused += 1
            return
        self.accepted[request["id"]] += 1
        if self.accepted[request["id"]] == 1:
            received = harness.seconds_of(request["time"])
            created = harness.seconds_of(json.loads(request["body"])["created_at"])
            self.seconds_to_receipt.append(received - created)
            self.last_receipt = max(self.last_receipt, received)

    @property
    def duplicates(self):
        return sum(times - 1 for times in self.accepted.values())


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def write_events(path):
    with open(path, "w", encoding="utf-8") as file:
        for number in range(EVENTS):
            event = {"type": "order.created", "source": "demo",
                     "payload": {"order": number, "total": f"{number % 90 + 10}.00", "note": "grüße"}}
            file.write(json.dumps(event) + "\n")


def show_progress(received, refused, last=False):
    if sys.stderr.isatty():
        filled = 40 * received // EVENTS
        bar = "█" * filled + "·" * (40 - filled)
        print(f"\r  {bar} {received}/{EVENTS} received, {refused} refused and retried ", end="",
              file=sys.stderr, flush=True)
        if last:
            print(file=sys.stderr)
    else:
        print(f"  {received}/{EVENTS} received, {refused} refused and retried", file=sys.stderr,
              flush=True)


def wait_for_all(record, *processes):
    deadline = time.monotonic() + PATIENCE_SECONDS
    shown = 0.0
    while True:
        record.follow()
        done = len(record.accepted) >= EVENTS
        if done or time.monotonic() - shown > (0.1 if sys.stderr.isatty() else 1.0):
            shown = time.monotonic()
            show_progress(len(record.accepted), record.refused, last=done)
        if done:
            return
        for process in processes:
            if not process.is_running():
                raise Failed(f"{process.name} ended with {process.popen.returncode}:\n"
                             f"{process.stderr()[-2000:]}")
        if time.monotonic() > deadline:
            missing = EVENTS - len(record.accepted)
            raise Failed(f"{missing} events were not received within {PATIENCE_SECONDS} s")
        time.sleep(0.02)


def ingest(folder, service):
    """Seconds it took."""
    write_events(folder / "events.ndjson")
    began = time.monotonic()
    sent = harness.run_command("send", "--batch", folder / "events.ndjson", "--data", service.data)
    if sent.returncode != 0:
        raise Failed(f"dispatcher send failed:\n{sent.stderr}")
    return time.monotonic() - began


def wait_for_records(service):
    """The service's own count: every event delivered. A receipt comes before its record does."""
    client = service.client()
    deadline = time.monotonic() + 40  # its figures are at most 30 s old
    while True:
        summary = client.summary()
        if summary["delivered"] >= EVENTS:
            return summary
        if time.monotonic() > deadline:
            raise Failed(f"every event was received, but the service says {summary}")
        time.sleep(0.05)


def print_summary(record, summary, ingest_seconds, first_ingest):
    spent = max(record.last_receipt - first_ingest, 1e-3)
    times = record.seconds_to_receipt
    rows = [
        ("ingested", f"{EVENTS} over HTTP in {ingest_seconds * 1000:.0f} ms, each on disk before its answer"),
        ("delivered", f"{len(record.accepted)} over HTTPS; the service counts {summary['delivered']} delivered, "
                      f"{summary['pending']} pending, {summary['failed']} failed"),
        ("retried", f"{record.refused} requests that the receiver answered with 503"),
        ("duplicates", f"{record.duplicates}"),
        ("rate", f"{len(record.accepted) / spent:.0f} events/s, the waits for retries included"),
        ("ingest to receipt", f"p50 {percentile(times, 0.5) * 1000:.1f} ms, "
                              f"p99 {percentile(times, 0.99) * 1000:.0f} ms (the p99 has been retried)"),
    ]
    for name, text in rows:
        print(f"  {name:<18} {text}")


def keep_running(service, receiver, folder):
    print(f"""
The service goes on at {service.url}; its receiver is {receiver.url()}.

  build/release/dispatcher events list --data {service.data}
  build/release/dispatcher send --data {service.data} --type order.created --source me --payload '{{"id":1}}'
  tail -f {receiver.record_file}

Ctrl-C ends both, and removes {folder}.""", flush=True)
    try:
        while True:
            signal.pause()
    except KeyboardInterrupt:
        print()


def demonstrate(folder, keep):
    receiver = harness.Receiver(folder, "--fail-rate", FAIL_RATE)
    with harness.stopping(receiver):
        service = harness.Service(folder, *harness.delivering(receiver, "/demo"),
                                  env={"RETRY_SCHEDULE": LONG_SCHEDULE})
        with harness.stopping(service):
            print(f"A new store, served at {service.url}, delivers to {receiver.url('/…')},\n"
                  f"which answers one request in ten with 503.", flush=True)
            record = Record(receiver.record_file)
            first_ingest = time.time()
            ingest_seconds = ingest(folder, service)
            wait_for_all(record, receiver, service)
            summary = wait_for_records(service)
            record.follow()
            print_summary(record, summary, ingest_seconds, first_ingest)
            if keep:
                keep_running(service, receiver, folder)
            else:
                print("\nEvery event was received. `./dev demo --keep` leaves the service running to look at;"
                      "\nREADME.md goes on from here to your own endpoint.")


def main():
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__.split("\n")[0])
    parser.add_argument("--keep", action="store_true", help="leave the service running until Ctrl-C")
    keep = parser.parse_args().keep
    # Ended by a signal, the demonstration still ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with tempfile.TemporaryDirectory(prefix="dispatcher-demo-") as folder:
            demonstrate(pathlib.Path(folder), keep)
    except (Failed, AssertionError) as why:
        print(f"\nThe demonstration failed: {why}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
