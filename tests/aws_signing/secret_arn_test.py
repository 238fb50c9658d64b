"""Promise: with SECRET_ARN a command reads its secret from Secrets Manager, by a request that AWS would
accept, and uses it; what is wrong with it is named with what to do, and nothing of it is shown."""

import json
import os
import pathlib
import subprocess

import pytest

from capture import CapturingServer, expected_authorization

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("DISPATCHER_BIN", str(ROOT / "build/release/dispatcher"))
LIMIT_SECONDS = 60
ARN = "arn:aws:secretsmanager:us-east-2:123456789012:secret:triggers-AbCdEf"
KEYS = {"key-one": ("hunter2", "hunter3")}


class Cloud(CapturingServer):
    """Secrets Manager, and a Triggers API that accepts the key `hunter4`."""

    def __init__(self):
        super().__init__()
        self.secret = (200, {}, json.dumps({"SecretString": json.dumps({"zapier_api_key": "hunter4"})}))
        self.answer = self.route

    def route(self, captured):
        if captured.path == "/":
            status, headers, body = self.secret
            return status, headers, body.encode()
        if captured.path == "/token":
            accepted = b"password=hunter4" in captured.body
            return (200, {}, b'{"access_token":"hunter5","token_type":"bearer"}') if accepted else (401, {}, b"{}")
        assert captured.headers["Authorization"] == "Bearer hunter5"
        return 200, {}, b'{"items":[],"next_cursor":null}'


@pytest.fixture
def cloud():
    cloud = Cloud()
    yield cloud
    cloud.close()


@pytest.fixture
def list_events(cloud, tmp_path):
    def run(**more):
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "API_BASE_URL": cloud.origin,
                       "AWS_ENDPOINT_URL_SECRETS_MANAGER": cloud.origin, "AWS_REGION": "us-east-2",
                       "AWS_ACCESS_KEY_ID": "key-one", "AWS_SECRET_ACCESS_KEY": "hunter2",
                       "AWS_SESSION_TOKEN": "hunter3", "SECRET_ARN": ARN, **more}
        done = subprocess.run([BINARY, "events", "list", "--json"], env=environment, cwd=tmp_path,
                              capture_output=True, text=True, timeout=LIMIT_SECONDS)
        assert "hunter" not in done.stdout + done.stderr
        return done

    return run


def test_a_command_uses_the_secret_that_secrets_manager_holds(cloud, list_events):
    done = list_events()
    assert done.returncode == 0, done.stderr
    assert [captured.path.split("?")[0] for captured in cloud.captured] == ["/", "/token", "/events"]
    asked = cloud.captured[0]
    assert json.loads(asked.body) == {"SecretId": ARN}
    assert asked.headers["X-Amz-Target"] == "secretsmanager.GetSecretValue"
    assert asked.headers["Authorization"] == expected_authorization(asked, cloud.origin, KEYS)


@pytest.mark.parametrize("answer, said", [
    ((400, {}, '{"__type":"x#AccessDeniedException","Message":"User x may not"}'),
     "AccessDeniedException: User x may not (allow it in the policy of this program's role)"),
    ((400, {}, '{"__type":"x#ResourceNotFoundException","Message":"no such secret"}'),
     "ResourceNotFoundException: no such secret (is its name right, and the region?)"),
    ((200, {}, '{"SecretString":"{\\"zapier_api_key\\":\\"\\",\\"jwt_secret\\":\\"hunter4\\"}"}'),
     f"zapier_api_key: is missing or empty; add it (in the secret {ARN})"),
    ((200, {}, '{"SecretBinary":"aHVudGVyNA=="}'), f"the secret {ARN} holds SecretBinary"),
])
def test_what_is_wrong_with_the_secret_is_said(cloud, list_events, answer, said):
    cloud.secret = answer
    done = list_events()
    assert done.returncode != 0
    assert said in done.stderr
    assert len(cloud.captured) == 1


def test_without_credentials_or_a_region_nothing_is_asked(cloud, list_events):
    assert "there are no AWS credentials" in list_events(AWS_ACCESS_KEY_ID="").stderr
    assert "AWS_REGION: no region is set" in list_events(AWS_REGION="").stderr
    assert cloud.captured == []
