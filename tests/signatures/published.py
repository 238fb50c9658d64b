"""What others make of our signatures: the npm libraries `standardwebhooks` and `svix`, and openssl.

A secret is one as people write it: `whsec_` and base64, or anything else, which is the key itself.
"""

import base64
import hashlib
import json
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
LIBRARIES = ("standardwebhooks", "svix")
PREFIX = "whsec_"
# In both forms.
SECRETS = {
    "base64": PREFIX + base64.b64encode(bytes(range(24)) + b"\xff\x00 key").decode(),
    "raw": "a secret of our own: é",
}


def install():
    """What package-lock.json names, from the npm registry, unless it is there from last time."""
    wanted = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    stamp = HERE / "node_modules/.lock-digest"
    if not stamp.exists() or stamp.read_text() != wanted:
        done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=HERE,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            raise RuntimeError(f"npm ci failed (it needs the npm registry, once):\n{done.stderr[-2000:]}")
        stamp.write_text(wanted)


def key_of(secret):
    return base64.b64decode(secret[len(PREFIX):]) if secret.startswith(PREFIX) else secret.encode()


def ask(jobs):
    done = subprocess.run(["node", HERE / "webhooks.mjs"], input=json.dumps(jobs), capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def job(action, library, secret, body, **more):
    shown = ({"secret": secret} if secret.startswith(PREFIX) else
             {"key": base64.b64encode(key_of(secret)).decode()})
    return {"action": action, "library": library, "body": base64.b64encode(body).decode(), **shown, **more}


def signatures(secret, id, timestamp, body):
    """`webhook-signature` of each of the libraries."""
    return ask([job("sign", library, secret, body, id=id, timestamp=timestamp) for library in LIBRARIES])


def faults(records, secret):
    """For each recorded request: why a library does not take its Standard Webhooks headers; empty
    strings when both do."""
    said = iter(ask([job("verify", library, secret, record["body"].encode(), headers=record["headers"])
                     for record in records for library in LIBRARIES]))
    return ["; ".join(filter(None, (next(said) for _ in LIBRARIES))) for _ in records]


def hmac_by_openssl(secret, data):
    """HMAC-SHA256, its bytes."""
    key = key_of(secret)
    named = (["-hmac", secret] if key == secret.encode() else
             ["-mac", "HMAC", "-macopt", f"hexkey:{key.hex()}"])
    done = subprocess.run(["openssl", "dgst", "-sha256", *named, "-binary"], input=data,
                          capture_output=True, check=True)
    return done.stdout


def standard_by_openssl(secret, record):
    """One entry of `webhook-signature`."""
    signed = f"{record['headers']['webhook-id']}.{record['headers']['webhook-timestamp']}.{record['body']}"
    return "v1," + base64.b64encode(hmac_by_openssl(secret, signed.encode())).decode()


def expect_signed(records, *secrets):
    """Every request has a Standard Webhooks signature by each of the secrets and by no other one, as
    the libraries and openssl see it. With several secrets: an endpoint whose secret is being rotated."""
    assert records
    for secret in secrets:
        assert faults(records, secret) == [""] * len(records)
    for record in records:
        expected = [standard_by_openssl(secret, record) for secret in secrets]
        assert sorted(record["headers"]["webhook-signature"].split(" ")) == sorted(expected)


def expect_body_signed(records, secret):
    """Every request has the `X-Webhook-Signature` that openssl makes of its body."""
    for record in records:
        mac = hmac_by_openssl(secret, record["body"].encode()).hex()
        assert record["headers"]["x-webhook-signature"] == mac
