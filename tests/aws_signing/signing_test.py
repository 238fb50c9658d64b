"""Promise: what this program's AWS client sends is what AWS's own client would have signed: botocore
recomputes the signature of each request, byte for byte, for every service, with and without a session
token, after a clock that was wrong, and with credentials from each place they may come from."""

import datetime
import email.utils
import json
import os
import pathlib
import subprocess

import pytest

from capture import CapturingServer, expected_authorization

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("DISPATCHER_BIN", ROOT / "build/release/dispatcher"))
PROBE = BINARY.resolve().parent / "tests" / "aws_probe"
LIMIT_SECONDS = 60

SECRETS = {"key-one": ("hunter2/+=", None), "key-two": ("hunter3", "a+token/with=signs==")}
CALLS = [
    ("dynamodb", "Query", '{"TableName":"events","KeyConditionExpression":"#s = :p"}'),
    ("dynamodb", "UpdateItem", '{"TableName":"events","Key":{"id":{"S":"\u00e9\u1234 /%~"}}}'),
    ("secretsmanager", "GetSecretValue", '{"SecretId":"arn:aws:secretsmanager:us-east-2:1:secret:x"}'),
    ("cloudwatch", "PutMetricData", "Namespace=Zapier%2FD&MetricData.member.1.MetricName=a%20b"),
    ("cloudwatch", "PutMetricData", ""),
]
SCOPES = {"dynamodb": "dynamodb", "secretsmanager": "secretsmanager", "cloudwatch": "monitoring"}


@pytest.fixture
def aws():
    server = CapturingServer()
    yield server
    server.close()


@pytest.fixture
def probe(aws, tmp_path):
    """Makes calls with the client; returns its lines, and fails when it did or a secret was printed."""

    def run(calls, **variables):
        environment = {"AWS_ENDPOINT_URL": aws.origin, "AWS_REGION": "us-east-2", "HOME": str(tmp_path),
                       **{name: value for name, value in variables.items() if value is not None}}
        done = subprocess.run([PROBE], input="".join("\t".join(call) + "\n" for call in calls),
                              env=environment, capture_output=True, text=True, timeout=LIMIT_SECONDS)
        assert done.returncode == 0, done.stderr
        assert "hunter" not in done.stdout + done.stderr
        return [line.split("\t") for line in done.stdout.splitlines()]

    return run


def variables_of(key):
    secret, token = SECRETS[key]
    return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token}


def check_signatures(aws):
    assert aws.captured
    for captured in aws.captured:
        assert captured.headers["Authorization"] == expected_authorization(captured, aws.origin, SECRETS)


@pytest.mark.parametrize("key", SECRETS)
def test_every_service_s_call_is_signed_as_botocore_signs_it(aws, probe, key):
    assert [line[0] for line in probe(CALLS, **variables_of(key))] == ["ok"] * len(CALLS)
    check_signatures(aws)
    for captured, (service, action, body) in zip(aws.captured, CALLS, strict=True):
        used, day, region, scope, signed, _ = captured.authorization()
        assert (used, region, scope) == (key, "us-east-2", SCOPES[service])
        assert day == captured.headers["X-Amz-Date"][:8]
        assert {"host", "content-type", "x-amz-date"} <= set(signed)
        assert captured.headers.get("X-Amz-Security-Token") == SECRETS[key][1]
        assert ("x-amz-security-token" in signed) == (SECRETS[key][1] is not None)
        if service == "cloudwatch":
            expected = f"Action={action}&Version=2010-08-01" + (f"&{body}" if body else "")
            assert captured.body.decode() == expected
        else:
            assert captured.body.decode() == body
            assert captured.headers["X-Amz-Target"].endswith("." + action)
            assert "x-amz-target" in signed


def test_a_signature_that_is_not_botocore_s_is_found(aws, probe):
    """The check itself can fail."""
    probe(CALLS[:1], **variables_of("key-one"))
    aws.captured[0].body += b" "
    with pytest.raises(AssertionError):
        check_signatures(aws)


def test_the_time_signed_is_ours_until_aws_says_that_it_is_wrong(aws, probe):
    ahead = datetime.timedelta(minutes=17)

    def strict_about_time(captured):
        now = datetime.datetime.utcnow() + ahead
        date = {"Date": email.utils.format_datetime(now.replace(tzinfo=datetime.timezone.utc), usegmt=True)}
        signed_at = datetime.datetime.strptime(captured.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ")
        if abs(now - signed_at) > datetime.timedelta(minutes=5):
            return 400, date, json.dumps({"__type": "com.amazon.coral.service#InvalidSignatureException",
                                          "message": "Signature expired: hunter"}).encode()
        return 200, date, b'{"Items":[]}'

    aws.answer = strict_about_time
    assert [line[0] for line in probe(CALLS[:3], **variables_of("key-two"))] == ["ok"] * 3
    assert len(aws.captured) == 4
    check_signatures(aws)


def test_credentials_of_a_profile(aws, probe, tmp_path):
    folder = tmp_path / ".aws"
    folder.mkdir()
    (folder / "credentials").write_text(
        "[default]\naws_access_key_id = nobody\naws_secret_access_key = hunter4\n"
        f"[work]\naws_access_key_id = key-one\naws_secret_access_key = {SECRETS['key-one'][0]}\n")
    (folder / "config").write_text("[profile work]\nregion = eu-west-1\n")
    assert probe(CALLS[:1], AWS_PROFILE="work", AWS_REGION="")[0][0] == "ok"
    assert aws.captured[0].authorization()[2] == "eu-west-1"
    check_signatures(aws)


def test_credentials_of_a_container(aws, probe):
    def agent(captured):
        if captured.method == "POST":
            return 200, {}, b"{}"
        assert captured.headers["Authorization"] == "agent-token"
        secret, token = SECRETS["key-two"]
        return 200, {}, json.dumps({"AccessKeyId": "key-two", "SecretAccessKey": secret, "Token": token,
                                    "Expiration": "2126-01-01T00:00:00Z"}).encode()

    aws.answer = agent
    lines = probe(CALLS, AWS_CONTAINER_CREDENTIALS_FULL_URI=aws.origin + "/role",
                  AWS_CONTAINER_AUTHORIZATION_TOKEN="agent-token")
    assert [line[0] for line in lines] == ["ok"] * len(CALLS)
    assert [captured.method for captured in aws.captured] == ["GET"] + ["POST"] * len(CALLS)
    del aws.captured[0]
    check_signatures(aws)


def test_what_aws_refuses_is_named_by_its_code(aws, probe):
    aws.answer = lambda captured: (400, {}, b'{"__type":"x#AccessDeniedException","Message":"not you"}')
    line = probe(CALLS[:1], **variables_of("key-one"))[0]
    assert line[:3] == ["error", "refused", "AccessDeniedException"]
    assert line[3] == (f"DynamoDB Query at {aws.origin}: it answered 400 AccessDeniedException: not you "
                       "(allow it in the policy of this program's role)")
