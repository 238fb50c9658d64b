"""cdk-nag's AwsSolutions rules find nothing in any of the stacks but what is argued here."""

import json
import re

# Rule (and for IAM5 what it found) → the paths below the stack at which it may, and why.
EXCEPTIONS = {
    "AwsSolutions-IAM5[Resource::*]": (
        r"Dispatcher/\w+/Role", "X-Ray and PutMetricData know no ARN; the latter is limited to one namespace"),
    "AwsSolutions-IAM5[Resource::TABLE/stream/*]": (
        r"Dispatcher/Dispatcher/Role", "a stream's name is the time it was enabled; AWS's own policy has the same"),
    "AwsSolutions-SMG4": (
        r"Dispatcher/\w*Secret(JwtKey)?",
        "the API's key and the URL are made outside AWS: rotating them here would lock the dispatcher out. The "
        "program reads a changed secret by itself"),
    "AwsSolutions-SQS3": (
        r"Dispatcher/Dispatcher/StreamFailures", "it is itself where records go that cannot be delivered"),
}


def findings(report):
    """(rule, path below the stack)"""
    for plugin in report["pluginReports"]:
        for violation in plugin["violations"]:
            rule = re.sub(r"::(<\w+\.Arn>|arn:aws:dynamodb:[^/]*/[\w-]+)/", "::TABLE/", violation["ruleName"])
            for construct in violation["violatingConstructs"]:
                path = construct["constructPath"].split("/", 1)[1]
                yield rule, re.sub("/Resource$", "", path)


def test_nothing_is_found_but_what_is_argued(scenarios):
    report = json.loads((scenarios.folder / "validation-report.json").read_text())
    assert [plugin["pluginName"] for plugin in report["pluginReports"]] == ["AwsSolutions"]
    unargued = [(rule, path) for rule, path in findings(report)
                if rule not in EXCEPTIONS or not re.fullmatch(EXCEPTIONS[rule][0], path)]
    assert unargued == []


def test_no_exception_is_argued_that_is_not_needed(scenarios):
    report = json.loads((scenarios.folder / "validation-report.json").read_text())
    assert set(EXCEPTIONS) == {rule for rule, _ in findings(report)}
