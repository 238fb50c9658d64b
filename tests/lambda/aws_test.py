"""The function within AWS: its secret from Secrets Manager once a process, and again when it was rotated;
one PutMetricData a run; subsegments to X-Ray's daemon; and a run goes on when the last two fail."""

import json

import pytest

import fake_aws


def metric_names(form):
    return {value for name, value in form.items() if name.endswith(".MetricName")}


@pytest.fixture
def aws(world):
    made = fake_aws.Aws()
    world.stack.callback(made.close)
    world.settings.pop("SECRETS_FILE")
    world.settings.update({
        "SECRET_ARN": "arn:aws:secretsmanager:us-east-2:123456789012:secret:s-AbCdEf", "CLOUDWATCH_METRICS": "seed",
        "AWS_ENDPOINT_URL": made.url, "AWS_ACCESS_KEY_ID": fake_aws.KEYS["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": fake_aws.KEYS["aws_secret_access_key"], "AWS_SESSION_TOKEN": fake_aws.TOKEN,
        "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{made.daemon.getsockname()[1]}"})
    return made


def test_the_secret_is_read_once_a_process_and_again_when_it_was_rotated(world, aws):
    receiver = world.receiver()
    api = world.plain()
    aws.secret = {"zapier_api_key": api.API_KEY, "zapier_webhook_url": receiver.url}
    runtime, function = world.function()
    for _ in range(3):
        api.add()
        assert runtime.invoke().result()["acknowledged_count"] == 1
    assert aws.secrets_read == 1
    api.add()
    api.API_KEY = "rotated-key"
    api.tokens.clear()
    aws.secret = {**aws.secret, "zapier_api_key": "rotated-key"}
    assert runtime.invoke().result()["acknowledged_count"] == 1
    assert aws.secrets_read == 2
    assert "rotated-key" not in function.stderr()


def test_a_secret_that_cannot_be_read_in_time_fails_the_invocation_before_lambda_does(world, aws):
    receiver = world.receiver()
    api = world.plain()
    aws.secret = {"zapier_api_key": api.API_KEY, "zapier_webhook_url": receiver.url}
    aws.may_read.clear()
    runtime, _ = world.function()
    invocation = runtime.invoke(seconds=4)
    assert invocation.error()["errorType"] == "Secret.Unavailable" and invocation.seconds_left > 0
    aws.may_read.set()
    api.add()
    assert runtime.invoke().result()["acknowledged_count"] == 1


def test_a_key_that_is_refused_while_the_secret_cannot_be_read_fails_the_invocation_in_time(world, aws):
    receiver = world.receiver()
    api = world.plain()
    aws.secret = {"zapier_api_key": api.API_KEY, "zapier_webhook_url": receiver.url}
    runtime, _ = world.function()
    api.add()
    assert runtime.invoke().result()["acknowledged_count"] == 1
    api.add()
    accepted, api.API_KEY = api.API_KEY, "rotated-key"
    api.tokens.clear()
    aws.may_read.clear()
    invocation = runtime.invoke(seconds=4)
    assert invocation.error()["errorType"] == "Api.Refused" and invocation.seconds_left > 0
    # The API takes the old key again: what was read before serves on.
    api.API_KEY = accepted
    assert runtime.invoke().result()["acknowledged_count"] == 1


def test_a_secret_that_lacks_a_key_is_named(world, aws):
    api = world.plain()
    aws.secret = {"zapier_api_key": api.API_KEY, "zapier_webhook_url": ""}
    runtime, _ = world.function()
    error = runtime.invoke().error()
    assert error["errorType"] == "Secret.Invalid" and "zapier_webhook_url" in error["errorMessage"]


def test_each_run_publishes_the_five_metrics_in_one_call_and_needs_no_answer(world, aws):
    receiver = world.receiver()
    api = world.plain()
    aws.secret = {"zapier_api_key": api.API_KEY, "zapier_webhook_url": receiver.url}
    runtime, function = world.function()
    for status in (200, 403):
        aws.cloudwatch_status = status
        api.add()
        assert runtime.invoke().result()["acknowledged_count"] == 1
    assert len(aws.published) == 2
    for form in aws.published:
        assert form["Namespace"] == "ZapierTriggersAPI/Dispatcher"
        assert metric_names(form) == {"EventsProcessed", "SuccessfulDeliveries", "FailedDeliveries",
                                      "DeliveryLatency", "RetryAttempts"}
    assert "metrics" in function.stderr()


def test_calls_and_attempts_are_subsegments_of_the_invocation(world, aws):
    receiver = world.receiver()
    api = world.plain()
    api.add()
    aws.secret = {"zapier_api_key": api.API_KEY, "zapier_webhook_url": receiver.url}
    runtime, _ = world.function()
    assert runtime.invoke().result()["acknowledged_count"] == 1
    # The secret, the token, the inbox, the attempt, its acknowledgement, the inbox again, the metrics.
    subsegments = [aws.subsegment() for _ in range(7)]
    for one in subsegments:
        assert one["trace_id"] == "1-5759e988-bd862e3fe1be46a994272793"
        assert one["parent_id"] == "53995c3f42cd8ad8" and one["type"] == "subsegment"
    assert "hook" not in json.dumps(subsegments)


def test_a_run_goes_on_where_neither_the_daemon_nor_cloudwatch_is_there(world, aws):
    receiver = world.receiver()
    api = world.plain()
    aws.secret = {"zapier_api_key": api.API_KEY, "zapier_webhook_url": receiver.url}
    aws.daemon.close()
    runtime, function = world.function(AWS_ENDPOINT_URL_CLOUDWATCH="http://127.0.0.1:9")
    for _ in range(2):
        api.add()
        assert runtime.invoke().result()["acknowledged_count"] == 1
    assert aws.published == []
    assert "the run's metrics could not be published" in function.stderr()
