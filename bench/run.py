"""The benchmarks: the service beside wrk and nginx on this machine, as ratios within one run.

Prints a Markdown table to standard output and to build/bench.md, with the target of each figure and
whether it is met. Absolute figures drift from machine to machine; no figure makes this fail.
"""

import argparse
import os
import pathlib
import platform
import tempfile

import isolation
import lambda_function
import measure
import parts
import table_run

# The last one moves this process into a network of its own.
ORDER = ["ingest", "drain", "endtoend", "claim", "memory", "start", "isolation", "lambda", "table"]
# Those that have a file of their own.
APART = {"isolation": isolation.isolation, "lambda": lambda_function.function,
         "table": table_run.table}


def table(rows):
    lines = ["| work | measured | target | |", "|---|---|---|---|"]
    for row in rows:
        met = "" if row.met is None else "met" if row.met else "**missed**"
        lines.append(f"| {row.work} | {row.measured} | {row.target} | {met} |")
    return "\n".join(lines)


def run_part(name, folder, scale):
    """One that fails is a row that says so: the others are measured all the same."""
    try:
        part = APART.get(name) or getattr(parts, name)
        return part(folder, scale)
    except Exception as why:  # whatever it is, it goes into the table
        measure.say(f"bench: {name} failed: {why}")
        return [parts.Row(name, "failed: " + str(why).splitlines()[0][:200], met=False)]


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(ORDER)}; else all")
    parser.add_argument("--small", action="store_true",
                        help="a tenth of the events: to see that it works, not to measure")
    arguments = parser.parse_args()
    unknown = set(arguments.parts) - set(ORDER)
    if unknown:
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    os.chdir(measure.ROOT)
    scale = 0.1 if arguments.small else 1.0
    rows = []
    for name in ORDER:
        if arguments.parts and name not in arguments.parts:
            continue
        measure.say(f"bench: {name}")
        with tempfile.TemporaryDirectory(prefix=f"bench-{name}-") as folder:
            rows += run_part(name, pathlib.Path(folder), scale)
    text = (f"{os.cpu_count()} cores ({processor()}), {platform.system()} {platform.release()}, "
            f"loopback\n\n{table(rows)}\n")
    (measure.ROOT / "build/bench.md").write_text(text)
    print(text, end="")


if __name__ == "__main__":
    main()
