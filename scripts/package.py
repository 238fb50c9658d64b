"""What is handed out, made of a static build: the Lambda function's zip, a .tar.gz and a .deb.

usage: package.py PROGRAM FOLDER

The same program gives the same bytes: times are SOURCE_DATE_EPOCH, else the last commit's; owners, modes
and order are fixed.
"""

import gzip
import io
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
# A zip has no earlier time.
EARLIEST = 315532800


def source_date():
    """Seconds since the epoch."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if not given:
        asked = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True)
        given = asked.stdout.strip() or "0"  # not a clone
    return max(int(given), EARLIEST)


def version():
    return re.search(r"^project\(dispatcher VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text(), re.M)[1]


def make_zip(path, program, when):
    """What Lambda's provided.al2023 takes: an executable named bootstrap."""
    member = zipfile.ZipInfo("bootstrap", time.gmtime(when)[:6])
    member.create_system = 3  # Unix: modes are kept
    member.external_attr = 0o100755 << 16
    member.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, program, compresslevel=9)


def make_tar(path, files, when):
    """`files`: (name, content, mode)."""
    with open(path, "wb") as out, gzip.GzipFile("", "wb", 9, out, mtime=0) as packed, \
            tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content, mode in files:
            member = tarfile.TarInfo(name)
            member.size, member.mode, member.mtime = len(content), mode, when
            member.uname = member.gname = "root"
            archive.addfile(member, io.BytesIO(content))


CONTROL = """\
Package: dispatcher
Version: {version}
Architecture: amd64
Maintainer: The dispatcher's developers <dispatcher@example.com>
Installed-Size: {kilobytes}
Depends: ca-certificates
Section: net
Priority: optional
Description: webhook dispatcher with a Triggers API
 Takes events in over HTTP, keeps them on disk, and delivers each of them to
 webhooks, at least once, with retries, signatures and an account of every
 attempt.
"""


def make_deb(path, files, when):
    """The same files below /usr."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder) / "root"
        kilobytes = sum(len(content) for _, content, _ in files) // 1024
        control = CONTROL.format(version=version(), kilobytes=kilobytes).encode()
        for name, content, mode in [*files, ("DEBIAN/control", control, 0o644)]:
            file = root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            file.chmod(mode)
        for entry in [root, *root.rglob("*")]:
            if entry.is_dir():
                entry.chmod(0o755)
            os.utime(entry, (when, when))
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z9", "--build", root, path],
                       check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "SOURCE_DATE_EPOCH": str(when)})


def stripped(program):
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "program"
        subprocess.run(["strip", "--strip-all", "-o", copy, program], check=True)
        return copy.read_bytes()


def make_all(program, folder):
    folder.mkdir(parents=True, exist_ok=True)
    when = source_date()
    binary = stripped(program)
    licence, readme = (ROOT / "LICENSE").read_bytes(), (ROOT / "README.md").read_bytes()
    name = f"dispatcher-{version()}-linux-x86_64"
    made = [folder / "dispatcher-lambda.zip", folder / f"{name}.tar.gz",
            folder / f"dispatcher_{version()}_amd64.deb"]
    make_zip(made[0], binary, when)
    make_tar(made[1], [(f"{name}/dispatcher", binary, 0o755), (f"{name}/LICENSE", licence, 0o644),
                       (f"{name}/README.md", readme, 0o644)], when)
    unit = (ROOT / "packaging/dispatcher.service").read_bytes()
    make_deb(made[2], [("usr/bin/dispatcher", binary, 0o755),
                       ("usr/lib/systemd/system/dispatcher.service", unit, 0o644),
                       ("usr/share/doc/dispatcher/copyright", licence, 0o644)], when)
    return made


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.split("\n\n")[1])
    for path in make_all(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])):
        print(f"{path}  {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
