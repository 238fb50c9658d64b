"""What the benchmarks measure with: wrk as load and yardstick, CPU time of processes, percentiles."""

import dataclasses
import os
import pathlib
import re
import resource
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/process"))

# The body that `targets.md` speaks of: what a receiver gets for a payload of usual size.
BODY_BYTES = 418
CONNECTIONS = 64


def cpu_seconds(pid):
    """User and system time that a process has used, of all its threads that live."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except OSError:
            pass  # a thread that has ended meanwhile
    return total / 1e9


def resident_mb(pid):
    """Resident memory, in the 10^6 bytes that the targets are in."""
    pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@dataclasses.dataclass
class Load:
    """What a run of wrk came to."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    failed: int
    cpu_seconds: float

    @property
    def rate(self):
        return self.requests / self.seconds

    @property
    def cpu_us(self):
        """wrk's own CPU time for each request."""
        return self.cpu_seconds / max(self.requests, 1) * 1e6


RESULT = re.compile(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+)")


def wrk(url, script="get", seconds=8, connections=CONNECTIONS, **environment):
    """One thread of wrk on keep-alive connections. `script` is one of bench/*.lua."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", ROOT / f"bench/{script}.lua", url],
        env={**os.environ, **{name: str(value) for name, value in environment.items()}},
        capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = RESULT.search(done.stdout)
    if not found:
        raise RuntimeError(f"wrk failed:\n{done.stdout}{done.stderr}")
    requests, micros, p50, p99, failed = map(int, found.groups())
    cpu = (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
    return Load(requests, micros / 1e6, p50 / 1e3, p99 / 1e3, failed, cpu)


def wait_for(condition, what, seconds=600, pause=0.02):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {seconds} s in vain for: {what}")
        time.sleep(pause)
    return value


def say(text):
    print(text, file=sys.stderr, flush=True)
