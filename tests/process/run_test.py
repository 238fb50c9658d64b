"""`run` delivers what a Triggers API has pending, ours or one without our extensions: acknowledges what
every endpoint took, gives back the rest, and prints the function's answer."""

import json

import pytest

from harness import (Receiver, Service, accepted, clean_environment, delivered_ids, delivering,
                     run_command)
from plain_api import PlainApi

FIELDS = ["total_events", "successful_deliveries", "failed_deliveries", "total_retries",
          "avg_delivery_time_ms", "processing_time_seconds", "acknowledged_count"]


@pytest.fixture
def plain(tmp_path):
    api = PlainApi()
    secret = tmp_path / "secret.json"
    secret.write_text(json.dumps({"zapier_api_key": PlainApi.API_KEY}))
    secret.chmod(0o600)
    api.env = clean_environment(API_BASE_URL=api.url, SECRETS_FILE=secret)
    yield api
    api.close()


def run(*args, env=None, expect=0):
    """(result body, stderr) of `run --json`."""
    done = run_command("run", "--json", "--retry-base", "20ms", *args, env=env)
    assert done.returncode == expect, done.stderr[-3000:]
    lines = done.stdout.splitlines()
    assert len(lines) == 1
    result = json.loads(lines[0])
    assert list(result) == FIELDS
    return result, done.stderr


def to_service(service):
    return ["--api", service.url, "--data", service.data]


def test_a_run_delivers_each_event_once_and_acknowledges_it(starts):
    service, receiver = starts(Service), starts(Receiver, "--fail-rate", "0.2")
    client = service.client()
    ids = client.post_batch([{"type": "t", "source": "s", "payload": {"n": n}} for n in range(300)])
    result, _ = run(*to_service(service), *delivering(receiver), "--max-events", "1000",
                    "--max-retries", "30")
    assert result["total_events"] == result["acknowledged_count"] == 300
    assert result["successful_deliveries"] == 300 and result["failed_deliveries"] == 0
    assert result["total_retries"] == len(receiver.records()) - 300 > 0
    assert sorted(delivered_ids(receiver.records())) == sorted(ids)
    assert client.summary()["delivered"] == 300
    again, _ = run(*to_service(service), *delivering(receiver))
    assert again["total_events"] == 0


def test_a_run_takes_no_more_than_it_is_told(starts):
    service, receiver = starts(Service), starts(Receiver)
    service.client().post_batch([{"type": "t", "source": "s", "payload": {}}] * 20)
    result, _ = run(*to_service(service), *delivering(receiver), "--max-events", "7")
    assert result["total_events"] == len(receiver.records()) == 7


def test_what_is_refused_goes_to_review_and_what_fails_waits_with_its_attempts_told(starts):
    service = starts(Service)
    client = service.client()
    refused = starts(Receiver, "--status", "404", name="refusing")
    event = client.post_event({"n": 1})
    result, _ = run(*to_service(service), *delivering(refused))
    assert result["failed_deliveries"] == 1 and result["acknowledged_count"] == 0
    assert client.summary()["failed"] == 1
    attempts = client.json("GET", f"/events/{event}/attempts")["items"]
    assert [(a["outcome"], a["status"]) for a in attempts] == [("refused", 404)]

    failing = starts(Receiver, "--status", "500", name="failing")
    event = client.post_event({"n": 2})
    result, _ = run(*to_service(service), *delivering(failing), "--max-retries", "2")
    assert result["failed_deliveries"] == 1 and result["total_retries"] == 2
    attempts = client.json("GET", f"/events/{event}/attempts")["items"]
    assert [a["status"] for a in attempts] == [500, 500, 500]
    again, _ = run(*to_service(service), *delivering(failing))
    assert again["total_events"] == 0  # due again on the schedule


def test_an_event_for_two_endpoints_is_acknowledged_when_both_took_it(starts, tmp_path):
    service = starts(Service)
    client = service.client()
    good = starts(Receiver, name="good", data=tmp_path / "certificate")
    bad = starts(Receiver, "--status", "404", name="bad", data=tmp_path / "certificate")
    ids = [client.post_event({"n": n}) for n in range(5)]
    both = [*delivering(good), *delivering(bad)]
    result, _ = run(*to_service(service), *both)
    assert result["total_events"] == 5 and result["acknowledged_count"] == 0
    assert result["successful_deliveries"] == result["failed_deliveries"] == 5
    assert sorted(delivered_ids(good.records())) == sorted(ids)
    assert len(bad.records()) == 5


def test_a_dry_run_shows_and_changes_nothing(starts):
    service, receiver = starts(Service), starts(Receiver)
    event = service.client().post_event({"n": 1})
    for _ in range(2):
        done = run_command("run", "--dry-run", *to_service(service), *delivering(receiver))
        assert done.returncode == 0 and event in done.stdout
    assert receiver.records() == []
    assert run(*to_service(service), *delivering(receiver))[0]["acknowledged_count"] == 1


def test_a_run_with_a_deadline_reports_in_time_and_gives_the_rest_back(starts):
    service = starts(Service)
    client = service.client()
    client.post_batch([{"type": "t", "source": "s", "payload": {}}] * 30)
    slow = starts(Receiver, "--delay", "1s", name="slow")
    result, _ = run(*to_service(service), *delivering(slow), "--endpoint-concurrency", "2",
                    "--request-timeout", "2s", "--deadline", "6s")
    assert 0 < result["acknowledged_count"] < 30
    quick = starts(Receiver, name="quick")
    rest, _ = run(*to_service(service), *delivering(quick))
    assert rest["acknowledged_count"] == 30 - result["acknowledged_count"]


def test_an_original_api_is_worked_through_oldest_first_and_its_payloads_are_left_alone(plain, starts):
    receiver = starts(Receiver)
    payload = '{ "b":1.0,"a":[1e3, 12345678901234567890] ,"u":"\\u00e9/"}'
    ids = [plain.add(payload) for _ in range(150)]
    result, log = run(*delivering(receiver), "--max-events", "1000", "--endpoint-concurrency", "1",
                      env=plain.env)
    assert result["total_events"] == result["acknowledged_count"] == 150
    assert delivered_ids(receiver.records()) == ids[50:] + ids[:50]  # the answers' 100 newest, each
    assert all(f'"payload":{payload},' in r["body"] for r in receiver.records())
    assert [event["acked"] for event in plain.events] == [1] * 150
    assert log.count("has no leases") == 1
    assert plain.count("POST", "/token") == 1
    assert plain.count("GET", "/inbox") == 3


def test_an_original_api_is_asked_again_only_for_what_is_new(plain, starts):
    rejecting = starts(Receiver, "--status", "404")
    for _ in range(10):
        plain.add()
    result, _ = run(*delivering(rejecting), env=plain.env)
    assert result["total_events"] == result["failed_deliveries"] == 10
    assert len(rejecting.records()) == 10
    assert len(plain.pending()) == 10


def test_a_token_that_ends_in_the_middle_is_renewed(plain, starts):
    receiver = starts(Receiver)
    for _ in range(50):
        plain.add()
    plain.expire_after = 20
    result, _ = run(*delivering(receiver), env=plain.env)
    assert result["acknowledged_count"] == 50
    assert plain.tokens_given == 2


def test_a_wrong_key_or_no_service_fails_the_run_and_says_why(plain, tmp_path):
    secret = tmp_path / "wrong.json"
    secret.write_text(json.dumps({"zapier_api_key": "hunter2", "zapier_webhook_url": "https://a.test/hunter3"}))
    _, log = run(env={**plain.env, "SECRETS_FILE": str(secret)}, expect=1)
    assert "does not accept the API key" in log and "hunter" not in log
    _, log = run("--api", "http://127.0.0.1:9", env=plain.env, expect=1,
                 *["--endpoint", "https://a.test/hunter3"])
    assert "could not be reached" in log and "hunter" not in log


def test_the_urls_of_the_secret_are_delivered_to(plain, starts, tmp_path):
    one, other = (starts(Receiver, name=name, data=tmp_path / "certificate") for name in ("one", "other"))
    plain.add()
    secret = tmp_path / "urls.json"
    secret.write_text(json.dumps({"zapier_api_key": PlainApi.API_KEY,
                                  "zapier_webhook_url": f"{one.url()}, {other.url()}"}))
    result, log = run("--ca-file", one.ca_file, "--allow-target", "https://127.0.0.0/8",
                      env={**plain.env, "SECRETS_FILE": str(secret)})
    assert result["total_events"] == 1 and result["successful_deliveries"] == 2
    assert len(accepted(one.records())) == len(accepted(other.records())) == 1
    assert "/hook" not in log
