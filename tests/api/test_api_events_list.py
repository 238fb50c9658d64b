"""Promise: events are found by what is known of them, page by page, none twice and none missed."""

import pytest

from api_client import INBOX_FIELDS, NO_SUCH_ID, assert_faults, fault


@pytest.fixture(scope="module")
def listed(start):
    """A client, and the ids of ten events in order; the odd ones are of another type, and the first two
    are delivered."""
    client = start().client()
    ids = [client.post_event(type="odd" if n % 2 else "even", source=f"s{n}") for n in range(10)]
    client.post("/inbox/ack", {"ids": ids[:2]})
    return client, ids


def ids_of(answer):
    assert answer.status == 200, answer
    assert list(answer.json) == ["items", "next_cursor"]
    return [item["id"] for item in answer.json["items"]]


def all_ids(client, query):
    """Page by page, however long each is."""
    ids, cursor = [], None
    for _ in range(100):
        answer = client.get(f"/events?{query}" + (f"&cursor={cursor}" if cursor else ""))
        ids += ids_of(answer)
        cursor = answer.json["next_cursor"]
        if cursor is None:
            return ids
    raise AssertionError("the list does not end")


def test_newest_first(listed):
    client, ids = listed
    answer = client.get("/events")
    assert ids_of(answer) == ids[::-1]
    assert answer.json["next_cursor"] is None
    assert list(answer.json["items"][0]) == INBOX_FIELDS


@pytest.mark.parametrize("limit", [1, 3, 10, 1000])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages(listed, limit, order):
    client, ids = listed
    expected = ids if order == "asc" else ids[::-1]
    assert all_ids(client, f"limit={limit}&order={order}") == expected


@pytest.mark.parametrize("query, wanted", [
    ("status=pending", range(2, 10)),
    ("status=delivered", [0, 1]),
    ("status=failed", []),
    ("type=odd", [1, 3, 5, 7, 9]),
    ("type=even&source=s4", [4]),
    ("source=s4&status=delivered", []),
    ("type=none", []),
    ("from=2020-01-01", range(10)),
    ("to=2020-01-01T00:00:00Z", []),
    ("endpoint_id=ep_unknown", []),
    ("state=review", []),
    ("state=review&reason=rejected", []),
])
def test_filters(listed, query, wanted):
    client, ids = listed
    assert all_ids(client, query + "&order=asc&limit=2") == [ids[n] for n in wanted]


def test_a_time_narrows_to_the_microsecond(listed):
    client, ids = listed
    created = client.get(f"/events/{ids[4]}").json["created_at"]
    assert ids[4] in all_ids(client, f"from={created}&to={created}")
    assert ids[9] not in all_ids(client, f"to={created}") or created == \
        client.get(f"/events/{ids[9]}").json["created_at"]


@pytest.mark.parametrize("name, value, words", [
    ("status", "done", "'pending', 'delivered' or 'failed'"),
    ("status", "", "'pending', 'delivered' or 'failed'"),
    ("state", "x", "'waiting', 'in_flight', 'delivered', 'review' or 'discarded'"),
    ("reason", "x", "'rejected', 'redirected', 'blocked' or 'exhausted'"),
    ("order", "up", "'desc' or 'asc'"),
])
def test_words_that_are_none(listed, name, value, words):
    assert_faults(listed[0].get(f"/events?{name}={value}"),
                  fault("literal_error", ["query", name], f"Input should be {words}", value,
                        expected=words))


@pytest.mark.parametrize("name", ["from", "to"])
@pytest.mark.parametrize("value", ["x", "", "2024-13-01", "1700000000"])
def test_times_that_are_none(listed, name, value):
    assert_faults(listed[0].get(f"/events?{name}={value}"),
                  fault("datetime_from_date_parsing", ["query", name],
                        "Input should be a valid datetime or date, invalid datetime", value,
                        error="invalid datetime"))


def test_a_cursor_that_is_none(listed):
    client, _ = listed
    cursor = client.get("/events?limit=1&order=asc").json["next_cursor"]
    for query in ("cursor=x", "cursor=" + "A" * 5000, f"cursor={cursor}", f"cursor={cursor}!&order=asc"):
        answer = client.get(f"/events?{query}")
        assert answer.status == 422, query
        assert answer.json["detail"][0]["loc"] == ["query", "cursor"]


def test_one_event_has_its_deliveries(listed):
    client, ids = listed
    answer = client.get(f"/events/{ids[3]}")
    assert answer.status == 200
    assert list(answer.json) == INBOX_FIELDS + ["deliveries"]
    assert isinstance(answer.json["deliveries"], list)


def test_attempts_are_a_list(listed):
    client, ids = listed
    answer = client.get(f"/events/{ids[3]}/attempts")
    assert (answer.status, answer.text) == (200, '{"items":[]}')


def test_an_unknown_event(listed):
    client, _ = listed
    for path in (f"/events/{NO_SUCH_ID}", f"/events/{NO_SUCH_ID}/attempts"):
        answer = client.get(path)
        assert (answer.status, answer.detail) == (404, f"Event with ID {NO_SUCH_ID} not found")
    assert client.get("/events/batch").detail == "Event with ID batch not found"


def test_a_page_ends_by_its_bytes_too(start):
    client = start().client()
    payload = '{"x":"' + "x" * 700_000 + '"}'
    ids = [client.post_event(payload=payload) for _ in range(12)]
    first = client.get("/events?limit=1000&order=asc")
    assert len(first.body) < 6 * 1024 * 1024
    assert first.json["next_cursor"] is not None
    assert all_ids(client, "limit=1000&order=asc") == ids
