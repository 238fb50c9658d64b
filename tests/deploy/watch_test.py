"""What tells people how the dispatcher is doing: alarms by e-mail, a dashboard, a log that does not grow for
ever, traces."""

import json

NAMESPACE = "ZapierTriggersAPI/Dispatcher"
FUNCTION = [{"Name": "FunctionName", "Value": "${DispatcherFunction}"}]


def test_high_error_rate_is_more_than_three_errors_in_five_minutes(plain):
    alarm = plain.alarm("DispatcherHighErrorRate")
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Dimensions"]) == ("AWS/Lambda", "Errors", FUNCTION)
    assert (alarm["Statistic"], alarm["Period"], alarm["EvaluationPeriods"]) == ("Sum", 300, 1)
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 3)
    assert alarm["TreatMissingData"] == "notBreaching"


def no_run(template):
    """(the expression's metrics, seconds without a successful run until the alarm goes off)."""
    alarm = template.alarm("DispatcherNoSuccessfulRun")
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    assert alarm["TreatMissingData"] == "breaching"  # a function that never runs has no data at all
    (whole,) = [each for each in alarm["Metrics"] if "Expression" in each]
    assert whole["Expression"] == "FILL(invocations, 0) - FILL(errors, 0)"
    parts = {each["Id"]: each["MetricStat"] for each in alarm["Metrics"] if "MetricStat" in each}
    (period,) = {each["Period"] for each in parts.values()}
    return ({name: (each["Metric"]["MetricName"], each["Stat"]) for name, each in parts.items()},
            period * alarm["EvaluationPeriods"])


def test_no_successful_run_in_fifteen_minutes_is_an_alarm_even_when_nothing_runs(plain):
    assert no_run(plain) == ({"invocations": ("Invocations", "Sum"), "errors": ("Errors", "Sum")}, 15 * 60)


def test_a_slower_schedule_has_three_of_its_periods(scenarios):
    assert no_run(scenarios.template("Slow"))[1] == 3 * 3600
    assert no_run(scenarios.template("Tuned"))[1] == 15 * 60


def ours(template, name):
    alarm = template.alarm(f"Alarms{name}")
    assert alarm["Namespace"] == NAMESPACE and "Dimensions" not in alarm
    assert alarm["TreatMissingData"] == "notBreaching"
    return (alarm["MetricName"], alarm["Statistic"], alarm["Period"], alarm["ComparisonOperator"], alarm["Threshold"])


def test_more_than_three_failed_deliveries_in_five_minutes_are_an_alarm(plain):
    assert ours(plain, "FailedDeliveries") == ("FailedDeliveries", "Sum", 300, "GreaterThanThreshold", 3)


def test_an_event_that_waits_too_long_is_an_alarm(plain, scenarios):
    expected = ("OldestPendingAge", "Maximum", 300, "GreaterThanOrEqualToThreshold")
    assert ours(plain, "OldestPending") == (*expected, 3600)
    assert ours(scenarios.template("Tuned"), "OldestPending") == (*expected, 1200)


def test_an_event_in_review_is_an_alarm(plain, scenarios):
    assert ours(plain, "EventsInReview") == ("EventsInReview", "Maximum", 300, "GreaterThanThreshold", 0)
    assert ours(scenarios.template("Slow"), "EventsInReview")[2] == 3600  # a run's figure lasts until the next


def test_the_oldest_may_be_as_old_as_three_periods_of_a_slow_schedule(scenarios):
    assert scenarios.template("Slow").alarm("OldestPending")["Threshold"] == 3 * 3600
    assert scenarios.template("Tuned").alarm("OldestPending")["Threshold"] == 20 * 60


def test_an_event_that_expired_undelivered_is_an_alarm(plain):
    assert ours(plain, "EventsExpired") == ("EventsExpired", "Sum", 300, "GreaterThanThreshold", 0)


def test_what_the_stream_trigger_gave_up_is_an_alarm(plain, scenarios):
    assert not [name for name in plain.of_type("CloudWatch::Alarm") if "StreamFailures" in name]
    alarm = scenarios.template("Stream").alarm("StreamFailures")
    assert (alarm["MetricName"], alarm["Threshold"]) == ("ApproximateNumberOfMessagesVisible", 0)


def test_every_alarm_tells_the_topic_when_it_comes_and_when_it_goes(plain):
    alarms = plain.of_type("CloudWatch::Alarm")
    assert len(alarms) == 6
    for name, alarm in alarms.items():
        assert alarm["AlarmActions"] == alarm["OKActions"] == ["${DispatcherAlarmsTopic}"], name
        assert alarm["AlarmDescription"], name


def test_each_of_several_functions_is_watched(scenarios):
    alarms = scenarios.template("Several").of_type("CloudWatch::Alarm")
    for which in ("Dispatcher", "Billing", "Audit"):
        for alarm in ("HighErrorRate", "NoSuccessfulRun"):
            assert f"DispatcherAlarms{which}{alarm}" in alarms


def test_the_topic_mails_who_is_named(plain, scenarios):
    assert plain.of_type("SNS::Subscription") == {}
    subscription = scenarios.template("Tuned").only("SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "on-call@example.com")
    assert subscription["TopicArn"] == "${DispatcherAlarmsTopic}"


def test_alarms_of_the_account_may_publish_and_only_encrypted(plain):
    statements = plain.only("SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    (denied,) = [each for each in statements if each["Effect"] == "Deny"]
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    (allowed,) = [each for each in statements if each["Effect"] == "Allow"]
    assert (allowed["Principal"], allowed["Action"]) == ({"Service": "cloudwatch.amazonaws.com"}, "sns:Publish")
    assert allowed["Condition"] == {"StringEquals": {"aws:SourceAccount": "${AWS::AccountId}"}}


def graphs(template):
    """Title → the metrics' names."""
    body = json.loads(template.only("CloudWatch::Dashboard")["DashboardBody"])
    return {widget["properties"]["title"]: [metric[1] for metric in widget["properties"]["metrics"]]
            for widget in body["widgets"]}


def test_the_dashboard_shows_what_the_original_showed_and_ours(plain):
    assert graphs(plain) == {
        "Events": ["EventsProcessed", "SuccessfulDeliveries", "FailedDeliveries"],
        "Latency and retries": ["DeliveryLatency", "DeliveryLatency", "RetryAttempts"],
        "Invocations and errors": ["Invocations", "Errors"],
        "Duration and throttles": ["Duration", "Throttles"],
        "Events in review, events expired": ["EventsInReview", "EventsExpired"],
        "Age of the oldest pending event": ["OldestPendingAge"],
    }


def test_the_log_has_the_name_that_lambda_gives_it_and_an_end(plain, scenarios):
    log, function = plain.only("Logs::LogGroup"), plain.only("Lambda::Function")
    assert log["LogGroupName"] == f"/aws/lambda/{function['FunctionName']}"
    assert function["LoggingConfig"] == {"LogGroup": "${DispatcherLog}"}
    assert log["RetentionInDays"] == 30
    assert scenarios.template("Tuned").only("Logs::LogGroup")["RetentionInDays"] == 7


def test_a_sampling_rule_is_there_for_each_function(plain, scenarios):
    rule = plain.only("XRay::SamplingRule")["SamplingRule"]
    assert (rule["ServiceName"], rule["FixedRate"], rule["ReservoirSize"]) == ("${DispatcherFunction}", 0.05, 1)
    assert 0 < len(rule["RuleName"]) <= 32
    assert scenarios.template("Tuned").only("XRay::SamplingRule")["SamplingRule"]["FixedRate"] == 0.01
    names = [each["SamplingRule"]["RuleName"] for each in scenarios.template("Several").of_type(
        "XRay::SamplingRule").values()]
    assert len(set(names)) == 3
