"""Promise: what is not JSON is told as Python's json module tells it: its message, and the place in
characters. The judge is the json module itself."""

import json
import random

from api_client import assert_faults, compact, fault

BY_HAND = [
    "{", "}", "[", "]", "{]", "[}", ",", ":", '"', "'", "x", "{'a':1}", "{a:1}", '{"a"}', '{"a" 1}',
    '{"a":}', '{"a":1', '{"a":1,', '{"a":1,}', '{"a":1 "b":2}', '{"a":1,,}', "[1", "[1,", "[1,]",
    "[1 2]", "[,1]", "01", "-", "-a", "+1", ".5", "1.", "1.e3", "1e", "1e+", "0x10", "1_0", "--1",
    "tru", "truex", "nulL", "False", "None", "undefined", "[tru]", "{} {}", "{}x", "1 2", '"a" "b"',
    '"abc', '"a\\', '"a\\"', '"\\x"', '"\\u"', '"\\u12"', '"\\u123', '"\\u123g"', '"\\u1234',
    '"\\ud83d\\u12"', '"\\ud83d\\uzzzz"', '"\\ud83d\\', '"a\nb"', '"a\tb"', '"\x00"', '"\x1f"',
    '{"a\n":1}', "  ", "\n\t [", "\ufeff", "\ufeff{", "{\ufeff}", '{"é":é}', '["😀", x]',
    '{"😀é":1 2}', '"é\\x"', '["é\n"]', "/* no */ 1", "[1] // no", "{\"a\":1}\x00", "\x0c1", "\xa01",
]


def expected_fault(text):
    """(message, offset), or None when Python takes it."""
    try:
        json.loads(text.encode("utf-8"))
    except json.JSONDecodeError as error:
        return error.msg, error.pos
    return None


def check(api, text):
    expected = expected_fault(text)
    answer = api.post("/events", text)
    if expected is None:
        if any(word in text for word in ("NaN", "Infinity")):
            return  # Python's own, not JSON
        assert answer.status in (201, 422), (text, answer)
        assert b"json_invalid" not in answer.body, text
        return
    message, offset = expected
    assert answer.status == 422, (text, answer)
    assert answer.text == compact({"detail": [
        fault("json_invalid", ["body", offset], "JSON decode error", {}, error=message)]}), text


def test_the_contracts_example(api):
    assert_faults(api.post("/events", "{"), fault(
        "json_invalid", ["body", 1], "JSON decode error", {},
        error="Expecting property name enclosed in double quotes"))


def test_faults_by_hand(api):
    for text in BY_HAND:
        check(api, text)


def test_texts_cut_anywhere(api):
    whole = '{"type":"a\\n\\u00e9é","source":"😀","payload":{"k":[1,-2.5e3,true,false,null,{}]}}'
    for end in range(1, len(whole)):
        check(api, whole[:end])


def test_texts_changed_at_random(api):
    seeds = ['{"type":"a","source":"b","payload":{"n":[1,2.5,-3e4,true,null]}}',
             '[{"a":{"b":["é","\\u00e9\\ud83d\\ude00\\n"]}}]', '  {"x" : "\\\\\\"\\/" , "y":0.1e+5}  ']
    characters = '{}[]",:\\u0123456789aeE+-.ntfx \n\t\x01é😀'
    dice = random.Random(20260101)
    for _ in range(3000):
        text = list(dice.choice(seeds))
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(len(text))
            action = dice.randrange(3)
            if action == 0:
                text[at] = dice.choice(characters)
            elif action == 1:
                text.insert(at, dice.choice(characters))
            elif len(text) > 1:
                del text[at]
        check(api, "".join(text))


def test_what_only_python_takes_is_refused(api):
    for text, offset in (("NaN", 0), ("[Infinity]", 1), ('{"type":-Infinity}', 8)):
        assert_faults(api.post("/events", text), fault(
            "json_invalid", ["body", offset], "JSON decode error", {}, error="Expecting value"))
