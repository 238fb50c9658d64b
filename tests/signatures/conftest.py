"""What the signature tests start with: processes that end with the test, and the npm libraries."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "process"))

import harness  # noqa: E402
import published  # noqa: E402


@pytest.fixture(scope="session")
def libraries():
    published.install()


@pytest.fixture
def starts(tmp_path):
    """Starts a Service or a Receiver in the test's folder, and ends all of them with the test."""
    with harness.starting(tmp_path) as start:
        yield start
