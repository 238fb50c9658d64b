"""The container and the system's service run `serve` as their files say: without rights, on their own directory,
healthy while the API works, done when told to stop. No container engine or systemd is needed for that: their
commands are run in an otherwise empty root."""

import json
import os
import re
import shlex
import shutil
import subprocess
import time

import pytest

import workspace
from workspace import reference

DOCKERFILE = workspace.ROOT / "Dockerfile"
UNIT = workspace.ROOT / "packaging/dispatcher.service"
# systemd calls up to 2 well protected; what is left is the network, which it needs.
MOST_EXPOSURE = 2.0
PATIENCE_SECONDS = 60


def instructions():
    """(name, text) of the last stage of the Dockerfile, lines joined."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    lines = [line.split(None, 1) for line in text.splitlines() if line.strip()]
    last = max(number for number, line in enumerate(lines) if line[0] == "FROM")
    return [(name, rest.strip()) for name, rest in lines[last:]]


def only(name):
    (found,) = [rest for each, rest in instructions() if each == name]
    return found


def unit_settings():
    """Name → values of the unit's file."""
    settings = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", UNIT.read_text(), re.MULTILINE):
        settings.setdefault(name, []).append(value)
    return settings


def container():
    """(command, environment, data directory)"""
    environment = dict(pair.split("=", 1) for pair in shlex.split(only("ENV")))
    return json.loads(only("ENTRYPOINT")) + json.loads(only("CMD")), environment, only("VOLUME")


def service():
    (command,) = unit_settings()["ExecStart"]
    environment = dict(pair.split("=", 1) for pair in unit_settings()["Environment"])
    (state,) = unit_settings()["StateDirectory"]
    return shlex.split(command), environment, f"/var/lib/{state}"


@pytest.fixture
def root(tmp_path):
    """An empty root with the program, which any user may enter; tmp_path itself is closed to others."""
    if os.geteuid() != 0:
        pytest.skip("chroot needs root")
    folder = tmp_path / "root"
    (folder / "usr/bin").mkdir(parents=True)
    (folder / "usr/bin/dispatcher").write_bytes(workspace.package.stripped(workspace.PROGRAM))
    (folder / "usr/bin/dispatcher").chmod(0o755)
    return folder


def wait_until(holds, process):
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


@pytest.mark.parametrize("how", [container, service])
def test_the_command_serves_as_a_user_without_rights_until_it_is_told_to_stop(root, how):
    command, environment, data = how()
    user = only("USER")
    folder = root / data.lstrip("/")
    folder.mkdir(parents=True)
    shutil.chown(folder, *map(int, user.split(":")))
    within = [shutil.which("chroot"), f"--userspec={user}", root]
    # A network of its own: port 8080 may be taken outside.
    script = 'ip link set lo up && exec "$@"'
    process = subprocess.Popen(["unshare", "--net", "sh", "-c", script, "sh", *map(str, within), *command],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               text=True, env=environment)
    try:
        wait_until((folder / "address").exists, process)
        asks = json.loads(only("HEALTHCHECK").split("CMD", 1)[1])
        nearby = ["nsenter", f"--target={process.pid}", "--net", *within]
        healthy = workspace.run([*nearby, *asks], env=environment)
        assert healthy.returncode == 0, healthy.stderr
        assert [path.name for path in root.iterdir() if path.is_file()] == []
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0, process.stderr.read()
        alone = workspace.run(["unshare", "--net", *within, *asks], env=environment)
        assert alone.returncode == 1, "healthy though nothing serves"
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_the_image_holds_the_program_and_certificates_and_runs_as_nobodys_user():
    assert only("FROM") == "scratch"
    copied = [rest.split()[-1] for name, rest in instructions() if name == "COPY"]
    assert copied == ["/usr/bin/dispatcher", "/etc/ssl/certs/ca-certificates.crt", "/data"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", only("USER"))
    assert only("STOPSIGNAL") == "SIGTERM"


def test_container_and_unit_set_what_the_program_knows():
    known = {setting["variable"] for setting in reference.read_settings() if "serve" in setting["commands"]}
    for _, environment, data in (container(), service()):
        assert set(environment) <= known
        assert environment["DISPATCHER_DATA"] == data


def test_the_image_is_built_by_commands_that_exist():
    for command in re.findall(r"\./dev (\w+)", DOCKERFILE.read_text()):
        assert re.search(rf"^  {command}\)", (workspace.ROOT / "dev").read_text(), re.MULTILINE)


@pytest.fixture
def analyze(tmp_path):
    """What systemd-analyze says of the unit, whose program is put where this machine has it."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("this machine has no systemd-analyze")
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/usr/bin/dispatcher", str(workspace.PROGRAM)))
    return lambda *arguments: workspace.run(["systemd-analyze", *arguments, unit])


def test_systemd_understands_the_unit(analyze):
    said = analyze("verify", "--man=no")
    assert (said.returncode, said.stdout + said.stderr) == (0, "")


def test_systemd_finds_the_unit_well_protected(analyze):
    said = analyze("security", "--offline=true", "--no-pager")
    (exposure,) = re.findall(r"Overall exposure level for \S+: ([\d.]+)", said.stdout)
    assert float(exposure) <= MOST_EXPOSURE


def test_the_package_installs_the_unit(tmp_path):
    made = workspace.package.make_all(workspace.PROGRAM, tmp_path)
    (deb,) = [path for path in made if path.suffix == ".deb"]
    assert "./usr/lib/systemd/system/dispatcher.service" in workspace.must(["dpkg-deb", "--contents", deb])
