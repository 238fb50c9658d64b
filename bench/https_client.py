"""The HTTPS client beside wrk, against one nginx, by turns: requests a second, CPU for each, ratio.

    /usr/bin/python3 bench/https_client.py PROGRAM [ROUNDS]

PROGRAM is what bench/https_client.cpp is built to. On a machine that does something else too, the
CPU figures are the ones to look at: of each, the least of all rounds.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

import measure

import harness
import nginx

SECONDS = 4
FOUND = re.compile(r"(\d+) req/s, ([\d.]+) us CPU")


def main():
    program, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3
    ours, theirs = [], []
    with tempfile.TemporaryDirectory(prefix="bench-https-client-") as folder:
        receiver = nginx.Nginx(pathlib.Path(folder), log=False)
        with harness.stopping(receiver):
            for _ in range(rounds):
                load = measure.wrk(receiver.url(), "post", seconds=SECONDS,
                                   BODY="x" * measure.BODY_BYTES)
                theirs.append((load.rate, load.cpu_us))
                done = subprocess.run(
                    [program, receiver.url(), receiver.ca_file, str(measure.CONNECTIONS),
                     str(SECONDS)], capture_output=True, text=True, check=True)
                rate, cpu = FOUND.search(done.stdout).groups()
                ours.append((float(rate), float(cpu)))
                print(f"wrk {load.rate:,.0f}/s {load.cpu_us:.2f} µs; client {done.stdout.strip()}",
                      flush=True)
    cpu_wrk, cpu_ours = (min(cpu for _, cpu in runs) for runs in (theirs, ours))
    rate_wrk, rate_ours = (max(rate for rate, _ in runs) for runs in (theirs, ours))
    print(f"client: {rate_ours:,.0f}/s = {rate_ours / rate_wrk:.0%} of wrk's {rate_wrk:,.0f}/s; "
          f"{cpu_ours:.1f} µs CPU each = {cpu_ours / cpu_wrk:.2f}x wrk's {cpu_wrk:.1f} µs")


if __name__ == "__main__":
    main()
