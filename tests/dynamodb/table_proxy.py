"""Stands between the function and DynamoDB Local: has botocore recompute each signature, allows what the original's
policy allows and nothing else, counts, and fails as a test says."""

import dataclasses
import email.utils
import http.client
import json
import threading
import time
import urllib.parse

import aws_signature
import loopback_server

ALLOWED = ("Query", "UpdateItem")
PASSED = ("X-Amz-Target", "Content-Type", "Authorization", "X-Amz-Date")


def refusal(code, message="refused by the test", status=400):
    text = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message})
    return status, {"Content-Type": "application/x-amz-json-1.0"}, text.encode()


# What a request may meet instead of DynamoDB: a function from its Call to an answer, or to None: none comes.

def throttled(call):
    return refusal("ProvisionedThroughputExceededException")


def broken(call):
    return refusal("InternalServerError", status=500)


def denied(call):
    return refusal("AccessDeniedException", f"User: test is not authorized to perform: dynamodb:{call.action}")


def done_without_answer(call):
    call.forward()
    return None


@dataclasses.dataclass
class Call:
    action: str
    body: dict
    forward: object = None  # does it, and returns DynamoDB's answer
    status: int = 0  # of the answer that was given, 0 where none was

    def event_id(self):
        return self.body["Key"]["id"]["S"]


@dataclasses.dataclass
class Fault:
    happens: object
    when: object  # Call → bool
    left: float  # how often


class TableProxy:
    """On a free port of 127.0.0.1 until `close`. `keys` are the only credentials that are accepted; they have a
    session token when `token` is one."""

    def __init__(self, target, keys, token):
        self.keys, self.token = keys, token
        self.lock = threading.Lock()
        self.calls = []  # in order of their answers
        self.violations = []
        self.faults = []
        self.queried_table = None  # where a Query goes, when not where it says
        self.clock_ahead = 0.0  # of the answers' Date, in seconds
        host = urllib.parse.urlsplit(target).netloc
        kept = threading.local()
        proxy = self

        class Handler(loopback_server.Handler):
            def do_POST(self):
                answer = proxy.answer(self.headers, self.body(), self.forward)
                if answer is None:
                    self.close_without_answer()
                    return
                status, headers, text = answer
                self.send_response_only(status)
                self.send_header("Date", email.utils.formatdate(time.time() + proxy.clock_ahead, usegmt=True))
                self.finish_answer(text, headers)

            def forward(self, body):
                if not hasattr(kept, "connection"):
                    kept.connection = http.client.HTTPConnection(host)
                kept.connection.request("POST", "/", body, {name: self.headers[name] for name in PASSED})
                answer = kept.connection.getresponse()
                return answer.status, {"Content-Type": answer.headers["Content-Type"],
                                       "x-amz-crc32": answer.headers["x-amz-crc32"]}, answer.read()

        self.server = loopback_server.LoopbackServer(Handler)
        self.url = self.server.origin

    def answer(self, headers, text, forward):
        call = Call(headers["X-Amz-Target"].removeprefix("DynamoDB_20120810."), json.loads(text))
        sent = text
        if call.action == "Query" and self.queried_table is not None:
            sent = json.dumps({**call.body, "TableName": self.queried_table}).encode()
        call.forward = lambda: forward(sent)
        happens = self.violation(call, headers, text) or self.fault(call)
        answer = happens(call) if happens else call.forward()
        call.status = 0 if answer is None else answer[0]
        with self.lock:
            self.calls.append(call)
        return answer

    def violation(self, call, headers, text):
        if call.action not in ALLOWED:
            wrong = f"the policy does not allow {call.action}"
        elif not aws_signature.is_signed(headers, text, self.url, "dynamodb", self.keys, self.token):
            wrong = f"a {call.action} is not signed as botocore signs it"
        else:
            return None
        with self.lock:
            self.violations.append(wrong)
        return denied

    def fault(self, call):
        with self.lock:
            for fault in self.faults:
                if fault.left > 0 and fault.when(call):
                    fault.left -= 1
                    return fault.happens
        return None

    def fail(self, happens, action=None, times=float("inf"), when=lambda call: True):
        """The next `times` calls of the action (any when None) that are so meet that."""
        with self.lock:
            self.faults.append(Fault(happens, lambda call: action in (None, call.action) and when(call), times))

    def mend(self):
        with self.lock:
            self.faults.clear()

    def made(self, action):
        with self.lock:
            return [call for call in self.calls if call.action == action]

    def count(self, action):
        return len(self.made(action))

    def forget(self):
        """Begins to count anew."""
        with self.lock:
            self.calls.clear()

    def close(self):
        self.server.close()
