"""Items that are no events, as people and other programs may have put them into the table, do no harm: none of them is
sent, each is named in the log, and they keep nobody else from being delivered."""

import time

import pytest

ODD = {
    "no-payload": {"payload": None},
    "an-id-that-is-no-uuid": {"id": {"S": "order-17"}},
    "a-time-that-is-none": {"created_at": {"S": "yesterday"}},
    "a-time-that-sorts-before-all": {"created_at": {"S": "!"}},
}


def put_odd(world, attributes, count=1):
    """The items' ids."""
    items = []
    for number in range(count):
        item = world.table.item({"n": number})
        item.update({name: value for name, value in attributes.items() if value is not None})
        for name in [name for name, value in attributes.items() if value is None]:
            del item[name]
        if "id" in attributes:
            item["id"] = {"S": f"{item['id']['S']}-{number}"}
        world.table.keys[item["id"]["S"]] = {"id": item["id"], "created_at": item["created_at"]}
        items.append(item)
    world.table.put(items)
    return [item["id"]["S"] for item in items]


@pytest.mark.parametrize("odd", ODD)
def test_an_item_that_is_no_event_is_named_and_passed_by(world, odd):
    receiver = world.receiver()
    world.api(receiver)
    named, = put_odd(world, ODD[odd])
    runtime, function = world.function()
    for _ in range(2):
        event = world.table.add()
        assert runtime.invoke().result()["acknowledged_count"] == 1
        assert receiver.ids()[-1] == event
    item = world.table.get(named)
    assert item["status"] == "pending" and item.get("lease_until", 0) <= time.time() * 1000
    assert named in function.stderr()
    assert len(receiver.requests) == 2


@pytest.mark.parametrize("odd", ODD)
def test_many_of_them_keep_nobody_from_being_delivered(world, odd):
    receiver, _, runtime = world.started()
    put_odd(world, ODD[odd], 150)
    ids = world.table.add_many([{}] * 30)
    put_odd(world, ODD[odd], 150)
    ids += world.table.add_many([{}] * 30)
    runs = 0
    while world.table.ids("delivered") != sorted(ids):
        runtime.invoke().result()
        runs += 1
        assert runs <= 10, "they starve the others"
    assert sorted(receiver.ids()) == sorted(ids)


def test_attributes_of_another_kind_than_ours_do_no_harm(world):
    receiver, _, runtime = world.started()
    for name, value in {"lease_until": "soon", "deliveries": "none", "delivery_attempts": "many", "ttl": "never",
                        "error_message": 5, "payload_raw": 7}.items():
        world.table.add({}, **{name: value})
    event = world.table.add()
    assert runtime.invoke().kind == "response"
    assert event in receiver.ids()


def test_one_that_a_person_released_and_that_cannot_be_sent_all_the_same_is_in_review_again(world):
    receiver = world.receiver()
    world.api(receiver)
    named, = put_odd(world, {"payload": None})
    runtime, _ = world.function()
    for attempts in (1, 2):
        runtime.invoke({"release": {"reason": "rejected"}}).result()
        delivery, = world.table.get(named)["deliveries"].values()
        assert (delivery["state"], delivery["reason"], int(delivery["attempts"])) == ("review", "rejected", attempts)
        assert "lease_token" not in world.table.get(named)
    assert receiver.requests == []
