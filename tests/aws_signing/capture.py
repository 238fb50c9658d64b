"""A stand-in for AWS on loopback: remembers each request as it came, answers as a test says, and has
botocore, AWS's own client, recompute what the request's signature must be."""

import datetime

import botocore.auth
import botocore.awsrequest
import botocore.credentials

import loopback_server


class Captured:
    def __init__(self, method, path, headers, body):
        self.method, self.path, self.headers, self.body = method, path, headers, body

    def authorization(self):
        """(access key id, scope's day, region, service, signed header names, signature)"""
        scheme, _, rest = self.headers["Authorization"].partition(" ")
        assert scheme == "AWS4-HMAC-SHA256"
        parts = dict(part.split("=", 1) for part in rest.split(", "))
        key, day, region, service, end = parts["Credential"].split("/")
        assert end == "aws4_request"
        return key, day, region, service, parts["SignedHeaders"].split(";"), parts["Signature"]


def expected_authorization(captured, origin, secrets):
    """What botocore makes of the same request at the same time. `secrets`: key id → (secret, token)."""
    key, _, region, service, names, _ = captured.authorization()
    secret, token = secrets[key]
    # Only what was signed: botocore signs every header that it is given, but a few.
    kept = {name: value for name, value in captured.headers.items()
            if name.lower() in names and name.lower() not in ("host", "x-amz-date", "x-amz-security-token")}
    request = botocore.awsrequest.AWSRequest(method=captured.method, url=origin + captured.path,
                                             data=captured.body, headers=kept)
    signed_at = datetime.datetime.strptime(captured.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ")
    clock = type("Clock", (datetime.datetime,), {"utcnow": classmethod(lambda cls: signed_at)})
    before, botocore.auth.datetime.datetime = botocore.auth.datetime.datetime, clock
    try:
        credentials = botocore.credentials.Credentials(key, secret, token)
        botocore.auth.SigV4Auth(credentials, service, region).add_auth(request)
    finally:
        botocore.auth.datetime.datetime = before
    return request.headers["Authorization"]


class CapturingServer:
    """`answer(captured)` returns (status, headers, body); it may be exchanged at any time."""

    def __init__(self):
        self.captured = []
        self.answer = lambda captured: (200, {}, b"{}")
        outer = self

        class Handler(loopback_server.Handler):
            def do_POST(self):
                captured = Captured(self.command, self.path, self.headers, self.body())
                outer.captured.append(captured)
                status, headers, text = outer.answer(captured)
                self.send_response_only(status)
                self.finish_answer(text, headers)

            do_GET = do_POST

        self.server = loopback_server.LoopbackServer(Handler)
        self.origin = self.server.origin

    def close(self):
        self.server.close()
