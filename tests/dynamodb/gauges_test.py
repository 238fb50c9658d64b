"""With CLOUDWATCH_METRICS=all a run publishes what it has seen of the table: how many events are in review, how old the
oldest is that is still to be delivered, and what the table's expiry took."""

import time

import pytest

import dynamodb_local
import fake_aws
import table_world


@pytest.fixture
def published(world):
    """What the last run published: name → value."""
    aws = fake_aws.Aws(dynamodb_local.KEYS, table_world.TOKEN)
    world.stack.callback(aws.close)
    world.settings.update({"CLOUDWATCH_METRICS": "all", "AWS_ENDPOINT_URL_CLOUDWATCH": aws.url})

    def last():
        form = aws.published[-1]
        return {form[name]: float(form.get(name.replace(".MetricName", ".Value"), 0))
                for name in form if name.endswith(".MetricName")}

    return last


def test_what_is_in_review_is_counted_by_events(world, published):
    rejects = [world.receiver(lambda payload: 404 if payload["poison"] else 200) for _ in range(2)]
    world.api(*rejects)
    runtime, _ = world.function()
    world.table.add_many([{"poison": True}] * 7)
    world.table.add_many([{"poison": False}] * 3)
    runtime.invoke().result()
    for again in (runtime, world.function()[0]):
        again.invoke().result()
        assert published()["EventsInReview"] == 7


def test_the_oldest_that_is_still_to_be_delivered_is_an_hour_old(world, published):
    receiver, _, runtime = world.started(lambda payload: payload["answer"], MAX_RETRIES="0")
    world.table.add({"answer": 404}, created_at="2024-01-01T00:00:00.000000Z")
    world.table.add_many([{"answer": 503}] * 3)
    for _ in range(2):
        runtime.invoke().result()
    assert 3_600 <= published()["OldestPendingAge"] <= 3_600 + 1_800
    assert published()["EventsInReview"] == 1


def test_what_expires_is_counted_once(world, published):
    """A process that has just begun looks back five minutes."""
    receiver, _, runtime = world.started(lambda payload: 404)
    for ago in (3_600, 60, 30):
        world.table.add({}, ttl=int(time.time()) - ago)
    world.table.add()
    runtime.invoke().result()
    assert published()["EventsExpired"] == 2
    # They are there still, and were tried.
    assert len(receiver.requests) == 4
    runtime.invoke().result()
    assert published().get("EventsExpired", 0) == 0


def test_with_the_original_s_metrics_alone_none_of_these_is_published(world, published):
    _, _, runtime = world.started(CLOUDWATCH_METRICS="seed")
    world.table.add()
    runtime.invoke().result()
    assert not {"EventsInReview", "OldestPendingAge", "EventsExpired"} & set(published())
