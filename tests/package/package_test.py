"""The package is one file that needs nothing else: fully static, the same bytes from the same source,
running in an empty root, where it resolves names and verifies certificates."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import zipfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build/package/dispatcher"
MAX_ZIP_BYTES = 6_000_000
sys.path.insert(0, str(ROOT / "scripts"))

import package  # noqa: E402: found on the path above


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The files of `./dev package`, by the end of their names."""
    if not PROGRAM.exists():
        pytest.fail(f"{PROGRAM} does not exist: ./dev package makes it", pytrace=False)
    folder = tmp_path_factory.mktemp("package")
    return {path.name.rsplit(".", 1)[-1]: path for path in package.make_all(PROGRAM, folder)}


@pytest.fixture(scope="module")
def root(made, tmp_path_factory):
    """An otherwise empty root with what is in the zip."""
    folder = tmp_path_factory.mktemp("root")
    with zipfile.ZipFile(made["zip"]) as archive:
        for member in archive.infolist():
            pathlib.Path(archive.extract(member, folder)).chmod(member.external_attr >> 16 & 0o777)
    return folder


def in_namespaces(*command):
    """With a network of its own, as a root of its own where we are not root."""
    rights = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *rights, "--net", *map(str, command)]


def needs_namespaces():
    tried = subprocess.run(in_namespaces("true"), capture_output=True)
    if tried.returncode != 0:
        pytest.skip("this machine allows no namespaces")


def test_the_zip_holds_an_executable_bootstrap_and_no_more_and_is_small(made):
    with zipfile.ZipFile(made["zip"]) as archive:
        assert [member.filename for member in archive.infolist()] == ["bootstrap"]
        assert archive.infolist()[0].external_attr >> 16 == 0o100755
    assert made["zip"].stat().st_size <= MAX_ZIP_BYTES


def test_it_has_no_interpreter_and_needs_no_library(root):
    said = subprocess.run(["readelf", "--program-headers", "--dynamic", "--wide", root / "bootstrap"],
                          check=True, capture_output=True, text=True).stdout
    assert "LOAD" in said
    assert "INTERP" not in said and "NEEDED" not in said


def test_the_same_program_makes_the_same_bytes(made, tmp_path, monkeypatch):
    os.utime(PROGRAM)
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    before = os.umask(0o077)
    try:
        again = package.make_all(PROGRAM, tmp_path)
    finally:
        os.umask(before)
    for path in again:
        assert path.read_bytes() == made[path.name.rsplit(".", 1)[-1]].read_bytes(), path.name


def test_the_folder_it_was_built_in_is_not_in_it(root):
    content = (root / "bootstrap").read_bytes()
    assert str(ROOT).encode() not in content
    # From src/ on, whoever compiled it.
    assert b"src/hosts/" in content and b"../src/hosts/" not in content


def test_the_archives_hold_the_program(made, tmp_path):
    subprocess.run(["tar", "-xzf", made["gz"], "-C", tmp_path], check=True)
    program = next(tmp_path.glob("dispatcher-*/dispatcher"))
    assert subprocess.run([program, "version"], check=True, capture_output=True).stdout.startswith(b"dispatcher ")
    listed = subprocess.run(["dpkg-deb", "--contents", made["deb"]], check=True, capture_output=True, text=True)
    assert "-rwxr-xr-x root/root" in listed.stdout and "./usr/bin/dispatcher" in listed.stdout


def test_it_runs_in_an_empty_root(root):
    needs_namespaces()
    done = subprocess.run(in_namespaces("chroot", root, "/bootstrap", "version"), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("dispatcher ")


@pytest.mark.parametrize("bundle", ["etc/pki/tls/certs/ca-bundle.crt", "etc/ssl/certs/ca-certificates.crt"])
def test_a_run_there_resolves_names_and_verifies_certificates(root, tmp_path, bundle):
    needs_namespaces()
    if (root / "etc").exists():
        shutil.rmtree(root / "etc")
    done = subprocess.run(
        in_namespaces(sys.executable, ROOT / "tests/package/in_empty_root.py", root, bundle, tmp_path),
        capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout)
    assert said["result"]["acknowledged_count"] == said["delivered"] == 3, said
    assert said["untrusted"]["failed_deliveries"] == 3 and "not trusted" in said["log"], said
