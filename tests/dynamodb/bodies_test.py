"""What a receiver gets of an item: the event as it was when it was ingested, the same bytes at every attempt of every
run; the payload is the ingested text where the item has it, else the map, its keys in order and its numbers as
they are stored."""

import decimal
import json

import harness

RAW = ['{"b":1.10, "a" : 1e3,\t"big":12345678901234567890123456789012345678901234567890}',
       '{}',
       '{"text":"\\u00e9 é ☃ 😀 \\n \\/"}', '{"deep":' + "[" * 40 + "]" * 40 + "}",
       json.dumps({"long": "x" * 300_000})]
MAPS = [
    {},
    {"z": 1, "a": {"d": [], "c": {}}, "é": "☃ 😀", "Z": [True, False, None], "aa": ""},
    {"whole": 0, "less": -17, "large": decimal.Decimal("12345678901234567890123456789012345678"),
     "part": decimal.Decimal("0.1"), "tiny": decimal.Decimal("1E-120"), "huge": decimal.Decimal("9.87E+100")},
    {"text": "\" \\ / \b \f \n \r \t \x01 \x7f   </script>", "\"key\"\n": "k"},
    {"list": [1, "two", [3, [4, {"five": 5}]], {}]},
    {"long": "x" * 300_000},
]


def around(item, payload):
    """The whole body, around the payload's text."""
    created = item["created_at"]
    return (f'{{"id":"{item["id"]}","type":"t","source":"s","payload":{payload},"status":"pending",'
            f'"created_at":"{created}","updated_at":"{created}","delivery_attempts":0,'
            '"last_delivery_attempt":null,"delivery_latency_ms":null,"error_message":null}').encode()


def in_order(value):
    """JSON's values as `spelled` has them, of a typed value of DynamoDB's."""
    (kind, held), = value.items()
    if kind == "M":
        return [(name, in_order(held[name])) for name in sorted(held)]
    if kind == "L":
        return tuple(in_order(one) for one in held)
    return ("number", held) if kind == "N" else None if kind == "NULL" else held


def spelled(value):
    """Objects as lists of pairs, arrays as tuples, numbers with their spelling."""
    if isinstance(value, list) and not isinstance(value, Pairs):
        return tuple(spelled(one) for one in value)
    return [(name, spelled(one)) for name, one in value] if isinstance(value, Pairs) else value


class Pairs(list):
    pass


def read(text):
    def number(digits):
        return "number", digits
    return spelled(json.loads(text, object_pairs_hook=Pairs, parse_int=number, parse_float=number))


def by_id(receiver):
    return {json.loads(body)["id"]: body for body in receiver.bodies}


def test_an_ingested_text_is_sent_byte_for_byte(world):
    receiver, _, runtime = world.started()
    ids = [world.table.add({"not": "this"}, payload_raw=text) for text in RAW]
    # What a map cannot hold is kept as a text alone.
    item = world.table.item(payload_raw=RAW[0])
    del item["payload"]
    world.table.put([item])
    ids.append(item["id"]["S"])
    assert runtime.invoke().result()["acknowledged_count"] == len(ids)
    bodies = by_id(receiver)
    for event_id in ids:
        item = world.table.get(event_id)
        assert bodies[event_id] == around(item, item["payload_raw"])


def test_a_map_is_sent_with_its_keys_in_order_and_its_numbers_as_stored(world):
    receiver, _, runtime = world.started()
    ids = world.table.add_many(MAPS)
    assert runtime.invoke().result()["acknowledged_count"] == len(ids)
    bodies = by_id(receiver)
    for event_id in ids:
        stored = world.table.typed_item(event_id)["payload"]
        body = bodies[event_id]
        payload = body[body.index(b'"payload":') + len('"payload":'):body.index(b',"status":"pending","created_at"')]
        assert read(payload.decode()) == in_order(stored)
        assert body == around(world.table.get(event_id), payload.decode())


def test_a_text_that_is_no_object_is_no_payload_and_the_map_is_sent(world):
    receiver, _, runtime = world.started()
    ids = [world.table.add({"from": "the map"}, payload_raw=text) for text in ("", "{broken", "[]", "17", "{} {}")]
    assert runtime.invoke().result()["acknowledged_count"] == len(ids)
    for event_id, body in by_id(receiver).items():
        assert body == around(world.table.get(event_id), '{"from":"the map"}')


def test_type_and_source_may_be_any_text(world):
    receiver, _, runtime = world.started()
    odd = 'a "b" \\ é ☃\n'
    event = world.table.add({}, type=odd, source="")
    assert runtime.invoke().result()["acknowledged_count"] == 1
    sent = json.loads(by_id(receiver)[event])
    assert (sent["type"], sent["source"]) == (odd, "")


def test_every_attempt_of_every_run_sends_the_same_bytes(world):
    failing = {"is": True}
    receiver, _, runtime = world.started(lambda payload: 503 if failing["is"] else 200, MAX_RETRIES="1")
    ids = world.table.add_many(MAPS[:-1]) + [world.table.add({"n": 1}, payload_raw=RAW[0])]
    endpoint = harness.secret_endpoint_id(receiver.url)
    assert runtime.invoke().result()["acknowledged_count"] == 0
    failing["is"] = False
    for event_id in ids:
        world.table.make_due(event_id, endpoint)
    runtime, _ = world.function()  # nothing of it is in a process's memory
    assert runtime.invoke().result()["acknowledged_count"] == len(ids)
    assert len(receiver.bodies) == 3 * len(ids)
    for event_id in ids:
        assert len({body for body in receiver.bodies if json.loads(body)["id"] == event_id}) == 1
