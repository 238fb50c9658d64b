"""`dispatcher run` uses the table as the function does: beside it, and beside other runs of itself."""

import json

import harness


def run(world, *arguments):
    done = harness.run_command("run", "--json", *arguments, cwd=world.folder,
                               env=harness.clean_environment(**world.settings))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def without_metrics(world):
    """Those are the function's alone."""
    world.settings.pop("CLOUDWATCH_METRICS")


def test_a_run_by_hand_shares_the_table_with_the_function(world):
    receiver, api, runtime = world.started(lambda payload: 404 if payload["n"] == 0 else 200)
    without_metrics(world)
    ids = world.table.add_many([{"n": n} for n in range(3)])
    held = world.table.add({"n": 3}, lease_token="another's", lease_until=9_999_999_999_999)
    result = run(world)
    assert (result["total_events"], result["acknowledged_count"], result["failed_deliveries"]) == (3, 2, 1)
    assert sorted(receiver.ids()) == sorted(ids[1:])
    # What it has rejected, the function does not send again, nor does another run by hand.
    world.proxy.forget()
    assert runtime.invoke().result()["total_events"] == run(world)["total_events"] == 0
    assert world.proxy.count("UpdateItem") == 0
    assert held not in receiver.ids()


def test_a_table_that_is_not_there_is_named(world):
    world.started()
    without_metrics(world)
    world.table.add({"n": 1})
    world.settings["DYNAMODB_TABLE_NAME"] = "no-such-table"
    done = harness.run_command("run", cwd=world.folder, env=harness.clean_environment(**world.settings))
    assert done.returncode == 1
    assert "DYNAMODB_TABLE_NAME" in done.stderr and "no-such-table" in done.stderr
