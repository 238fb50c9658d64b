"""A run beside the table delivers and acknowledges each pending event once, oldest first, however many there are, and
at the price of one write to the table and one call of the API for each; where the API has leases, the table
is left alone."""

import pytest


def numbered(count):
    return [{"n": n} for n in range(count)]


@pytest.mark.parametrize("count", [1, 100, 500])
def test_an_event_costs_one_write_and_one_acknowledgement_and_a_run_three_calls(world, count):
    receiver, api, runtime = world.started(MAX_EVENTS_PER_RUN="500")
    ids = world.table.add_many(numbered(count))
    result = runtime.invoke().result()
    assert result["total_events"] == result["successful_deliveries"] == result["acknowledged_count"] == count
    assert result["failed_deliveries"] == result["total_retries"] == 0
    assert sorted(receiver.ids()) == sorted(ids) == world.table.ids("delivered")
    assert world.proxy.count("UpdateItem") == api.acks() == count
    assert len(world.proxy.calls) + len(api.requests) - 2 * count <= 3


def test_a_warm_process_needs_no_other_token_and_no_more_calls(world):
    receiver, api, runtime = world.started()
    for _ in range(3):
        world.proxy.forget()
        api.requests.clear()
        world.table.add_many(numbered(10))
        assert runtime.invoke().result()["acknowledged_count"] == 10
        assert world.proxy.count("UpdateItem") == api.acks() == 10
        assert len(world.proxy.calls) + len(api.requests) - 20 <= 3
    assert api.tokens_given == 1
    assert len(receiver.ids()) == len(set(receiver.ids())) == 30


def test_an_empty_inbox_costs_the_table_nothing(world):
    _, api, runtime = world.started()
    assert runtime.invoke().result()["total_events"] == 0
    assert world.proxy.calls == []
    assert api.count("GET", "/inbox") == 1


def test_a_run_is_filled_beyond_the_hundred_that_the_api_shows(world):
    receiver, _, runtime = world.started(MAX_EVENTS_PER_RUN="250")
    ids = world.table.add_many(numbered(250))
    assert runtime.invoke().result()["acknowledged_count"] == 250
    assert sorted(receiver.ids()) == sorted(ids)


def test_a_run_takes_the_oldest(world):
    receiver, _, runtime = world.started(MAX_EVENTS_PER_RUN="40")
    ids = world.table.add_many(numbered(150))
    for begin in (0, 40, 80):
        assert runtime.invoke().result()["acknowledged_count"] == 40
        assert sorted(receiver.ids()[begin:]) == sorted(ids[begin:begin + 40])
    assert runtime.invoke({"max_events": 5}).result()["acknowledged_count"] == 5
    assert world.table.ids("pending") == sorted(ids[125:])


def test_a_dry_run_lists_what_is_due_and_changes_nothing(world):
    receiver, _, runtime = world.started()
    ids = world.table.add_many([{"text": "of the payload"}] * 3)
    before = world.table.items()
    invocation = runtime.invoke({"dry_run": True})
    assert sorted(event["id"] for event in invocation.result()["events"]) == sorted(ids)
    assert "of the payload" not in invocation.body
    assert world.proxy.count("UpdateItem") == 0 and receiver.requests == []
    assert world.table.items() == before


def test_the_table_is_left_alone_where_the_api_has_leases(world):
    receiver = world.receiver()
    client = world.service(receiver.url).client()
    runtime, _ = world.function()
    ids = client.post_batch([{"type": "t", "source": "s", "payload": {"n": n}} for n in range(10)])
    world.table.add()
    assert runtime.invoke().result()["acknowledged_count"] == 10
    assert runtime.invoke().result()["total_events"] == 0
    assert sorted(receiver.ids()) == sorted(ids)
    assert world.proxy.calls == []
