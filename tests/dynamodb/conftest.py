"""What every test of the function beside the events table starts with: DynamoDB Local, a table in it, the original's
API over that table, and the only way that the function has there."""

import contextlib
import pathlib
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "process"), str(TESTS / "lambda")]

import dynamodb_local  # noqa: E402: these need what is found on the path above
import harness  # noqa: E402
from table_world import TableWorld  # noqa: E402


@pytest.fixture(scope="session")
def dynamodb(tmp_path_factory):
    jars = dynamodb_local.install()
    try:
        dynamodb_local.enter_own_network()
    except OSError as why:
        pytest.skip(f"no network namespace can be made here ({why.strerror})")
    with harness.stopping(dynamodb_local.DynamoDbLocal(jars, tmp_path_factory.mktemp("dynamodb"))) as started:
        yield started


@pytest.fixture(scope="session")
def client(dynamodb):
    return dynamodb.client()


@pytest.fixture
def world(request, tmp_path, dynamodb, client):
    """With a table as the module's TABLE says, in addition to what every table has."""
    with contextlib.ExitStack() as stack:
        made = TableWorld(tmp_path, stack, dynamodb, client, getattr(request.module, "TABLE", {}))
        yield made
    assert made.proxy.violations == []
