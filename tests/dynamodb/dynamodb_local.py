"""AWS's own DynamoDB Local, of the npm package that brings it, in a network of its own.

It listens on every interface: so it runs where there is only a loopback, and so does all that talks to it.
"""

import base64
import fcntl
import hashlib
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import tarfile
import tempfile

import botocore.config
import botocore.session

import harness
import namespaces

PACKAGE, VERSION = "amplify-dynamodb-simulator", "2.9.30"
SHA512 = "xTeeRLvzEfqyd5lh3bH4c0kHvSHHmmhD5ZDsHFKAQ5g2Zl6JqlFdutaQhCLHzxEp6Ry1o7TB6niIoXuQAnSewQ=="
FOLDER = harness.ROOT / ".cache" / f"dynamodb-local-{VERSION}"
PORT = 8000  # nobody else is in that network
REGION = "us-east-2"
KEYS = {"aws_access_key_id": "keyOfTests", "aws_secret_access_key": "hunter2/+="}

CLONE_NEWUSER = 0x10000000  # <sched.h>
SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1  # <linux/sockios.h>, <linux/if.h>


def install():
    """The jar's folder. The package's tarball is had from the npm registry, once, and nothing of what the package
    depends on: the jars are all in it."""
    if not FOLDER.exists():
        FOLDER.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=FOLDER.parent) as scratch:
            done = subprocess.run(
                ["npm", "pack", "--ignore-scripts", f"{PACKAGE}@{VERSION}", "--pack-destination", scratch],
                cwd=scratch, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
            if done.returncode != 0:
                raise RuntimeError(f"npm pack failed (it needs the npm registry, once):\n{done.stderr[-2000:]}")
            unpack(next(pathlib.Path(scratch).glob("*.tgz")), pathlib.Path(scratch) / "unpacked")
            try:
                (pathlib.Path(scratch) / "unpacked/package/emulator").rename(FOLDER)
            except OSError:
                if not FOLDER.exists():  # else another run of these tests was faster
                    raise
    return FOLDER


def unpack(tarball, folder):
    digest = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    if digest != SHA512:
        raise RuntimeError(f"{tarball.name} is not what it was: its SHA-512 is {digest}")
    with tarfile.open(tarball) as archive:
        archive.extractall(folder)


def enter_own_network():
    """Moves this thread, those that it starts from now on, and all their processes into a network namespace that has
    a loopback and nothing else. OSError where that may not be done."""
    if os.geteuid() == 0:
        namespaces.checked(namespaces.libc.unshare(namespaces.CLONE_NEWNET))
    else:
        user, group = os.geteuid(), os.getegid()
        namespaces.checked(namespaces.libc.unshare(CLONE_NEWUSER | namespaces.CLONE_NEWNET))
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            pathlib.Path(f"/proc/self/{name}").write_text(text)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        fcntl.ioctl(handle, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))


class DynamoDbLocal(harness.Process):
    """Its process, from when it answers until `stop`. What is in it is in memory, and the same for all keys and
    regions."""

    url = f"http://127.0.0.1:{PORT}"

    def __init__(self, jars, folder):
        java = shutil.which("java")
        if java is None:
            raise RuntimeError("there is no java (./dev setup installs one)")
        super().__init__(
            [java, "-Xmx512m", "-XX:TieredStopAtLevel=1", f"-Djava.library.path={jars}/DynamoDBLocal_lib",
             "-jar", jars / "DynamoDBLocal.jar", "-inMemory", "-disableTelemetry", "-sharedDb", "-port", PORT],
            folder, "dynamodb-local", cwd=folder)  # it leaves a file where it runs
        harness.wait_until(self.is_listening, "DynamoDB Local to listen")

    def is_listening(self):
        assert self.is_running(), f"DynamoDB Local ended:\n{self.stdout()}{self.stderr()}"
        with socket.socket() as connection:
            return connection.connect_ex(("127.0.0.1", PORT)) == 0

    def client(self, service="dynamodb"):
        """botocore's, which any number of threads may use at once."""
        return botocore.session.Session().create_client(
            service, region_name=REGION, endpoint_url=self.url, **KEYS,
            config=botocore.config.Config(max_pool_connections=64, retries={"max_attempts": 0}))
