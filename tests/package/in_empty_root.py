"""Runs the function in an otherwise empty root, within a network of its own, and prints what came of it.

usage (in a new network namespace): in_empty_root.py ROOT BUNDLE FOLDER

The API and the receiver have names that only the name server here knows; the receiver's certificate is
in BUNDLE, a file of the root, at the first run and is not at the second.
"""

import json
import pathlib
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import threading

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "process"), str(TESTS / "lambda")]

import harness  # noqa: E402: found on the path above
from picky_receiver import PickyReceiver  # noqa: E402
from plain_api import PlainApi  # noqa: E402
from runtime_api import RuntimeApi  # noqa: E402

NAMES = (b"api.example.test", b"hooks.example.test")
EVENTS = 3


def name_in(question):
    labels, at = [], 12
    while question[at]:
        labels.append(question[at + 1:at + 1 + question[at]])
        at += 1 + question[at]
    return b".".join(labels), at + 5  # the end of the question


def serve_names(server):
    """A records of 127.0.0.1 for our names; nothing for others (RFC 1035)."""
    while True:
        question, asker = server.recvfrom(512)
        name, end = name_in(question)
        is_ours = name.lower() in NAMES
        wants_a = question[end - 4:end - 2] == b"\0\1"
        answer = struct.pack(">HHHIH4s", 0xC00C, 1, 1, 60, 4, bytes([127, 0, 0, 1])) if is_ours and wants_a else b""
        flags = 0x8180 if is_ours else 0x8183
        header = question[:2] + struct.pack(">HHHHH", flags, 1, 1 if answer else 0, 0, 0)
        server.sendto(header + question[12:end] + answer, asker)


def make_certificate(folder):
    """(certificate, key) for the receiver's name."""
    paths = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-days", "2", "-subj", "/CN=hooks.example.test", "-addext", "subjectAltName=DNS:hooks.example.test",
         "-out", paths[0], "-keyout", paths[1]], check=True, capture_output=True)
    return paths


def run_once(root, folder, api, receiver, name):
    """(result body, log) of one invocation of a new process."""
    runtime = RuntimeApi()
    (root / "secret.json").write_text(json.dumps({
        "zapier_api_key": PlainApi.API_KEY,
        "zapier_webhook_url": f"https://hooks.example.test:{receiver.port}/hook"}))
    environment = {
        "AWS_LAMBDA_RUNTIME_API": runtime.address, "AWS_REGION": "us-east-2", "CLOUDWATCH_METRICS": "none",
        "API_BASE_URL": api.url.replace("127.0.0.1", "api.example.test"), "SECRETS_FILE": "/secret.json",
        "ALLOW_TARGETS": "https://127.0.0.0/8", "MAX_RETRIES": "0"}
    process = harness.Process([shutil.which("chroot"), root, "/bootstrap"], folder, name, env=environment)
    with harness.stopping(process):
        return runtime.invoke(seconds=60).result(), process.stderr()


def main():
    root, bundle, folder = pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    names.bind(("127.0.0.1", 53))
    threading.Thread(target=serve_names, args=(names,), daemon=True).start()
    (root / "etc").mkdir()
    (root / "etc/resolv.conf").write_text("nameserver 127.0.0.1\n")
    certificate, key = make_certificate(folder)
    trusted = root / bundle
    trusted.parent.mkdir(parents=True)
    trusted.write_bytes(certificate.read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    receiver, api = PickyReceiver(lambda payload: 200, context), PlainApi()
    for _ in range(EVENTS):
        api.add()
    result, _ = run_once(root, folder, api, receiver, "trusting")
    delivered = len(set(receiver.ids()))
    other = folder / "other"
    other.mkdir()
    trusted.write_bytes(make_certificate(other)[0].read_bytes())
    for _ in range(EVENTS):
        api.add()
    untrusted, log = run_once(root, folder, api, receiver, "untrusting")
    print(json.dumps({"result": result, "delivered": delivered, "untrusted": untrusted, "log": log}))


if __name__ == "__main__":
    main()
