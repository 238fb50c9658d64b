"""What every test of the Lambda function starts with."""

import contextlib
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "process"))

import function_world  # noqa: E402: it needs what is found on the path above


@pytest.fixture
def world(tmp_path):
    with contextlib.ExitStack() as stack:
        yield function_world.World(tmp_path, stack)
