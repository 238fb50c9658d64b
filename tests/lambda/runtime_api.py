"""AWS Lambda as a function's process sees it: the Runtime API, on a free port of 127.0.0.1."""

import dataclasses
import json
import queue
import threading
import time
import uuid

import harness
import loopback_server

RUNTIME = "/2018-06-01/runtime/"
JSON = {"Content-Type": "application/json"}
FUNCTION_ARN = "arn:aws:lambda:us-east-2:123456789012:function:dispatcher"


@dataclasses.dataclass
class Invocation:
    payload: str
    deadline: float  # seconds since the epoch
    request_id: str = dataclasses.field(default_factory=lambda: str(uuid.uuid4()))
    ended: threading.Event = dataclasses.field(default_factory=threading.Event)
    kind: str = ""  # "response" or "error"
    body: str = ""
    error_type: str = ""  # of the header
    seconds_left: float = 0  # until the deadline, when it ended

    def wait(self):
        assert self.ended.wait(harness.PATIENCE), "the invocation was not answered"
        return self

    def result(self):
        """The body of a `{"statusCode":200,"body":"…"}`."""
        self.wait()
        assert self.kind == "response", self.body
        answer = json.loads(self.body)
        assert list(answer) == ["statusCode", "body"] and answer["statusCode"] == 200
        return json.loads(answer["body"])

    def error(self):
        """The error told, as an object."""
        self.wait()
        assert self.kind == "error", self.body
        error = json.loads(self.body)
        assert error["errorType"] == self.error_type
        return error


class RuntimeApi:
    """Serves until `close`. One process asks it at a time, as in Lambda."""

    def __init__(self):
        self.waiting = queue.Queue()
        self.running = {}
        self.init_errors = []
        api = self

        class Handler(loopback_server.Handler):
            def do_GET(self):
                assert self.path == RUNTIME + "invocation/next", self.path
                invocation = api.waiting.get()
                if invocation is None:  # the end: the connection is closed without an answer
                    self.close_without_answer()
                    return
                api.running[invocation.request_id] = invocation
                self.answer(200, invocation.payload, {
                    **JSON,
                    "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                    "Lambda-Runtime-Deadline-Ms": str(int(invocation.deadline * 1000)),
                    "Lambda-Runtime-Trace-Id":
                        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
                    "Lambda-Runtime-Invoked-Function-Arn": FUNCTION_ARN,
                })

            def do_POST(self):
                body = self.body().decode()
                step = self.path.removeprefix(RUNTIME).split("/")
                if step == ["init", "error"]:
                    api.init_errors.append(json.loads(body))
                else:
                    api.end(step[1], step[2], body, self.headers)
                self.answer(202, '{"status":"OK"}', JSON)

        self.server = loopback_server.LoopbackServer(Handler)
        self.address = self.server.address

    def end(self, request_id, kind, body, headers):
        invocation = self.running.pop(request_id)
        invocation.kind, invocation.body = kind, body
        invocation.error_type = headers.get("Lambda-Runtime-Function-Error-Type", "")
        invocation.seconds_left = invocation.deadline - time.time()
        invocation.ended.set()

    def start(self, payload="{}", seconds=300.0):
        """Invokes the function; it has so many seconds."""
        text = payload if isinstance(payload, str) else json.dumps(payload)
        invocation = Invocation(text, time.time() + seconds)
        self.waiting.put(invocation)
        return invocation

    def invoke(self, payload="{}", seconds=300.0):
        """The same, until it has ended."""
        return self.start(payload, seconds).wait()

    def close(self):
        self.waiting.put(None)
        self.server.close()
