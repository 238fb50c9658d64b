"""Promise: one key makes one event, however often and however many at once it is sent."""

import threading

import pytest

BODY = '{"type":"a","source":"b","payload":{"n":1}}'


def with_key(key):
    return {"Idempotency-Key": key}


def count(api, type):
    return len(api.get(f"/events?type={type}&limit=1000").json["items"])


def test_the_same_request_gets_the_first_answer(api):
    first = api.post("/events", BODY, headers=with_key("same"))
    again = api.post("/events", BODY, headers=with_key("same"))
    assert first.status == again.status == 201
    assert first.text == again.text


def test_another_body_is_refused(api):
    assert api.post("/events", BODY, headers=with_key("other")).status == 201
    # The bytes count, not what they mean.
    answer = api.post("/events", BODY + " ", headers=with_key("other"))
    assert answer.status == 422
    entry = answer.json["detail"][0]
    assert list(entry)[:4] == ["type", "loc", "msg", "input"]
    assert entry["loc"] == ["header", "idempotency-key"]
    assert entry["input"] == "other"


def test_a_hundred_at_once_make_one_event(service, api):
    body = '{"type":"hundred","source":"b","payload":{}}'
    answers = []
    ready = threading.Barrier(100)

    def send():
        client = service.anonymous()
        client.token = api.token
        client.get("/health")
        ready.wait()
        answers.append(client.post("/events", body, headers=with_key("hundred")))
        client.close()

    threads = [threading.Thread(target=send) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert count(api, "hundred") == 1


def test_batches_have_keys_too(api):
    body = '[{"type":"keyed","source":"b","payload":{}},{"type":"keyed","source":"c","payload":{}}]'
    first = api.post("/events/batch", body, headers=with_key("batch"))
    again = api.post("/events/batch", body, headers=with_key("batch"))
    assert first.status == again.status == 201
    assert first.text == again.text
    assert count(api, "keyed") == 2
    assert api.post("/events/batch", body + "\n", headers=with_key("batch")).status == 422


def test_a_deleted_event_keeps_its_key(api):
    body = '{"type":"deleted","source":"b","payload":{}}'
    first = api.post("/events", body, headers=with_key("deleted"))
    assert api.delete(f"/events/{first.json['id']}").status == 200
    again = api.post("/events", body, headers=with_key("deleted"))
    assert again.status == 201
    assert again.text == first.text
    assert count(api, "deleted") == 0


def test_a_refused_event_leaves_the_key_free(api):
    assert api.post("/events", "{}", headers=with_key("free")).status == 422
    assert api.post("/events", BODY, headers=with_key("free")).status == 201


@pytest.mark.parametrize("key", ["k", "x" * 255, "!~", '"quoted"'])
def test_keys_that_may_be(api, key):
    assert api.post("/events", BODY, headers=with_key(key)).status == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "é", "a\tb"])
def test_keys_that_may_not_be(api, key):
    answer = api.post("/events", BODY, headers=with_key(key))
    assert answer.status == 422
    entry = answer.json["detail"][0]
    assert (entry["loc"], entry["input"]) == (["header", "idempotency-key"], key)
