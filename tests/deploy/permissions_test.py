"""The function may do exactly what the original's documentation lists, on exactly its own table, secret and log;
one trigger more asks for three statements more. No wildcard stands where the service knows an ARN."""

import pytest

from template import listed

# Actions and resources by statement, as the original's documentation has them under IAM Permissions.
ORIGINALS = {
    "Events": (["dynamodb:Query"], ["${DispatcherEvents.Arn}", "${DispatcherEvents.Arn}/index/status-index",
                                    "${DispatcherEvents.Arn}/index/last-attempt-index"]),
    "Claims": (["dynamodb:UpdateItem"], ["${DispatcherEvents.Arn}"]),
    "Secret": (["secretsmanager:GetSecretValue"], ["${DispatcherSecret}"]),
    "Logs": (["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], ["${DispatcherLog.Arn}"]),
    "Traces": (["xray:PutTelemetryRecords", "xray:PutTraceSegments"], ["*"]),
    "Metrics": (["cloudwatch:PutMetricData"], ["*"]),
}
WITH_STREAM = {
    "Stream": (["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
               ["${DispatcherEvents.StreamArn}"]),
    "Streams": (["dynamodb:ListStreams"], ["${DispatcherEvents.Arn}/stream/*"]),
    "StreamFailures": (["sqs:SendMessage"], ["${DispatcherStreamFailures.Arn}"]),
}
# Actions for which the service has no ARN, and the only resource they may have.
FORCED = {
    "xray:PutTelemetryRecords": "*",
    "xray:PutTraceSegments": "*",
    "cloudwatch:PutMetricData": "*",
    "dynamodb:ListStreams": "/stream/*",  # it is about all streams of a table
}


def allowed(statements):
    return {name: (sorted(listed(statement["Action"])), listed(statement["Resource"]))
            for name, statement in statements.items()}


def wildcards(statements):
    """What is wider than the service forces it to be."""
    found = []
    for name, statement in statements.items():
        actions = listed(statement["Action"])
        found += [f"{name}: {action}" for action in actions if "*" in action]
        for resource in listed(statement["Resource"]):
            if "*" in resource and not all(resource.endswith(FORCED.get(action, "no")) and
                                           resource.count("*") == 1 for action in actions):
                found.append(f"{name}: {resource}")
    return found


def test_the_function_may_do_what_the_original_may_and_no_more(plain):
    statements = plain.statements()
    assert allowed(statements) == ORIGINALS
    assert all(statement["Effect"] == "Allow" for statement in statements.values())


def test_metrics_are_limited_to_the_programs_namespace(plain):
    assert plain.statements()["Metrics"]["Condition"] == {
        "StringEquals": {"cloudwatch:namespace": "ZapierTriggersAPI/Dispatcher"}}
    assert [name for name, statement in plain.statements().items() if "Condition" in statement] == ["Metrics"]


def test_the_trigger_adds_the_stream_and_its_queue_and_nothing_else(scenarios):
    assert allowed(scenarios.template("Stream").statements()) == {**ORIGINALS, **WITH_STREAM}


def test_given_table_and_secret_are_named_by_their_own_arns(scenarios):
    statements = allowed(scenarios.template("Existing").statements())
    table = "arn:aws:dynamodb:us-east-2:123456789012:table/zapier-triggers-events"
    assert statements["Events"][1] == [table, f"{table}/index/status-index", f"{table}/index/last-attempt-index"]
    assert statements["Claims"][1] == [table]
    assert statements["Secret"][1] == ["arn:aws:secretsmanager:us-east-2:123456789012:secret:zapier-AbCdEf"]


def test_each_of_several_reads_its_own_secret_alone(scenarios):
    statements = scenarios.template("Several").statements()
    assert statements["DispatcherRole.Secret"]["Resource"] == "${DispatcherSecret}"
    assert statements["DispatcherBillingRole.Secret"]["Resource"] == "${DispatcherBillingSecret}"


def test_no_wildcard_stands_where_the_service_knows_an_arn(scenarios):
    for name in scenarios.names():
        assert wildcards(scenarios.template(name).statements()) == [], name


@pytest.mark.parametrize("statement", [
    {"Action": "dynamodb:Query", "Resource": "*"},
    {"Action": "dynamodb:Query", "Resource": "${Table.Arn}/index/*"},
    {"Action": ["dynamodb:GetRecords"], "Resource": "*/stream/*"},
    {"Action": ["dynamodb:GetRecords"], "Resource": "${Table.Arn}/stream/*"},
    {"Action": "dynamodb:*", "Resource": "${Table.Arn}"},
    {"Action": ["xray:PutTraceSegments", "logs:PutLogEvents"], "Resource": "*"},
])
def test_a_wildcard_more_is_found(statement):
    assert wildcards({"Some": statement})


def test_there_is_no_other_policy_and_lambda_alone_takes_the_role(scenarios):
    for name in scenarios.names():
        template = scenarios.template(name)
        for kind in ("IAM::Policy", "IAM::ManagedPolicy", "IAM::RolePolicy"):
            assert template.of_type(kind) == {}, name
        for role in template.of_type("IAM::Role").values():
            assert "ManagedPolicyArns" not in role, name
            assert [(statement["Action"], statement["Principal"])
                    for statement in role["AssumeRolePolicyDocument"]["Statement"]] == [
                        ("sts:AssumeRole", {"Service": "lambda.amazonaws.com"})], name
