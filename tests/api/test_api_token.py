"""Promise: the API key gets a token that holds for a day, nothing else does, and guessing is slow."""

import base64
import hashlib
import hmac
import json
import signal
import time

import pytest

from api_client import PATIENCE, assert_faults, fault, missing

FORM = "application/x-www-form-urlencoded"


def login(client, body, content_type=FORM):
    return client.post("/token", body, content_type=content_type)


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def make_token(secret, claims=None, header=None):
    now = int(time.time())
    claims = {"sub": "api", "iat": now, "exp": now + 60} if claims is None else claims
    head = encode(json.dumps(header or {"alg": "HS256", "typ": "JWT"}).encode())
    signed = head + b"." + encode(json.dumps(claims).encode())
    return (signed + b"." + encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest())).decode()


def status_with(client, authorization):
    return client.get("/inbox", headers={"Authorization": authorization})


def test_the_key_gets_a_token(service, anonymous):
    answer = login(anonymous, f"username=api&password={service.api_key()}&grant_type=password")
    assert answer.status == 200
    assert list(answer.json) == ["access_token", "token_type"]
    assert answer.json["token_type"] == "bearer"
    header, claims, _ = answer.json["access_token"].split(".")
    decode = lambda part: json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    assert decode(header) == {"alg": "HS256", "typ": "JWT"}
    claims = decode(claims)
    assert claims["sub"] == "api"
    assert claims["api_key"] == service.api_key()[:8] + "..."
    assert claims["exp"] - claims["iat"] == 24 * 3600
    assert abs(claims["iat"] - time.time()) < 60
    assert status_with(anonymous, "Bearer " + answer.json["access_token"]).status == 200


def test_multipart_works_too(service, anonymous):
    parts = "".join(f'--b0\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                    for name, value in (("username", "api"), ("password", service.api_key())))
    answer = login(anonymous, parts + "--b0--\r\n", "multipart/form-data; boundary=b0")
    assert answer.status == 200


@pytest.mark.parametrize("body, content_type", [
    ("--b0\r\nno headers", "multipart/form-data; boundary=b0"),
    ("username=api", "multipart/form-data"),
])
def test_a_malformed_multipart_body_is_refused(anonymous, body, content_type):
    answer = login(anonymous, body, content_type)
    assert answer.status == 400


@pytest.mark.parametrize("user, password", [("api", "wrong"), ("root", None), ("API", None)])
def test_wrong_credentials(service, anonymous, user, password):
    answer = login(anonymous, f"username={user}&password={password or service.api_key()}")
    assert (answer.status, answer.text) == (401, '{"detail":"Incorrect username or password"}')
    assert answer.headers["www-authenticate"] == "Bearer"


def test_missing_fields_are_all_named(anonymous):
    both = [missing("body", "username", input=None), missing("body", "password", input=None)]
    assert_faults(login(anonymous, ""), *both)
    assert_faults(login(anonymous, "username=&password="), *both)
    assert_faults(login(anonymous, '{"username":"api"}', "application/json"), *both)
    assert_faults(login(anonymous, "username=api"), both[1])


def test_the_grant_type_is_password(anonymous):
    wrong = fault("string_pattern_mismatch", ["body", "grant_type"],
                  "String should match pattern '^password$'", "implicit", pattern="^password$")
    assert_faults(login(anonymous, "grant_type=implicit&username=a&password=b"), wrong)
    assert_faults(login(anonymous, "grant_type=implicit&password=b"), wrong,
                  missing("body", "username", input=None))


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_may_be_in_any_case(service, anonymous, scheme):
    assert status_with(anonymous, f"{scheme} {make_token(service.jwt_secret())}").status == 200


@pytest.mark.parametrize("authorization", ["", "Basic YXBpOmtleQ==", "Token x", "x"])
def test_another_scheme_is_no_authentication(anonymous, authorization):
    answer = status_with(anonymous, authorization)
    assert (answer.status, answer.text) == (401, '{"detail":"Not authenticated"}')
    assert answer.headers["www-authenticate"] == "Bearer"


def bad_tokens(secret):
    now = int(time.time())
    good = make_token(secret)
    unsigned = encode(b'{"alg":"none"}').decode() + "." + good.split(".")[1] + "."
    yield from ("", "x", "a.b.c", ".", "..", "." * 3000, good[:-2], good + "A", unsigned)
    yield good.replace(".", "..", 1)
    yield make_token("another secret")
    yield make_token("")
    yield make_token(secret, header={"alg": "HS512"})
    yield make_token(secret, header={"alg": "none"})
    yield make_token(secret, {"sub": "api", "exp": now - 1})
    yield make_token(secret, {"sub": "api"})
    yield make_token(secret, {"sub": "root", "exp": now + 60})
    yield make_token(secret, {"exp": now + 60})
    yield make_token(secret, {"sub": "api", "exp": "soon"})
    yield make_token(secret, {"sub": "api", "iat": now + 3600, "exp": now + 7200})
    yield make_token(secret, [])


def test_bad_tokens(service, anonymous):
    for token in bad_tokens(service.jwt_secret()):
        answer = status_with(anonymous, f"Bearer {token}")
        assert (answer.status, answer.text) == (401, '{"detail":"Could not validate credentials"}'), token
        assert answer.headers["www-authenticate"] == "Bearer"


def test_of_several_keys_all_are_taken_and_the_first_signs(start):
    service = start(secrets={"zapier_api_key": ["key-number-one", "key-number-two"],
                             "jwt_secret": ["jwt-new", "jwt-old"]})
    anonymous = service.anonymous()
    for key in ("key-number-one", "key-number-two"):
        token = login(anonymous, f"username=api&password={key}").json["access_token"]
        signed, _, signature = token.rpartition(".")
        expected = hmac.new(b"jwt-new", signed.encode(), hashlib.sha256).digest()
        assert signature == encode(expected).decode()
    assert status_with(anonymous, f"Bearer {make_token('jwt-old')}").status == 200


def test_a_new_secret_is_read_on_sighup(start):
    service = start(secrets={"zapier_api_key": "first-key", "jwt_secret": "first"})
    client = service.client()
    service.write_secrets({"zapier_api_key": "second-key", "jwt_secret": "second"})
    service.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + PATIENCE
    while client.get("/inbox").status == 200 and time.monotonic() < deadline:
        pass
    assert client.get("/inbox").status == 401
    assert service.client().get("/inbox").status == 200


def test_after_a_hundred_wrong_tries_the_address_waits(start):
    service = start()
    client = service.anonymous()
    for _ in range(100):
        assert login(client, "username=api&password=guess").status == 401
    answer = login(client, f"username=api&password={service.api_key()}")
    assert answer.status == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert isinstance(answer.detail, str)
