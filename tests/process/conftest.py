"""What every process test starts with."""

import pytest

import harness


@pytest.fixture(scope="session", autouse=True)
def binary_exists():
    if not harness.BINARY.exists():
        pytest.fail(f"{harness.BINARY} does not exist: ./dev build makes it", pytrace=False)


@pytest.fixture
def starts(tmp_path):
    """Starts a Service or a Receiver in the test's folder, and ends all of them with the test."""
    with harness.starting(tmp_path) as start:
        yield start
