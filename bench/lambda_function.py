"""The Lambda function: how long it takes from exec to the first byte delivered, and what a run costs."""

import contextlib
import json
import pathlib
import statistics
import sys
import time

import measure

sys.path.insert(0, str(measure.ROOT / "tests/lambda"))

import harness
import nginx
import runtime_api
from row import Row, event_text

# What Lambda runs: the static program of the package, where it was made.
PACKAGED = measure.ROOT / "build/package/dispatcher"
COLD_STARTS = 15
RUNS = (1, 100, 500)


@contextlib.contextmanager
def started(folder, service, receiver, name):
    """(Lambda, the function's process, when it was started)."""
    secret = folder / "function-secret.json"
    secret.write_text(json.dumps({"zapier_api_key": service.api_key(), "zapier_webhook_url": receiver.url()}))
    secret.chmod(0o600)
    runtime = runtime_api.RuntimeApi()
    environment = harness.clean_environment(
        AWS_LAMBDA_RUNTIME_API=runtime.address, AWS_REGION="us-east-2", CLOUDWATCH_METRICS="none",
        API_BASE_URL=service.url, SECRETS_FILE=secret, CA_FILE=receiver.ca_file, MAX_EVENTS_PER_RUN="500",
        ALLOW_TARGETS=harness.LOOPBACK_TARGETS)
    try:
        began = time.time()
        program = PACKAGED if PACKAGED.exists() else harness.BINARY
        with harness.stopping(harness.Process([program], folder, name, env=environment)) as process:
            yield runtime, process, began
    finally:
        runtime.close()


def post(service, count):
    client = service.client()
    for first in range(0, count, 100):
        size = min(100, count - first)
        status, _, said = client.request("POST", "/events/batch", "[" + ",".join([event_text()] * size) + "]",
                                         {"Content-Type": "application/json"})
        assert status == 201, said[:300]
    client.close()


def peak_mb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError("the kernel does not tell the peak of resident memory")


def requests_of(service):
    """Requests that the API has answered; asking is one."""
    client = service.client()
    _, _, text = client.request("GET", "/metrics")
    client.close()
    line = next(line for line in text.decode().splitlines() if line.startswith("dispatcher_http_requests_total "))
    return int(float(line.split()[1]))


def cold_starts(folder, count):
    """Milliseconds from exec to the receipt of the first event, by a receiver that notes the time."""
    folder.mkdir()
    service, receiver = harness.Service(folder), harness.Receiver(folder)
    times = []
    with harness.stopping(service, receiver):
        for number in range(count):
            post(service, 1)
            with started(folder, service, receiver, f"cold{number}") as (runtime, _, began):
                assert runtime.invoke().result()["acknowledged_count"] == 1
                times.append((harness.seconds_of(receiver.records()[-1]["time"]) - began) * 1000)
    return times


def run_of(folder, service, receiver, events):
    """(seconds from exec to the answer, CPU seconds, peak MB, calls of the API) of one cold run."""
    post(service, events)
    before = requests_of(service)
    with started(folder, service, receiver, f"run{events}") as (runtime, process, began):
        invocation = runtime.start()
        result = invocation.result()
        seconds = invocation.deadline - invocation.seconds_left - began
        assert result["acknowledged_count"] == events, result
        used = measure.cpu_seconds(process.pid), peak_mb(process.pid)
    # One for asking the time before; another, with its token, is this one's own.
    return seconds, *used, requests_of(service) - before - 2


def function(folder, scale):
    times = cold_starts(folder / "cold", max(3, int(COLD_STARTS * scale)))
    cold = statistics.median(times)
    rows = [Row("Lambda: exec to first delivered byte, cold, system bundle",
                f"{cold:.1f} ms; best {min(times):.1f}", "≤ 15 ms", cold <= 15)]
    (folder / "runs").mkdir()
    receiver = nginx.Nginx(folder / "runs", log=False)
    service = harness.Service(folder / "runs")
    with harness.stopping(receiver, service):
        wrk = measure.wrk(receiver.url(), "post", seconds=max(2, int(4 * scale)),
                          BODY="x" * measure.BODY_BYTES)
        rows.append(Row("`wrk`: the same POSTs to the same nginx", f"{wrk.rate:,.0f}/s, {wrk.cpu_us:.1f} µs CPU each"))
        for events in RUNS:
            seconds, cpu, peak, calls = run_of(folder / "runs", service, receiver, events)
            measured = (f"{seconds * 1000:.0f} ms wall, {cpu / events * 1000:.2f} ms CPU per event, {peak:.1f} MB, "
                        f"{calls / events:.2f} calls of the API per event; `wrk`'s CPU for as many × "
                        f"{cpu / events * 1e6 / wrk.cpu_us:.0f}, its time × {seconds * wrk.rate / events:.0f}")
            is_target = events == 100
            rows.append(Row(f"a cold run of {events}", measured,
                            "≤ 100 ms, ≤ 0.3 ms, ≤ 24 MB" if is_target else "",
                            seconds <= 0.1 and cpu / events <= 0.0003 and peak <= 24 if is_target else None))
    return rows
