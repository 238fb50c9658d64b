"""A network namespace of the test's own: its only interface is a loopback that has any address the
test gives it, so that nothing sent there can leave it. Needs root; skips the test without it."""

import contextlib
import ctypes
import os
import pathlib
import subprocess

import pytest

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000  # <sched.h>
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000  # <sys/mount.h>

libc = ctypes.CDLL(None, use_errno=True)


def checked(result):
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


@contextlib.contextmanager
def network_namespace(addresses):
    """Moves this thread, and what it starts, into a new namespace that has `addresses`."""
    # A network namespace is the thread's own: the others of the process stay where they are.
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            checked(libc.unshare(CLONE_NEWNET))
        except OSError as why:
            pytest.skip(f"no network namespace can be made here ({why.strerror}): it takes root")
        try:
            commands = ["link set lo up"] + [
                f"addr add {address}/{128 if ':' in address else 32} dev lo"
                + (" nodad" if ":" in address else "") for address in addresses]
            subprocess.run(["ip", "-batch", "-"], input="\n".join(commands), text=True, check=True)
            yield
        finally:
            checked(libc.setns(before, CLONE_NEWNET))
    finally:
        os.close(before)


def with_name_server(folder, address):
    """What Popen's `preexec_fn` takes: the program sees a resolv.conf that names `address` alone."""
    file = pathlib.Path(folder) / "resolv.conf"
    file.write_text(f"nameserver {address}\n")

    def replace():
        checked(libc.unshare(CLONE_NEWNS))
        checked(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None))
        checked(libc.mount(str(file).encode(), b"/etc/resolv.conf", None, MS_BIND, None))

    return replace
