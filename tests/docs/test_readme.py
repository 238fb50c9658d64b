"""The README's five minutes, and the page on endpoints, work as they are written: their commands are run
in order, in one shell each, and what they send arrives."""

import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/process"))

import harness  # noqa: E402

WALK = re.compile(r"<!-- walk -->\n```sh\n(.*?)```", re.DOTALL)
# Commands that go on in the background have answered when these lines are there.
READY = 'until grep -q "listening on" {log}; do kill -0 $!; sleep 0.05; done\n'


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def script_of(page, folder):
    """The commands of a page, with ports that are free, the built program, and no build. A reader takes
    longer than a shell: what goes on in the background is waited for."""
    blocks = WALK.findall(page)
    assert len(blocks) >= 4
    script = "set -eu\nPATH=" + str(harness.BINARY.parent) + ":$PATH\n"
    for number, block in enumerate(blocks):
        block = re.sub(r"^(\./dev build|export PATH=.*)\n", "", block, flags=re.MULTILINE)
        log = folder / f"background-{number}.log"
        if block.rstrip().endswith("&"):
            block = block.rstrip()[:-1] + f">{log} 2>&1 &\n" + READY.format(log=log)
        script += block
    for port in ("8443", "8080"):
        script = script.replace(port, str(free_port()))
    return script


@contextlib.contextmanager
def walked(name, folder):
    """What the page's commands printed; what they left running ends with the block."""
    script = script_of((ROOT / name).read_text(encoding="utf-8"), folder)
    shell = subprocess.Popen(["bash", "-c", script], cwd=folder, env=harness.clean_environment(),
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             start_new_session=True)
    try:
        printed, _ = shell.communicate(timeout=harness.PATIENCE)
        assert shell.returncode == 0, printed
        yield printed
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGTERM)


def test_the_five_minutes_of_the_readme_work(tmp_path):
    with walked("README.md", tmp_path) as printed:
        record = tmp_path / "try/received.ndjson"
        harness.wait_until(lambda: len(harness.read_records(record)) >= 2, "both events to arrive")
        orders = {json.loads(one["body"])["payload"]["order"] for one in harness.read_records(record)}
        assert orders == {17, 18}
        assert "order.created" in printed
        assert '"status":"pending"' in printed


def test_the_commands_of_the_page_on_endpoints_work(tmp_path):
    with walked("docs/endpoints.md", tmp_path) as printed:
        assert '"secret":"whsec_' in printed and '"X-Team":"***"' in printed
        assert '"outcome":"delivered"' in printed
        paths = {one["path"] for one in harness.read_records(tmp_path / "hooks/received.ndjson")}
        assert paths == {"/orders"}
