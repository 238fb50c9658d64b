"""A data directory has one owner at a time, survives a full disk, and is refused with a clear message
when something is wrong with it."""

import contextlib
import json
import os
import resource
import subprocess

import pytest

import harness


def refused(tmp_path, data, name="refused"):
    """What a `serve` says that does not start; its status."""
    process = harness.Process([harness.BINARY, "serve", "--listen", "127.0.0.1:0", "--data", data],
                              tmp_path, name)
    with harness.stopping(process):
        return process.wait(), process.stderr()


def test_a_second_serve_on_the_same_data_is_refused_and_the_first_goes_on(tmp_path, starts):
    first = starts(harness.Service)
    client = first.client()
    status, said = refused(tmp_path, first.data)
    assert status == 1
    assert str(first.data) in said
    assert "another" in said or "in use" in said
    client.post_event()
    first.kill()
    starts(harness.Service, data=first.data, name="serve-again")


def test_a_corrupt_store_is_refused_by_name(tmp_path, starts):
    service = starts(harness.Service)
    service.client().post_event()
    service.terminate()
    service.wait()
    [store] = service.data.glob("*.db")
    store.write_bytes(b"this is not a database file" * 1000)
    status, said = refused(tmp_path, service.data)
    assert status == 1
    assert store.name in said


def test_a_newer_schema_is_refused_and_left_alone(tmp_path, starts):
    service = starts(harness.Service)
    service.terminate()
    service.wait()
    [store] = service.data.glob("*.db")
    subprocess.run(["sqlite3", store, "PRAGMA user_version = 99999"], check=True)
    status, said = refused(tmp_path, service.data)
    assert status == 1
    assert "99999" in said or "newer" in said
    version = subprocess.run(["sqlite3", store, "PRAGMA user_version"], check=True,
                             capture_output=True, text=True).stdout
    assert version.strip() == "99999"


@contextlib.contextmanager
def small_disk(folder, megabytes):
    """A file system of that size, or a skip where none can be mounted."""
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder],
                             capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("mounting needs more rights than these")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(client):
    """Posts until one is refused for want of space: the ids answered 201."""
    ids = []
    for _ in range(2_000):
        body = {"type": "t", "source": "s", "payload": {"text": "x" * 100_000}}
        status, headers, text = client.request("POST", "/events", body)
        if status == 503:
            assert headers["Retry-After"]
            return ids
        assert status == 201, text[:300]
        ids.append(json.loads(text)["id"])
    raise AssertionError("the disk never filled up")


def goes_on_after(client, ids):
    """It takes events again, and has lost none of those it answered."""

    def taken():
        status, _, _ = client.request("POST", "/events", {"type": "t", "source": "s", "payload": {}})
        assert status in (201, 503)
        return status == 201

    harness.wait_until(taken, "an event to be taken again")
    for event in ids:
        assert client.json("GET", f"/events/{event}")["id"] == event


def test_a_full_disk_is_answered_with_503_and_nothing_is_lost_when_there_is_room_again(
        tmp_path, starts):
    with small_disk(tmp_path / "disk", 24) as disk:
        filler = disk / "filler"
        filler.write_bytes(os.urandom(12 * 1024 * 1024))
        service = starts(harness.Service, data=disk / "data")
        client = service.client()
        ids = fill(client)
        assert client.json("GET", "/health") == {"status": "healthy"}
        assert ids and client.json("GET", f"/events/{ids[0]}")["id"] == ids[0]
        filler.unlink()
        goes_on_after(client, ids)
        client.close()
        service.terminate()
        assert service.wait() == 0
        checked = harness.run_command("store", "check", "--data", service.data)
        assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_limit_on_file_sizes_is_survived_as_a_full_disk_is(starts):
    # SIGXFSZ stays ignored, as Python has it: the write fails with EFBIG instead.
    service = starts(harness.Service, restore_signals=False)
    client = service.client()
    client.post_event()
    _, hard = resource.prlimit(service.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(service.pid, resource.RLIMIT_FSIZE, (8 * 1024 * 1024, hard))
    ids = fill(client)
    assert ids
    resource.prlimit(service.pid, resource.RLIMIT_FSIZE, (hard, hard))
    goes_on_after(client, ids)


def test_events_wait_out_a_kill_with_a_full_disk(tmp_path, starts):
    with small_disk(tmp_path / "disk", 24) as disk:
        filler = disk / "filler"
        filler.write_bytes(os.urandom(12 * 1024 * 1024))
        service = starts(harness.Service, data=disk / "data")
        ids = fill(service.client())
        service.kill()
        filler.unlink()
        again = starts(harness.Service, data=disk / "data", name="serve-again")
        goes_on_after(again.client(), ids)
