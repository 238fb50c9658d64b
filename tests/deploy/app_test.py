"""`cdk synth` and the Amplify backend make the same stack from the same environment, with no account and no
network; what the environment lacks is named, with what to do."""

import json
import os
import re

import pytest

import workspace

SNAPSHOT = workspace.HERE / "snapshot/EventDispatcher.template.json"
SECRET = "arn:aws:secretsmanager:us-east-2:123456789012:secret:zapier-AbCdEf"
FUNCTION = "Lambda::Function"


def normalised(template):
    """Without what depends on the zip's bytes."""
    text = json.dumps(template.json, indent=1, ensure_ascii=False)
    for function in template.of_type(FUNCTION).values():
        text = text.replace(function["Code"]["S3Key"], "THE-ZIP")
    return text + "\n"


def test_the_template_is_the_one_that_was_looked_at(cdk_synth):
    now = normalised(cdk_synth.template("EventDispatcher"))
    if os.environ.get("UPDATE_SNAPSHOT"):
        SNAPSHOT.write_text(now, encoding="utf-8")
    assert now == SNAPSHOT.read_text(encoding="utf-8"), \
        "look at what changes in people's stacks; then UPDATE_SNAPSHOT=1 ./dev test deploy renews the snapshot"


def test_the_app_tells_what_the_command_line_needs_later(cdk_synth):
    outputs = cdk_synth.template("EventDispatcher").json["Outputs"]
    assert set(outputs) == {"FunctionName", "SecretArn", "TableName", "DashboardName"}


def test_the_app_makes_the_stack_that_the_library_makes(cdk_synth, plain):
    app = cdk_synth.template("EventDispatcher")
    kinds = sorted(resource["Type"] for resource in app.resources.values())
    assert kinds == sorted(resource["Type"] for resource in plain.resources.values())
    assert app.statements() == plain.statements()


def test_the_environment_says_what_is_there_already(app):
    template = app(DYNAMODB_TABLE_NAME="zapier-triggers-events", SECRET_ARN=SECRET,
                   ALARM_EMAIL="on-call@example.com").template("EventDispatcher")
    assert template.of_type("DynamoDB::Table") == template.of_type("SecretsManager::Secret") == {}
    assert template.only(FUNCTION)["Environment"]["Variables"]["SECRET_ARN"] == SECRET
    assert template.only("SNS::Subscription")["Endpoint"] == "on-call@example.com"
    (table, *indexes) = template.statements()["Events"]["Resource"]
    assert table.endswith(":table/zapier-triggers-events")
    assert indexes == [f"{table}/index/status-index", f"{table}/index/last-attempt-index"]


def test_the_environment_says_how_often_how_many_and_how(app):
    template = app(SCHEDULE_MINUTES="2", MAX_EVENTS_PER_RUN="500", RESERVED_CONCURRENCY="1",
                   STREAM_TRIGGER="on").template("EventDispatcher")
    assert template.only("Events::Rule")["ScheduleExpression"] == "rate(2 minutes)"
    assert template.only(FUNCTION)["ReservedConcurrentExecutions"] == 1
    assert template.only(FUNCTION)["Environment"]["Variables"]["MAX_EVENTS_PER_RUN"] == "500"
    assert len(template.of_type("Lambda::EventSourceMapping")) == 1


@pytest.mark.parametrize("settings, said", [
    ({"API_BASE_URL": None}, "API_BASE_URL must be the https:// URL of the Triggers API, and is not set"),
    ({"API_BASE_URL": "api.example.com"}, "API_BASE_URL must be the https:// URL"),
    ({"SECRET_ARN": "arn:aws:secretsmanager:us-east-2:123456789012:secret:zapier"}, "must be the complete ARN"),
    ({"SCHEDULE_MINUTES": "5m"}, "SCHEDULE_MINUTES must be a whole number, and is 5m"),
    ({"STREAM_TRIGGER": "yes"}, "STREAM_TRIGGER must be on or off, and is yes"),
    ({"DYNAMODB_TABLE_NAME": "events", "STREAM_TRIGGER": "on"}, "DYNAMODB_STREAM_ARN"),
    ({"DISPATCHER_PACKAGE": "/nowhere/function.zip"}, "run ./dev package"),
])
def test_what_is_wrong_in_the_environment_is_named(app, settings, said):
    assert said in app(status=1, **settings).said


@pytest.mark.parametrize("kind", ["sandbox", "branch"])
def test_the_amplify_backend_nests_the_same_stack(amplify, plain, kind):
    made = amplify(kind)
    (nested,) = [name for name in made.folder.glob("*.nested.template.json")]
    template = workspace.Template(nested)
    kinds = sorted(resource["Type"] for resource in template.resources.values())
    assert kinds == sorted(resource["Type"] for resource in plain.resources.values())
    assert {name.split(".")[-1] for name in template.statements()} == set(plain.statements())
    (root,) = [path for path in made.folder.glob("*.template.json") if ".nested." not in path.name]
    custom = json.dumps(json.loads(root.read_text())["Outputs"])
    for output in ("dispatcherFunctionName", "dispatcherSecretArn", "dispatcherTableName"):
        assert output in custom


def test_amplify_keeps_data_of_a_branch_and_none_of_a_sandbox(amplify):
    for kind, policy in (("branch", "Retain"), ("sandbox", "Delete")):
        (nested,) = [name for name in amplify(kind).folder.glob("*.nested.template.json")]
        (table,) = workspace.Template(nested).whole("DynamoDB::Table").values()
        assert table["DeletionPolicy"] == policy, kind


def test_the_locks_name_the_versions_of_the_packages_and_no_registry():
    shipped = json.loads((workspace.ROOT / "deploy/package.json").read_text())["devDependencies"]
    tested = json.loads((workspace.HERE / "package.json").read_text())["dependencies"]
    assert {name: tested[name] for name in set(tested) & set(shipped)} == \
        {name: shipped[name] for name in set(tested) & set(shipped)}
    # ampx finds them in the project alone, and names none of them as its own.
    assert {"tsx", "esbuild", "@aws-amplify/backend-cli"} <= set(shipped)
    assert {"aws-cdk", "aws-cdk-lib", "constructs", "@aws-amplify/backend", "typescript"} <= set(tested)
    for lock, wanted in (("deploy", shipped), ("tests/deploy", tested)):
        packages = json.loads((workspace.ROOT / lock / "package-lock.json").read_text())["packages"]
        root = {**packages[""].get("dependencies", {}), **packages[""].get("devDependencies", {})}
        assert root == wanted, lock
        assert not [name for name, each in packages.items() if "resolved" in each and not each.get("link")], lock


def test_the_page_on_deploying_names_every_variable_that_is_read():
    read = set(re.findall(r"(?:text|number)\('([A-Z_]+)'\)",
                          (workspace.ROOT / "deploy/lib/from-environment.ts").read_text()))
    page = (workspace.ROOT / "docs/deploy.md").read_text().split("## What can be said")[1].split("\n##")[0]
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| ")]
    assert read == {name for cell in rows for name in re.findall(r"`([A-Z_]{4,})`", cell)}
