"""The Lambda function beside an events table: what a run costs it, and how often it calls AWS and the API.

DynamoDB Local and the API in front of it are slower than a run; what they take is not measured."""

import contextlib
import sys

import measure

sys.path[:0] = [str(measure.ROOT / "tests" / name) for name in ("process", "lambda", "dynamodb")]

import dynamodb_local
import harness
import nginx
import table_world
from lambda_function import PACKAGED, peak_mb
from row import Row

RUNS = (1, 100, 500)


@contextlib.contextmanager
def beside_a_table(folder, dynamodb):
    """A world with the original's API over the table, and nginx as the receiver."""
    with contextlib.ExitStack() as stack:
        world = table_world.TableWorld(folder, stack, dynamodb, dynamodb.client(), {})
        receiver = stack.enter_context(harness.stopping(nginx.Nginx(folder, log=False)))
        world.settings.update(CA_FILE=receiver.ca_file, MAX_EVENTS_PER_RUN="500")
        api = world.api()
        world.write_secret(zapier_api_key=api.API_KEY, zapier_webhook_url=receiver.url())
        yield world, api


def run_of(world, api, events):
    """(CPU seconds, peak MB, calls of the API, calls of DynamoDB) of one cold run."""
    world.table.add_many([{"n": n} for n in range(events)])
    world.proxy.forget()
    api.requests.clear()
    runtime, process = world.function()
    result = runtime.invoke().result()
    assert result["acknowledged_count"] == events, result
    return (measure.cpu_seconds(process.pid), peak_mb(process.pid), len(api.requests), len(world.proxy.calls))


def table(folder, scale):
    if PACKAGED.exists():
        harness.BINARY = PACKAGED
    jars = dynamodb_local.install()
    dynamodb_local.enter_own_network()
    rows = []
    with harness.stopping(dynamodb_local.DynamoDbLocal(jars, folder)) as dynamodb:
        for events in RUNS:
            made = folder / str(events)
            made.mkdir()
            with beside_a_table(made, dynamodb) as (world, api):
                cpu, peak, calls, writes = run_of(world, api, events)
            # What a run calls besides: the token, the inbox, the index.
            is_met = calls <= events + 2 and writes <= events + 1
            rows.append(Row(
                f"a cold Lambda run of {events} beside the table",
                f"{cpu / events * 1000:.2f} ms CPU per event, {peak:.1f} MB, {calls} calls of the API, {writes} of "
                "DynamoDB",
                "1 of the API and ≤ 1 of DynamoDB for each, 3 more a run", is_met))
    return rows
