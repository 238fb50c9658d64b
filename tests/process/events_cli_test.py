"""What a person does with events: an export is the service's own, whole or not there, in flat memory;
a deleted event is gone; nothing is replayed or discarded for want of an argument."""

import json
import subprocess
import sys

import pytest

from harness import BINARY, Service, clean_environment, run_command

EVENTS = 2500  # more than two pages


@pytest.fixture
def filled(starts):
    """A service with events whose payloads are spelled in ways of their own."""
    service = starts(Service)
    client = service.client()
    for start in range(0, EVENTS, 500):
        lines = [f'{{"type":"t{n % 2}","source":"a \\"b\\", c","payload":{{"n": {n}.0,"é":"\\u00e9"}}}}'
                 for n in range(start, start + 500)]
        client.json("POST", "/events/batch", "\n".join(lines),
                    {"Content-Type": "application/x-ndjson"}, expect=201)
    return service


def exported(service, query):
    status, _, body = service.client().request("GET", f"/events/export?{query}")
    assert status == 200
    return body.decode()


@pytest.mark.parametrize("format", ["json", "csv"])
def test_an_export_is_the_services_own_byte_for_byte(filled, format, tmp_path):
    file = tmp_path / "events"
    done = run_command("events", "export", "--data", filled.data, "--format", format, "--type", "t1",
                       "--file", file)
    assert done.returncode == 0 and done.stdout == "" and done.stderr == ""
    text = file.read_bytes().decode()
    assert text.rstrip("\n") == exported(filled, f"format={format}&event_type=t1").rstrip("\n")
    to_stdout = subprocess.run([BINARY, "events", "export", "--data", filled.data, "--format", format,
                                "--type", "t1"], env=clean_environment(), capture_output=True)
    assert to_stdout.stdout == file.read_bytes()
    assert not list(tmp_path.glob("events.part*"))


def test_an_export_by_time_has_what_was_created_then(filled):
    created = [event["created_at"] for event in json.loads(exported(filled, "format=json"))]
    newest, oldest = max(created), min(created)

    def count(*args):
        return len(json.loads(run_command("events", "export", "--data", filled.data, *args).stdout))

    assert count("--from", oldest, "--to", newest) == EVENTS
    assert count("--to", "2000-01-01") == 0


def test_an_export_of_a_service_that_has_gone_leaves_no_file(filled, tmp_path):
    filled.terminate()
    assert filled.wait() == 0
    file = tmp_path / "events.json"
    done = run_command("events", "export", "--api", filled.url, "--data", filled.data, "--file", file)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert not file.exists() and not list(tmp_path.glob("events.json*"))


def peak_memory(*args):
    """Bytes that a command had in memory at most, while its output is thrown away."""
    script = ("import resource, subprocess, sys\n"
              "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)\n"
              "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)\n")
    done = subprocess.run([sys.executable, "-c", script, BINARY, *map(str, args)], capture_output=True,
                          text=True, env=clean_environment(), check=True)
    return int(done.stdout)


def test_the_memory_of_an_export_does_not_grow_with_it(starts, tmp_path):
    service = starts(Service)
    line = json.dumps({"type": "t", "source": "s", "payload": {"x": "x" * 20_000}})
    file = tmp_path / "b.ndjson"

    def peak_with(events):
        file.write_text(f"{line}\n" * events)
        assert run_command("send", "--data", service.data, "--batch", file).returncode == 0
        return peak_memory("events", "export", "--data", service.data)

    with_two_pages = peak_with(400)  # 8 MB
    with_many = peak_with(2600)      # 60 MB
    assert with_many < with_two_pages + 16 * 1024 * 1024


def test_a_deleted_event_is_gone(starts):
    service = starts(Service)
    event = service.client().post_event({"n": 1})
    done = run_command("events", "delete", event, "--data", service.data)
    assert done.returncode == 0 and done.stdout == f"deleted {event}\n", done.stderr
    again = run_command("events", "delete", event, "--data", service.data)
    assert again.returncode == 1 and "not found" in again.stderr


@pytest.mark.parametrize("command", ["replay", "discard"])
def test_nothing_is_released_for_want_of_an_argument(command, starts):
    service = starts(Service)
    done = run_command("events", command, "--data", service.data, "--note", "all of them?")
    assert done.returncode == 2 and "which events" in done.stderr
