"""The stack has the dispatcher that the original's documentation describes: function, schedule, table and
secret, each option where it is asked for and nowhere else."""

import json

FUNCTION, TABLE, SECRET = "Lambda::Function", "DynamoDB::Table", "SecretsManager::Secret"
MAPPING = "Lambda::EventSourceMapping"


# -- the function

def test_the_function_is_the_packaged_one_with_the_originals_memory_and_time(plain):
    function = plain.only(FUNCTION)
    assert function["Runtime"] == "provided.al2023"
    assert function["Architectures"] == ["x86_64"]
    assert function["Handler"] == "bootstrap"
    assert function["MemorySize"] == 256
    assert function["Timeout"] == 300
    assert "Layers" not in function


def test_the_function_is_traced(plain):
    assert plain.only(FUNCTION)["TracingConfig"] == {"Mode": "Active"}


def test_its_environment_is_the_originals_and_no_name_that_lambda_reserves(plain):
    assert plain.only(FUNCTION)["Environment"]["Variables"] == {
        "API_BASE_URL": "https://api.example.com",
        "DYNAMODB_TABLE_NAME": "${DispatcherEvents}",
        "SECRET_ARN": "${DispatcherSecret}",
        "MAX_EVENTS_PER_RUN": "100",
        "CLOUDWATCH_METRICS": "all",
    }


def test_the_events_of_a_run_are_a_property(scenarios):
    variables = scenarios.template("Tuned").only(FUNCTION)["Environment"]["Variables"]
    assert variables["MAX_EVENTS_PER_RUN"] == "500"


def test_no_concurrency_is_reserved_unless_asked_for(plain, scenarios):
    assert "ReservedConcurrentExecutions" not in plain.only(FUNCTION)
    assert scenarios.template("Tuned").only(FUNCTION)["ReservedConcurrentExecutions"] == 2


def test_what_waited_longer_than_a_period_is_the_next_runs(plain, scenarios):
    assert plain.only("Lambda::EventInvokeConfig")["MaximumEventAgeInSeconds"] == 300
    assert scenarios.template("Tuned").only("Lambda::EventInvokeConfig")["MaximumEventAgeInSeconds"] == 60


# -- the schedule

def test_it_runs_every_five_minutes(plain):
    rule = plain.only("Events::Rule")
    assert rule["ScheduleExpression"] == "rate(5 minutes)"
    assert rule["State"] == "ENABLED"
    assert [target["Arn"] for target in rule["Targets"]] == ["${DispatcherFunction.Arn}"]


def test_the_rule_and_nothing_else_may_invoke_it(plain):
    permission = plain.only("Lambda::Permission")
    assert permission["Principal"] == "events.amazonaws.com"
    assert permission["SourceArn"] == "${DispatcherSchedule.Arn}"


def test_any_rate_can_be_asked_for(scenarios):
    assert scenarios.template("Tuned").only("Events::Rule")["ScheduleExpression"] == "rate(1 minute)"
    assert scenarios.template("Slow").only("Events::Rule")["ScheduleExpression"] == "rate(1 hour)"


def test_what_cannot_be_is_refused_with_the_reason(refusals):
    assert "run ./dev package" in refusals["no package"]
    assert "whole minutes, 1 to 1440" in refusals["half a minute"]
    assert "whole minutes, 1 to 1440" in refusals["two days"]
    assert "1 to 10000" in refusals["no events"]
    assert "1 to 10000" in refusals["too many events"]
    assert "needs a table with a stream" in refusals["a table without a stream"]
    assert "give it that API's table and secret" in refusals["a further API on the first table"]
    assert 'cannot be called "Alarms"' in refusals["a taken name"]
    assert "https:// URL" in refusals["an API without TLS"]
    assert "complete ARN" in refusals["a secret by name"]
    assert "retries of the stream must be a whole number, 0 to 100" in refusals["endless retries"]
    assert "batchSize of the stream must be a whole number, 1 to 10000" in refusals["an empty batch"]
    assert "reservedConcurrency must be a whole number, 1 to" in refusals["no concurrency"]
    assert "0 to 1" in refusals["more than every trace"]
    assert "longer than the schedule's period" in refusals["an age below the period"]


# -- the trigger on the table's stream

def test_without_the_option_there_is_no_stream_trigger_or_queue(plain):
    assert "StreamSpecification" not in plain.only(TABLE)
    assert plain.of_type(MAPPING) == plain.of_type("SQS::Queue") == {}


def test_the_trigger_takes_inserted_events_and_gives_up_at_last(scenarios):
    stream = scenarios.template("Stream")
    assert stream.only(TABLE)["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}
    mapping = stream.only(MAPPING)
    assert mapping["EventSourceArn"] == "${DispatcherEvents.StreamArn}"
    assert [json.loads(each["Pattern"]) for each in mapping["FilterCriteria"]["Filters"]] == [{"eventName": ["INSERT"]}]
    assert mapping["BatchSize"] == 100
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["MaximumRetryAttempts"] == 3
    assert mapping["MaximumRecordAgeInSeconds"] == 3600
    assert mapping["DestinationConfig"] == {"OnFailure": {"Destination": "${DispatcherStreamFailures.Arn}"}}


def test_the_triggers_numbers_are_properties(scenarios):
    mapping = scenarios.template("StreamTuned").only(MAPPING)
    assert mapping["BatchSize"] == 10
    assert mapping["MaximumBatchingWindowInSeconds"] == 2
    assert mapping["MaximumRetryAttempts"] == 1
    assert mapping["MaximumRecordAgeInSeconds"] == 600


def test_the_schedule_stays_beside_the_trigger(scenarios):
    assert scenarios.template("Stream").only("Events::Rule")["ScheduleExpression"] == "rate(5 minutes)"


# -- the table

def test_the_table_has_the_originals_keys_indexes_and_expiry(plain):
    table = plain.only(TABLE)
    assert table["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"},
                                  {"AttributeName": "created_at", "KeyType": "RANGE"}]
    indexes = {index["IndexName"]: ([key["AttributeName"] for key in index["KeySchema"]],
                                    index["Projection"]["ProjectionType"])
               for index in table["GlobalSecondaryIndexes"]}
    assert indexes == {"status-index": (["status", "created_at"], "ALL"),
                       "last-attempt-index": (["status", "last_delivery_attempt"], "ALL")}
    assert {each["AttributeType"] for each in table["AttributeDefinitions"]} == {"S"}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}


def test_the_table_is_paid_by_request_encrypted_and_can_be_recovered(plain):
    table = plain.only(TABLE)
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_the_table_and_the_secret_stay_when_the_stack_goes(plain):
    kept = [plain.whole(TABLE)["DispatcherEvents"], plain.whole(SECRET)["DispatcherSecret"]]
    for resource in kept:
        assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain"


# -- the secret

def test_the_secret_has_two_generated_keys_and_an_empty_url(plain):
    secret = plain.of_type(SECRET)["DispatcherSecret"]["GenerateSecretString"]
    assert secret["GenerateStringKey"] == "zapier_api_key"
    assert json.loads(secret["SecretStringTemplate"]) == {
        "zapier_webhook_url": "",
        "jwt_secret": "{{resolve:secretsmanager:${DispatcherSecretJwtKey}:SecretString:::}}",
    }
    for made in (secret, plain.of_type(SECRET)["DispatcherSecretJwtKey"]["GenerateSecretString"]):
        assert made["PasswordLength"] == 48
        assert made["ExcludePunctuation"] is True


def test_no_option_changes_the_secret_so_no_update_replaces_it(plain, scenarios):
    for name in ("Tuned", "Slow", "Stream", "StreamTuned", "Several"):
        for logical_id, resource in scenarios.template(name).resources.items():
            if logical_id in plain.resources and resource["Type"] == f"AWS::{SECRET}":
                of_plain = plain.resources[logical_id]
                assert resource["Properties"] == of_plain["Properties"], name
    ids = [name for name, resource in plain.resources.items() if resource["Type"] == f"AWS::{SECRET}"]
    assert len(ids) == 2
    for name in ("Tuned", "Slow", "Stream", "StreamTuned", "Several"):
        assert set(ids) <= set(scenarios.template(name).resources), name


# -- several dispatchers

def test_each_further_dispatcher_has_a_function_role_log_schedule_and_secret(scenarios):
    several = scenarios.template("Several")
    for kind in (FUNCTION, "IAM::Role", "Logs::LogGroup", "Events::Rule"):
        assert len(several.of_type(kind)) == 3, kind
    names = {function["FunctionName"] for function in several.of_type(FUNCTION).values()}
    assert len(names) == 3
    secrets = {name: function["Environment"]["Variables"]["SECRET_ARN"]
               for name, function in several.of_type(FUNCTION).items()}
    assert secrets == {
        "DispatcherFunction": "${DispatcherSecret}",
        "DispatcherBillingFunction": "${DispatcherBillingSecret}",
        "DispatcherAuditFunction": "arn:aws:secretsmanager:us-east-2:123456789012:secret:audit-AbCdEf",
    }


def test_a_further_dispatchers_secret_waits_for_a_person_and_refers_to_nothing_that_changes(scenarios):
    several = scenarios.template("Several")
    secret = several.of_type(SECRET)["DispatcherBillingSecret"]
    assert "SecretString" not in secret
    generated = secret["GenerateSecretString"]
    assert generated["GenerateStringKey"] == "jwt_secret"
    assert json.loads(generated["SecretStringTemplate"]) == {"zapier_api_key": "", "zapier_webhook_url": ""}
    assert "${" not in json.dumps(secret)
    assert several.whole(SECRET)["DispatcherBillingSecret"]["DeletionPolicy"] == "Retain"


def test_a_further_dispatcher_has_its_own_numbers_and_api(scenarios):
    functions = scenarios.template("Several").of_type(FUNCTION)
    billing = functions["DispatcherBillingFunction"]["Environment"]["Variables"]
    audit = functions["DispatcherAuditFunction"]["Environment"]["Variables"]
    assert (billing["MAX_EVENTS_PER_RUN"], billing["API_BASE_URL"]) == ("200", "https://api.example.com")
    assert (audit["MAX_EVENTS_PER_RUN"], audit["API_BASE_URL"]) == ("100", "https://audit.example.com")
    # Another API's events lie in another table: the first's are none of its business.
    assert (billing["DYNAMODB_TABLE_NAME"], audit["DYNAMODB_TABLE_NAME"]) == ("${DispatcherEvents}", "audit-events")
    for name, statement in scenarios.template("Several").statements().items():
        if name.startswith("DispatcherAuditRole"):
            assert "DispatcherEvents" not in json.dumps(statement)


# -- what is there already

def test_a_given_table_secret_and_topic_are_used_and_none_is_made(scenarios):
    existing = scenarios.template("Existing")
    for kind in (TABLE, SECRET, "SNS::Topic"):
        assert existing.of_type(kind) == {}, kind
    variables = existing.only(FUNCTION)["Environment"]["Variables"]
    assert variables["DYNAMODB_TABLE_NAME"] == "zapier-triggers-events"
    assert variables["SECRET_ARN"] == "arn:aws:secretsmanager:us-east-2:123456789012:secret:zapier-AbCdEf"
    assert existing.only(MAPPING)["EventSourceArn"].endswith("/stream/2025-01-01T00:00:00.000")
    assert all(alarm["AlarmActions"] == ["arn:aws:sns:us-east-2:123456789012:on-call"]
               for alarm in existing.of_type("CloudWatch::Alarm").values())


def test_no_webhooks_url_is_in_a_template(scenarios):
    for name in scenarios.names():
        text = scenarios.template(name).text
        assert "DISPATCHER_ENDPOINTS" not in text and "hooks." not in text, name
