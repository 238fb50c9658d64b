"""Runs test suites, two at a time, and sums their test cases up.

A suite is a GoogleTest program that CMake knows, or a folder of tests/ with pytest files. The last
line printed is `N passed, N failed` (and `, N skipped`); the exit status is 0 only when something
ran and nothing failed. What a failed suite printed is shown in full, of the others one line.
"""

import argparse
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
# A suite that takes longer hangs.
SUITE_LIMIT_SECONDS = 25 * 60
# Longest first, so that none is left to run alone at the end.
SLOW_FIRST = ["deploy", "process", "lambda", "dynamodb", "simulation", "api", "conformance", "https",
              "http_server"]
PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
# Fewer seeds: a sanitizer makes everything ten times slower.
SANITIZED = {"SIMULATION_SEEDS": "300", "TEST_PATIENCE_SECONDS": "300"}
# What makes a sanitizer end the program at its first finding.
SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1:abort_on_error=0",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}


@dataclasses.dataclass
class Suite:
    name: str
    kind: str  # "gtest" or "pytest"
    command: list
    environment: dict = dataclasses.field(default_factory=dict)

    @property
    def base_name(self):
        return self.name.split("-")[0]


@dataclasses.dataclass
class Outcome:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other):
        return Outcome(self.passed + other.passed, self.failed + other.failed,
                       self.skipped + other.skipped)

    def __str__(self):
        text = f"{self.passed} passed, {self.failed} failed"
        return text + (f", {self.skipped} skipped" if self.skipped else "")


def programs_of(build, suffix="", environment=None, only=None):
    """The test programs that CMake made in `build`, all or only those named."""
    listed = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"], check=True,
                            capture_output=True, text=True)
    tests = [test for test in json.loads(listed.stdout)["tests"]
             if only is None or test["name"] in only]
    unbuilt = [test["name"] for test in tests if not pathlib.Path(test.get("command", [""])[0]).is_file()]
    if unbuilt or not tests:
        sys.exit(f"{build} lacks test programs: {', '.join(unbuilt) or 'all'}")
    return [Suite(test["name"] + suffix, "gtest", test["command"], environment or {})
            for test in tests]


def folder_suites(suffix="", environment=None):
    """The folders of tests/ that hold pytest files."""
    folders = sorted({path.parent for pattern in ("test_*.py", "*_test.py")
                      for path in (ROOT / "tests").glob(f"*/{pattern}")})
    return [Suite(folder.name + suffix, "pytest", [*PYTEST, str(folder)], environment or {})
            for folder in folders]


def plain_suites(build):
    binary = {"DISPATCHER_BIN": str(ROOT / build / "dispatcher")}
    return programs_of(ROOT / build) + folder_suites(environment=binary)


def sanitized_suites(address, thread, threaded):
    """Every program of the first build, those named of the second, and the API's tests against a service
    of each."""
    suites = programs_of(ROOT / address, "-address", SANITIZED)
    suites += programs_of(ROOT / thread, "-thread", SANITIZED, threaded)
    for build, suffix in ((address, "-address"), (thread, "-thread")):
        binary = {"DISPATCHER_BIN": str(ROOT / build / "dispatcher"), **SANITIZED}
        suites += [suite for suite in folder_suites(suffix, binary) if suite.base_name == "api"]
    return suites


def count_cases(report):
    """Sums a JUnit file, as GoogleTest and pytest write it; None when there is none."""
    try:
        root = xml.etree.ElementTree.parse(report).getroot()
    except (OSError, xml.etree.ElementTree.ParseError):
        return None
    outcome = Outcome()
    for case in root.iter("testcase"):
        if case.get("status") == "notrun":  # GoogleTest's DISABLED_ tests
            continue
        if case.find("failure") is not None or case.find("error") is not None:
            outcome.failed += 1
        elif case.find("skipped") is not None:
            outcome.skipped += 1
        else:
            outcome.passed += 1
    return outcome


def run_suite(suite, scratch):
    """(outcome, what it printed, seconds). A suite that crashes, hangs or runs nothing has failed."""
    report = scratch / f"{suite.name}.xml"
    option = f"--gtest_output=xml:{report}" if suite.kind == "gtest" else f"--junitxml={report}"
    environment = {**os.environ, **SANITIZER_OPTIONS, "PYTHONDONTWRITEBYTECODE": "1",
                   **suite.environment}
    began = time.monotonic()
    with open(scratch / f"{suite.name}.out", "w+b") as printed:
        process = subprocess.Popen([*suite.command, option], stdin=subprocess.DEVNULL,
                                   stdout=printed, stderr=subprocess.STDOUT, cwd=ROOT,
                                   env=environment, start_new_session=True)
        trouble = ""
        try:
            status = process.wait(SUITE_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            status = process.wait()
            trouble = f"ended after {SUITE_LIMIT_SECONDS} s: it hangs\n"
        printed.seek(0)
        text = printed.read().decode("utf-8", "replace")
    outcome = count_cases(report) or Outcome()
    if status != 0 and outcome.failed == 0:
        outcome.failed = 1
        trouble += f"exit status {status}, though no test case failed\n"
    if outcome.passed + outcome.failed + outcome.skipped == 0:
        outcome.failed = 1
        trouble += "it ran no test at all\n"
    return outcome, text + trouble, time.monotonic() - began


def run_all(suites, at_once):
    order = {name: rank for rank, name in enumerate(SLOW_FIRST)}
    suites = sorted(suites, key=lambda suite: order.get(suite.base_name, len(order)))
    width = max(len(suite.name) for suite in suites)
    total = Outcome()
    printing = threading.Lock()
    with tempfile.TemporaryDirectory(prefix="suites-") as folder, \
            concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        running = {pool.submit(run_suite, suite, pathlib.Path(folder)): suite for suite in suites}
        for done in concurrent.futures.as_completed(running):
            suite = running[done]
            outcome, text, seconds = done.result()
            total += outcome
            with printing:
                if outcome.failed:
                    print(f"---- {suite.name}: what it printed\n{text}----", flush=True)
                mark = "FAILED" if outcome.failed else "ok    "
                print(f"{mark} {suite.name:<{width}}  {outcome}  ({seconds:.1f} s)", flush=True)
    return total


def chosen(suites, names):
    if not names:
        return suites
    unknown = set(names) - {suite.base_name for suite in suites}
    if unknown:
        known = ", ".join(sorted({suite.base_name for suite in suites}))
        sys.exit(f"there is no suite {', '.join(sorted(unknown))}; there are: {known}")
    return [suite for suite in suites if suite.base_name in names]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", help="run every suite on this build")
    parser.add_argument("--address", help="or on this build under the address sanitizer,")
    parser.add_argument("--thread", help="and on this one under the thread sanitizer")
    parser.add_argument("--threaded", default="", help="only these programs of the latter")
    parser.add_argument("suites", nargs="*", help="only these")
    arguments = parser.parse_args()
    suites = (plain_suites(arguments.build) if arguments.build else
              sanitized_suites(arguments.address, arguments.thread, arguments.threaded.split()))
    total = run_all(chosen(suites, arguments.suites), at_once=2)
    print(total)
    sys.exit(1 if total.failed or not total.passed else 0)


if __name__ == "__main__":
    main()
