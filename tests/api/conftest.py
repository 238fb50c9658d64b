"""Starts `dispatcher serve` for the tests of the Triggers API: one service a file, on a new store."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "process"))

from api_client import Service  # noqa: E402: these need what is found on the path above
from webhook_receiver import WebhookReceiver  # noqa: E402

# Webhooks may go to this machine, and are tried again at once.
DELIVERING = {"ALLOW_TARGETS": "http://127.0.0.0/8", "RETRY_BASE_SECONDS": "0.01"}


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """Starts a service of the test's own, and ends it with the file's tests."""
    started = []

    def start_one(secrets=None, env=None):
        service = Service(tmp_path_factory.mktemp("service"), secrets, env)
        started.append(service)
        return service

    yield start_one
    for service in started:
        service.stop()
    # A crash between two tests, or what a sanitizer finds at the end, would go unseen otherwise.
    ends = [(service.process.returncode, service.log.read_text()[-4000:]) for service in started]
    assert [end for end in ends if end[0] != 0] == []


@pytest.fixture(scope="module")
def service(start):
    return start()


@pytest.fixture(scope="module")
def delivering(start):
    """A service that may deliver to this machine."""
    return start(env=DELIVERING)


@pytest.fixture
def receive():
    """Starts a receiver, and ends it with the test."""
    started = []

    def start_one(**options):
        started.append(WebhookReceiver(**options))
        return started[-1]

    yield start_one
    for receiver in started:
        receiver.stop()


@pytest.fixture
def api(service):
    """A client with a token."""
    client = service.client()
    yield client
    client.close()


@pytest.fixture
def anonymous(service):
    client = service.anonymous()
    yield client
    client.close()
