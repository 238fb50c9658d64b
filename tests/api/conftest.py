"""Starts `dispatcher serve` for the tests of the Triggers API: one service a file, on a new store."""

import pytest

from api_client import Service


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


@pytest.fixture(scope="module")
def service(start):
    return start()


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
