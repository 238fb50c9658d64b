"""Secrets Manager, CloudWatch and X-Ray's daemon as far as the function knows them."""

import json
import socket
import threading
import urllib.parse

import aws_signature
import harness
import loopback_server

# The credentials that the function is given, unless a test has others.
KEYS = {"aws_access_key_id": "id", "aws_secret_access_key": "key"}
TOKEN = "token"


class Aws:
    """Secrets Manager and CloudWatch at one endpoint, and X-Ray's daemon. Until `close`."""

    def __init__(self, keys=None, token=TOKEN):
        keys = keys or KEYS
        self.secret, self.secrets_read, self.published = {}, 0, []
        self.cloudwatch_status = 200
        self.may_read = threading.Event()  # until then who reads the secret waits
        self.may_read.set()
        aws = self

        class Handler(loopback_server.Handler):
            def do_POST(self):
                body = self.body().decode()
                service = "secretsmanager" if "X-Amz-Target" in self.headers else "monitoring"
                assert aws_signature.is_signed(self.headers, body.encode(), aws.url, service, keys, token)
                if self.headers.get("X-Amz-Target") == "secretsmanager.GetSecretValue":
                    aws.secrets_read += 1
                    aws.may_read.wait(harness.PATIENCE)
                    return self.answer(200, json.dumps({"SecretString": json.dumps(aws.secret)}))
                form = {name: values[0] for name, values in urllib.parse.parse_qs(body).items()}
                assert form["Action"] == "PutMetricData", body
                aws.published.append(form)
                return self.answer(aws.cloudwatch_status, "<PutMetricDataResponse/>")

        self.server = loopback_server.LoopbackServer(Handler)
        self.url = self.server.origin
        self.daemon = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.daemon.bind(("127.0.0.1", 0))
        self.daemon.settimeout(harness.PATIENCE)

    def subsegment(self):
        header, _, document = self.daemon.recv(65536).decode().partition("\n")
        assert json.loads(header) == {"format": "json", "version": 1}
        return json.loads(document)

    def close(self):
        self.may_read.set()
        self.server.close()
        self.daemon.close()
