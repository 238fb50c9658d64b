"""The names that the stack uses are the program's own: metrics, their namespace, settings and their limits, the
package. A rename in the program fails here before it silences an alarm."""

import json
import re
import zipfile

import workspace
from workspace import reference

NAMESPACE = "ZapierTriggersAPI/Dispatcher"
# By Lambda itself, which refuses a function whose environment names it.
RESERVED = {"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
            "AWS_LAMBDA_RUNTIME_API", "AWS_XRAY_DAEMON_ADDRESS"}


def source(name):
    return (workspace.ROOT / name).read_text(encoding="utf-8")


def settings_of_the_function():
    return {setting["variable"]: setting for setting in reference.read_settings()
            if setting["variable"] and "lambda" in setting["commands"]}


def metrics_used(template):
    """Names of the program's metrics on the dashboard and in alarms."""
    body = json.loads(template.only("CloudWatch::Dashboard")["DashboardBody"])
    shown = {metric[1] for widget in body["widgets"] for metric in widget["properties"]["metrics"]
             if metric[0] == NAMESPACE}
    watched = {alarm["MetricName"] for alarm in template.of_type("CloudWatch::Alarm").values()
               if alarm.get("Namespace") == NAMESPACE}
    return shown | watched


def test_every_metric_used_is_one_of_the_programs(scenarios):
    published = {row[2] for row in reference.rows_of("src/ports/metrics.hpp", "MetricInfo")}
    for name in scenarios.names():
        used = metrics_used(scenarios.template(name))
        assert len(used) == 8 and used <= published, name


def test_the_namespace_is_the_programs():
    (namespace,) = re.findall(r'kMetricsNamespace = "(.*?)"', source("src/adapters/aws/cloudwatch_metrics.hpp"))
    assert namespace == NAMESPACE


def test_every_variable_is_a_setting_of_the_function_and_holds_no_secret(scenarios):
    settings = settings_of_the_function()
    for name in scenarios.names():
        for function in scenarios.template(name).of_type("Lambda::Function").values():
            variables = function["Environment"]["Variables"]
            assert set(variables) <= set(settings), name
            assert not [variable for variable in variables if settings[variable]["is_secret"] == "true"], name
            assert not set(variables) & RESERVED, name


def test_what_is_said_about_metrics_is_one_of_the_programs_choices(plain):
    value = plain.only("Lambda::Function")["Environment"]["Variables"]["CLOUDWATCH_METRICS"]
    assert value in settings_of_the_function()["CLOUDWATCH_METRICS"]["choices"].split("|")


def test_the_events_of_a_run_have_the_programs_limits_and_default(plain):
    stack = source("deploy/lib/program.ts")
    least, most, usual = re.search(r"least: ([\d_]+), most: ([\d_]+), usual: ([\d_]+)", stack).groups()
    (row,) = [row for row in reference.rows_of("src/hosts/settings_table.cpp", "SettingRow")
              if row[3] == "MAX_EVENTS_PER_RUN"]
    assert [least, most.replace("_", ""), usual] == [row[6][0], row[7][0].replace("'", ""), row[8]]


def test_the_secrets_keys_are_those_that_the_program_reads():
    read = source("docs/lambda.md") + source("src/hosts/settings_table.cpp")
    for key in re.findall(r": '(\w+)'", source("deploy/lib/program.ts").split("SECRET =")[1].split("}")[0]):
        assert key in read


def test_the_zip_is_what_dev_package_makes_and_holds_the_handler(zip_file, scenarios):
    stack = source("deploy/lib/program.ts")
    (made,) = re.findall(r"PACKAGE = '(.*?)'", stack)
    assert made == f"build/package/{zip_file.name}"
    assert f'folder / "{zip_file.name}"' in source("scripts/package.py")
    assert re.search(r'scripts/package\.py build/package/dispatcher build/package$', source("dev"), re.MULTILINE)
    function = scenarios.template("Plain").only("Lambda::Function")
    asset = scenarios.folder / f"asset.{function['Code']['S3Key']}"
    assert asset.read_bytes() == zip_file.read_bytes()
    with zipfile.ZipFile(asset) as archive:
        assert archive.namelist() == [function["Handler"]]
