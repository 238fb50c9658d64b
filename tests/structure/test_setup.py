"""`./dev setup` asks the package manager for exactly what is missing, and for nothing when nothing is.
Here the package manager is a stub, first in PATH."""

import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Says what is installed as dpkg-query does, whose exit status is 1 when it does not know one of the names.
DPKG_QUERY = """#!/bin/bash
status=0
for name in "${@:4}"; do
  if grep -qx "$name" "$STUBS/installed"; then echo "installed $name"; else status=1; fi
done
exit $status
"""
APT_CACHE = """#!/bin/bash
grep -qx "$2" "$STUBS/known"
"""
# Nobody here is root, so that what is done as root comes here, and is written down instead.
SUDO = """#!/bin/bash
echo "$*" >>"$STUBS/done"
cat >/dev/null
[[ " $* " != *" update "* || ! -e $STUBS/offline ]]
"""
ID = "#!/bin/bash\necho 1000\n"
TRUE = "#!/bin/bash\n"
# Of the system's programs, what the script itself needs: neither node nor npm nor java.
NEEDED = ["bash", "cat", "dirname", "env", "grep", "sed", "tr"]


class Machine:
    """What a machine has installed, and what its package manager knows."""

    def __init__(self, folder):
        self.folder = folder
        for name, text in {"dpkg-query": DPKG_QUERY, "apt-cache": APT_CACHE, "sudo": SUDO, "id": ID,
                           "node": TRUE, "npm": TRUE, "java": TRUE}.items():
            self.add_command(name, text)
        for name in NEEDED:
            (folder / name).symlink_to(shutil.which(name))
        listed = re.search(r"^packages=\((.*?)^\)", (ROOT / "dev").read_text(), re.DOTALL | re.MULTILINE)[1]
        self.packages = [entry.split("|") for entry in re.sub(r"#.*|'", "", listed).split()]
        # As on Debian 12: of alternatives the first.
        self.installed = [names[0] for names in self.packages]
        self.known = [*self.installed, "nodejs", "npm", "default-jre-headless"]

    def add_command(self, name, text):
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(0o755)

    def set_up(self, status=0):
        """(what the script said, what it did as root)."""
        for name, lines in (("installed", self.installed), ("known", self.known)):
            (self.folder / name).write_text("".join(line + "\n" for line in lines))
        (self.folder / "done").write_text("")
        done = subprocess.run([self.folder / "bash", ROOT / "dev", "setup"], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True,
                              env={"PATH": str(self.folder), "STUBS": str(self.folder)}, timeout=60)
        assert done.returncode == status, done.stderr
        return done.stderr, (self.folder / "done").read_text().splitlines()

    def asked_for(self):
        """The packages that apt-get was told to install, after its lists were renewed."""
        said, done = self.set_up()
        installs = [line for line in done if " install " in line]
        assert len(installs) == 1 and "apt-get update" in done[0], done
        return installs[0].split("-o Dpkg::Use-Pty=0 ")[1].split()


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_a_machine_that_has_everything_is_left_alone(machine):
    assert machine.set_up() == ("setup: nothing is missing\n", [])


def test_a_new_machine_gets_everything(machine):
    machine.installed = []
    assert machine.asked_for() == [names[0] for names in machine.packages]


@pytest.mark.parametrize("place", [0, 5, -1])
def test_the_only_package_that_is_missing_is_asked_for(machine, place):
    missing = machine.installed.pop(place)
    assert machine.asked_for() == [missing]


def test_one_of_alternatives_is_enough_and_the_first_that_is_known_is_taken(machine):
    first, second = next(names for names in machine.packages if len(names) == 2)
    machine.installed.remove(first)
    machine.installed.append(second)
    assert machine.set_up() == ("setup: nothing is missing\n", [])
    machine.installed.remove(second)
    machine.known.remove(first)
    machine.known.append(second)
    assert machine.asked_for() == [second]


@pytest.mark.parametrize("command, package", [("node", "nodejs"), ("npm", "npm"),
                                              ("java", "default-jre-headless")])
def test_a_command_that_is_there_from_elsewhere_is_not_installed_again(machine, command, package):
    (machine.folder / command).unlink()
    assert machine.asked_for() == [package]


def test_setup_goes_on_when_the_lists_cannot_be_renewed(machine):
    machine.installed.remove("curl")
    (machine.folder / "offline").touch()
    said, done = machine.set_up()
    assert "apt-get update failed" in said
    assert [line for line in done if line.endswith(" curl")]


def test_a_package_that_nobody_knows_is_named_and_nothing_is_installed(machine):
    machine.installed.remove("curl")
    machine.known.remove("curl")
    said, done = machine.set_up(status=1)
    assert "apt knows none of: curl" in said
    assert not [line for line in done if " install " in line]


def test_without_root_or_sudo_what_is_missing_is_named(machine):
    (machine.folder / "sudo").unlink()
    machine.installed.remove("curl")
    said, _ = machine.set_up(status=1)
    assert "no sudo to install them: curl" in said
