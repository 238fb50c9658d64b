"""Promise: an export is everything that was asked for, whole and unchanged, in JSON and in CSV."""

import csv
import io
import json
import re

import pytest

from api_client import INBOX_FIELDS

TYPES = ["plain", 'with "quotes"', "with, comma", "line\nend", "é😀", "", " spaces ", "\r"]
PAYLOADS = ["{}", '{"a": 1.0}', '{"s":"x,\\"y\\"\\n"}', '{\n "b":2,\r\n"a":1e3}']


@pytest.fixture(scope="module")
def exported(start):
    client = start().client()
    expected = []
    for type in TYPES:
        for payload in PAYLOADS:
            expected.append((client.post_event(type=type, source="s", payload=payload), type, payload))
    client.post(f"/inbox/{expected[0][0]}/ack")
    return client, expected[::-1]


def test_json_is_the_default(exported):
    client, expected = exported
    answer = client.get("/events/export")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-total-events"] == str(len(expected))
    assert re.fullmatch(r"attachment; filename=events_export_\d{8}_\d{6}\.json",
                        answer.headers["content-disposition"])
    assert [(event["id"], event["type"]) for event in answer.json] == [row[:2] for row in expected]
    assert list(answer.json[0]) == INBOX_FIELDS
    for _, _, payload in expected:
        assert f'"payload":{payload},'.encode() in answer.body
    assert answer.json[-1]["status"] == "delivered"


def test_csv_is_as_python_writes_it(exported):
    client, expected = exported
    answer = client.get("/events/export?format=csv")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/csv")
    assert re.fullmatch(r"attachment; filename=events_export_\d{8}_\d{6}\.csv",
                        answer.headers["content-disposition"])
    assert answer.headers["x-total-events"] == str(len(expected))
    text = answer.text
    assert text.startswith("id,type,source,status,created_at,updated_at,payload\r\n")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert [(row[0], row[1], row[6]) for row in rows[1:]] == expected
    again = io.StringIO(newline="")
    csv.writer(again).writerows(rows)
    assert again.getvalue() == text


@pytest.mark.parametrize("query, count", [
    ("event_type=plain", 4), ("event_type=", 32), ("event_type=none", 0),
    ("start_date=2020-01-01", 32), ("start_date=2020-01-01T00:00:00Z&end_date=2021-01-01", 0),
    ("start_date=&end_date=", 32), ("end_date=2020-01-01T00:00:00%2B02:00", 0),
    ("event_type=with%2C+comma&start_date=2020-01-01", 4),
])
def test_filters(exported, query, count):
    client, _ = exported
    answer = client.get(f"/events/export?{query}")
    assert answer.headers["x-total-events"] == str(count)
    assert len(answer.json) == count
    as_csv = client.get(f"/events/export?format=csv&{query}")
    assert len(list(csv.reader(io.StringIO(as_csv.text, newline="")))) == count + 1


def test_nothing_to_export(exported):
    client, _ = exported
    assert client.get("/events/export?event_type=none").text == "[]"
    assert client.get("/events/export?event_type=none&format=csv").text == \
        "id,type,source,status,created_at,updated_at,payload\r\n"


@pytest.mark.parametrize("query, detail", [
    ("format=xml", "Invalid format. Supported formats: json, csv"),
    ("format=", "Invalid format. Supported formats: json, csv"),
    ("format=JSON", "Invalid format. Supported formats: json, csv"),
    ("start_date=x",
     "Invalid start_date format. Use ISO 8601 format (e.g., 2024-01-01T00:00:00Z)"),
    ("start_date=2024-02-30",
     "Invalid start_date format. Use ISO 8601 format (e.g., 2024-01-01T00:00:00Z)"),
    ("end_date=tomorrow",
     "Invalid end_date format. Use ISO 8601 format (e.g., 2024-12-31T23:59:59Z)"),
    ("end_date=x&start_date=y",
     "Invalid start_date format. Use ISO 8601 format (e.g., 2024-01-01T00:00:00Z)"),
    ("end_date=x&format=xml", "Invalid format. Supported formats: json, csv"),
])
def test_what_is_wrong(exported, query, detail):
    answer = exported[0].get(f"/events/export?{query}")
    assert answer.status == 400
    assert answer.text == json.dumps({"detail": detail}, separators=(",", ":"))


def test_many_events_come_whole(start):
    client = start().client()
    ids = []
    for batch in range(20):
        events = [{"type": "many", "source": "s", "payload": {"n": batch * 1000 + n}}
                  for n in range(1000)]
        ids += [item["id"] for item in client.post("/events/batch", events).json["items"]]
    answer = client.get("/events/export")
    assert answer.headers["x-total-events"] == "20000"
    assert [event["id"] for event in answer.json] == ids[::-1]
    rows = list(csv.reader(io.StringIO(client.get("/events/export?format=csv").text, newline="")))
    assert [row[0] for row in rows[1:]] == ids[::-1]
