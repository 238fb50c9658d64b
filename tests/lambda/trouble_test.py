"""Whatever is wrong, the invocation ends in time and says what it is: a failure of the run as an error
that Lambda counts, a failed delivery as a figure of the result; and no secret is in either."""

import json
import signal
import socket

import harness


def refused(runtime):
    """The error of an invocation that must fail."""
    return runtime.invoke().error()


def test_a_setting_that_is_wrong_fails_the_start_and_lambda_is_told(world):
    world.plain(world.receiver().url)
    for settings, name in (({"MAX_EVENTS_PER_RUN": "many"}, "MAX_EVENTS_PER_RUN"),
                           ({"API_BASE_URL": ""}, "API_BASE_URL"),
                           ({"SECRETS_FILE": ""}, "SECRET_ARN"),
                           ({"CA_FILE": "/nowhere.pem"}, "/nowhere.pem"),
                           ({"ALLOW_TARGETS": "nonsense"}, "ALLOW_TARGETS")):
        runtime, function = world.function(**settings)
        assert function.wait() != 0, settings
        assert len(runtime.init_errors) == 1, settings
        error = runtime.init_errors[0]
        assert error["errorType"].startswith("Config.") and name in error["errorMessage"]


def test_the_command_outside_of_lambda_says_what_it_is_for():
    done = harness.run_command("lambda")
    assert done.returncode == 2
    assert "AWS_LAMBDA_RUNTIME_API" in done.stderr and "dispatcher run" in done.stderr


def test_a_secret_that_is_incomplete_fails_the_invocation_until_it_is_mended(world):
    receiver = world.receiver()
    api = world.plain(receiver.url)
    api.add()
    runtime, _ = world.function()
    for members, key in (({"zapier_webhook_url": receiver.url}, "zapier_api_key"),
                         ({"zapier_api_key": "", "zapier_webhook_url": receiver.url}, "zapier_api_key"),
                         ({"zapier_api_key": api.API_KEY}, "zapier_webhook_url"),
                         ({"zapier_api_key": api.API_KEY, "zapier_webhook_url": "hidden"}, "zapier_webhook_url")):
        world.write_secret(**members)
        error = refused(runtime)
        assert error["errorType"] == "Secret.Invalid" and key in error["errorMessage"]
        assert "hidden" not in error["errorMessage"]
    world.secret_file.unlink()
    assert refused(runtime)["errorType"] == "Secret.Invalid"
    world.write_secret(zapier_api_key=api.API_KEY, zapier_webhook_url=receiver.url)  # no jwt_secret
    assert runtime.invoke().result()["acknowledged_count"] == 1


def test_a_key_that_the_api_refuses_fails_the_invocation_until_the_secret_is_rotated(world):
    receiver = world.receiver()
    api = world.plain(receiver.url)
    api.add()
    runtime, function = world.function()
    assert runtime.invoke().result()["acknowledged_count"] == 1
    api.add()
    api.API_KEY = "rotated-key"
    api.tokens.clear()
    error = refused(runtime)
    assert error["errorType"] == "Api.Refused" and "zapier_api_key" in error["errorMessage"]
    world.write_secret(zapier_api_key="rotated-key", zapier_webhook_url=receiver.url)
    assert runtime.invoke().result()["acknowledged_count"] == 1
    assert "rotated-key" not in function.stderr() and "plain-api-key" not in function.stderr()


def test_an_api_that_is_not_there_fails_the_invocation(world):
    api = world.plain(world.receiver().url)
    runtime, _ = world.function(API_BASE_URL="http://127.0.0.1:9")
    error = runtime.invoke(seconds=20).error()
    assert error["errorType"] == "Api.Unavailable" and "127.0.0.1:9" in error["errorMessage"]
    assert api.requests == []


def test_an_api_that_hangs_fails_the_invocation_in_time(world):
    world.plain(world.receiver().url)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(16)
        runtime, _ = world.function(API_BASE_URL=f"http://127.0.0.1:{silent.getsockname()[1]}")
        invocation = runtime.invoke(seconds=5)
        assert invocation.error()["errorType"] == "Api.Unavailable"
        assert invocation.seconds_left > 0


def test_a_hanging_endpoint_never_costs_the_answer(world):
    hangs, answers = world.receiver(lambda payload: None), world.receiver()
    api = world.plain(hangs.url, answers.url)
    ids = [api.add() for _ in range(5)]
    runtime, _ = world.function()
    invocation = runtime.invoke(seconds=6)
    result = invocation.result()
    assert invocation.seconds_left > 0
    assert result["successful_deliveries"] == result["failed_deliveries"] == 5
    assert sorted(answers.ids()) == sorted(ids) == sorted(api.pending())


def test_a_warm_process_does_not_send_again_what_an_endpoint_took(world):
    failing = {"is": True}
    one = world.receiver()
    other = world.receiver(lambda payload: 500 if failing["is"] else 200)
    api = world.plain(one.url, other.url)
    ids = [api.add() for _ in range(5)]
    runtime, _ = world.function(MAX_RETRIES="0")
    assert runtime.invoke().result()["acknowledged_count"] == 0
    failing["is"] = False
    assert runtime.invoke().result()["acknowledged_count"] == 5
    assert sorted(one.ids()) == sorted(other.ids()) == sorted(ids)
    assert api.pending() == []


def test_after_a_run_that_had_to_end_the_next_one_delivers(world):
    is_hanging = {"is": True}
    receiver = world.receiver(lambda payload: None if is_hanging["is"] else 200)
    api = world.plain(receiver.url)
    api.add()
    runtime, _ = world.function()
    assert runtime.invoke(seconds=5).result()["failed_deliveries"] == 1
    is_hanging["is"] = False
    assert runtime.invoke().result()["acknowledged_count"] == 1


def test_events_that_are_rejected_starve_nobody_and_are_not_tried_again(world):
    receiver = world.receiver(lambda payload: 404 if payload.get("poison") else 200)
    api = world.plain(receiver.url)
    poison = [api.add('{"poison":true}') for _ in range(90)]
    runtime, _ = world.function()
    assert runtime.invoke().result()["failed_deliveries"] == 90
    for _ in range(3):
        api.add()
        result = runtime.invoke().result()
        assert (result["total_events"], result["acknowledged_count"]) == (1, 1)
    assert sorted(receiver.ids(404)) == sorted(poison) == sorted(api.pending())


def test_a_changed_url_is_tried_with_what_the_one_before_rejected(world):
    rejects, takes = world.receiver(lambda payload: 410), world.receiver()
    api = world.plain(rejects.url)
    event = api.add()
    runtime, _ = world.function()
    assert runtime.invoke().result()["failed_deliveries"] == 1
    world.write_secret(zapier_api_key=api.API_KEY, zapier_webhook_url=takes.url)
    assert runtime.invoke().result()["acknowledged_count"] == 1
    assert takes.ids() == [event]


def test_sigterm_ends_a_waiting_process_at_once(world):
    world.plain(world.receiver().url)
    runtime, function = world.function()
    runtime.invoke().result()
    function.signal(signal.SIGTERM)
    assert function.wait() == 0


def test_sigterm_in_mid_run_records_what_is_under_way_and_answers(world):
    hangs = world.receiver(lambda payload: None if payload["n"] == 0 else 200)
    service = world.service(hangs.url)
    client = service.client()
    ids = client.post_batch([{"type": "t", "source": "s", "payload": {"n": n}} for n in range(5)])
    runtime, function = world.function()
    invocation = runtime.start()
    harness.wait_until(lambda: len(hangs.requests) == 5 and
                       len(client.json("GET", "/events?status=delivered")["items"]) == 4,
                       "one event alone to be under way")
    function.signal(signal.SIGTERM)
    assert invocation.result()["acknowledged_count"] == 4
    assert function.wait() == 0
    attempts = client.json("GET", f"/events/{ids[0]}/attempts")["items"]
    assert [attempt["outcome"] for attempt in attempts] == ["abandoned"]
    # It was given back: whoever asks next has it.
    status, _, text = client.request("GET", "/inbox?limit=10&lease_seconds=30&consumer=next")
    assert status == 200 and [event["id"] for event in json.loads(text)] == [ids[0]]
