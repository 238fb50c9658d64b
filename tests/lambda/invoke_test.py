"""Each invocation of the function is a run: it delivers what is pending, answers in the function's shape,
and the process stays warm for the next. Several at once share the events; one that dies is followed up."""

import json

import harness

FIELDS = ["total_events", "successful_deliveries", "failed_deliveries", "total_retries",
          "avg_delivery_time_ms", "processing_time_seconds", "acknowledged_count"]
SCHEDULE = {"version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event",
            "source": "aws.events", "account": "123456789012", "time": "2024-01-01T00:00:00Z",
            "region": "us-east-2", "resources": ["arn:aws:events:us-east-2:123456789012:rule/r"],
            "detail": {}}


def batch(count):
    return [{"type": "t", "source": "s", "payload": {"n": n}} for n in range(count)]


def test_a_cold_and_a_warm_invocation_deliver_each_event_once(world):
    receiver = world.receiver()
    service = world.service(receiver.url)
    client = service.client()
    runtime, function = world.function()
    first = client.post_batch(batch(100))
    result = runtime.invoke(SCHEDULE).result()
    assert list(result) == FIELDS
    assert result["total_events"] == result["successful_deliveries"] == result["acknowledged_count"] == 100
    assert result["failed_deliveries"] == result["total_retries"] == 0
    second = client.post_batch(batch(20))
    assert runtime.invoke().result()["acknowledged_count"] == 20
    assert runtime.invoke("not even JSON").result()["total_events"] == 0
    assert sorted(receiver.ids()) == sorted(first + second)
    assert client.summary()["delivered"] == 120
    assert function.is_running()


def test_five_hundred_events_are_one_run_when_the_setting_or_the_payload_says_so(world):
    receiver = world.receiver()
    service = world.service(receiver.url)
    client = service.client()
    runtime, _ = world.function(MAX_EVENTS_PER_RUN="500")
    ids = client.post_batch(batch(600))
    assert runtime.invoke().result()["acknowledged_count"] == 500
    ids += client.post_batch(batch(450))
    assert runtime.invoke({"max_events": 550}).result()["acknowledged_count"] == 550
    assert sorted(receiver.ids()) == sorted(ids)


def test_a_warm_process_keeps_its_token(world):
    receiver = world.receiver()
    api = world.plain(receiver.url)
    runtime, _ = world.function()
    for _ in range(3):
        api.add()
        assert runtime.invoke().result()["acknowledged_count"] == 1
    assert api.tokens_given == 1


def test_a_token_that_ends_in_mid_run_is_renewed_once(world):
    receiver = world.receiver()
    api = world.plain(receiver.url)
    for _ in range(50):
        api.add()
    api.expire_after = 20
    runtime, _ = world.function()
    assert runtime.invoke().result()["acknowledged_count"] == 50
    assert api.tokens_given == 2


def test_a_dry_run_lists_and_changes_nothing(world):
    receiver = world.receiver()
    service = world.service(receiver.url)
    event = service.client().post_event({"secret": "of the payload"})
    runtime, _ = world.function()
    for _ in range(2):
        invocation = runtime.invoke({"dry_run": True})
        listed = invocation.result()
        assert listed["dry_run"] is True and listed["total_events"] == 1
        assert [one["id"] for one in listed["events"]] == [event]
        assert "of the payload" not in invocation.body
    assert receiver.requests == []
    assert runtime.invoke().result()["acknowledged_count"] == 1


def test_what_needs_the_table_says_so_where_there_is_none(world):
    world.plain(world.receiver().url)
    runtime, _ = world.function()
    record = {"eventID": "1", "eventName": "INSERT", "eventSource": "aws:dynamodb", "dynamodb": {}}
    for payload in ({"release": {"reason": "rejected"}}, {"Records": [record]}):
        error = runtime.invoke(payload).error()
        assert error["errorType"] == "Config.TableMissing"
        assert "DYNAMODB_TABLE_NAME" in error["errorMessage"]


def test_a_payload_that_asks_for_something_wrong_is_refused_by_name(world):
    world.plain(world.receiver().url)
    runtime, _ = world.function()
    for payload, name in (({"max_events": 0}, "max_events"), ({"max_events": "5"}, "max_events"),
                          ({"dry_run": 1}, "dry_run"), ({"release": {}}, "release"),
                          ({"release": {"reason": "bored"}}, "release")):
        error = runtime.invoke(payload).error()
        assert error["errorType"] == "Payload.Invalid" and name in error["errorMessage"]


def test_overlapping_invocations_deliver_each_event_once(world):
    receiver = world.receiver()
    service = world.service(receiver.url)
    client = service.client()
    ids = client.post_batch(batch(400))
    one, other = world.function()[0], world.function()[0]
    running = [runtime.start({"max_events": 300}) for runtime in (one, other)]
    acknowledged = [invocation.result()["acknowledged_count"] for invocation in running]
    assert sum(acknowledged) == 400
    assert sorted(receiver.ids()) == sorted(ids)


def test_a_run_that_is_killed_is_resumed_by_the_next(world):
    service = world.service()
    client = service.client()
    hangs = world.receiver(lambda payload: None if payload["n"] % 2 else 200)
    world.write_secret(zapier_api_key=service.api_key(), zapier_webhook_url=hangs.url)
    ids = client.post_batch(batch(40))
    runtime, function = world.function(REQUEST_TIMEOUT_SECONDS="1", MAX_RETRIES="0")
    runtime.start()
    harness.wait_until(lambda: len(hangs.requests) >= 40, "every event to be under way")
    function.kill()
    answers = world.receiver()
    world.write_secret(zapier_api_key=service.api_key(), zapier_webhook_url=answers.url)
    runtime, _ = world.function(REQUEST_TIMEOUT_SECONDS="1")

    def is_all_delivered():
        runtime.invoke().result()
        return len(client.json("GET", "/events?status=delivered")["items"]) == 40

    harness.wait_until(is_all_delivered, "the dead run's leases to end")
    assert set(hangs.ids()) | set(answers.ids()) == set(ids)
    assert len(answers.ids()) == len(set(answers.ids()))


def test_every_line_of_an_invocation_s_log_names_it_and_none_holds_a_secret(world):
    receiver = world.receiver(lambda payload: 404)
    url = receiver.url.replace("hook", "hook-secret?key=path-secret")
    api = world.plain(url)
    api.add('{"text":"payload-secret"}')
    runtime, function = world.function(DISPATCHER_LOG_LEVEL="debug")
    invocation = runtime.invoke()
    assert invocation.result()["failed_deliveries"] == 1
    function.terminate()
    assert function.wait() == 0
    log = function.stderr()
    lines = [json.loads(line) for line in log.splitlines()]
    of_run = [line for line in lines if line.get("request_id") == invocation.request_id]
    assert any(line["message"] == "the run has ended" for line in of_run)
    attempt = next(line for line in of_run if line.get("event_id"))
    assert attempt["endpoint"].startswith("secret-") and attempt["status"] == 404
    for secret in ("hook-secret", "path-secret", "payload-secret", api.API_KEY):
        assert secret not in log and secret not in invocation.body
