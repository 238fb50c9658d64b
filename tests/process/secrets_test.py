"""No secret reaches a log, an error or a metric: not the path of a webhook's URL nor its password, not
the API key, not a token, not a signing secret, not a payload, whatever goes wrong."""

import base64
import json
import uuid

import harness

MARK = uuid.uuid4().hex


def marked(name):
    return f"{name}{MARK}"


def secret_file(folder, urls):
    path = folder / "secret.json"
    path.write_text(json.dumps({
        "zapier_api_key": marked("apikey"), "zapier_webhook_url": urls,
        "jwt_secret": marked("jwtsecret"), "zapier_webhook_secret": marked("webhooksecret")}))
    return path


def provoke(service):
    """Requests of every sort that may tempt somebody to log what they hold. Returns the events' ids."""
    client = service.anonymous().take_token(marked("apikey"))
    ids = [client.post_event({"text": marked("payload")}) for _ in range(5)]
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    json_type = {"Content-Type": "application/json"}
    requests = [
        ("POST", "/token", f"username=api&password={marked('wrongkey')}", form),
        ("POST", "/events", '{"type":1,"payload":"' + marked("badpayload") + '"}', json_type),
        ("POST", "/events", '{"payload":{"a":"' + marked("cutpayload"), json_type),
        ("POST", "/events", b"\xff" + marked("bytes").encode(), json_type),
        ("POST", "/webhook", '{"event_type":"t","payload":{"a":"' + marked("hookpayload") + '"}}',
         {**json_type, "X-Webhook-Signature": "0" * 64}),
        ("GET", "/inbox", None, {"Authorization": f"Bearer {marked('badtoken')}"}),
        ("GET", f"/events/{marked('path')}?token={marked('query')}", None, {}),
    ]
    for method, path, body, headers in requests:
        status, _, _ = client.request(method, path, body, headers)
        assert status < 500
    return client, ids


def texts_of(client, ids):
    """What the service says about events that failed, and its metrics."""
    yield "the metrics", client.request("GET", "/metrics")[2].decode()
    for event in ids:
        for attempt in client.json("GET", f"/events/{event}/attempts")["items"]:
            yield "an attempt", json.dumps(attempt)
        for delivery in client.json("GET", f"/events/{event}")["deliveries"]:
            yield "a delivery", json.dumps(delivery)


def test_no_secret_is_in_the_log_an_error_or_a_metric(tmp_path, starts):
    refuses = starts(harness.Receiver, "--status", "404", name="refuses")
    fails = starts(harness.Receiver, "--fail-rate", "1", name="fails")
    gone = starts(harness.Receiver, name="gone")
    gone.kill()
    urls = [
        refuses.url(f"/{marked('path')}?key={marked('query')}"),
        fails.url(f"/{marked('path')}").replace("//", f"//{marked('user')}:{marked('password')}@"),
        gone.url(f"/{marked('path')}"),
        f"http://192.0.2.1/{marked('path')}",  # blocked: neither HTTPS nor a public address
    ]
    service = starts(
        harness.Service, "--ca-file", refuses.ca_file, "--ca-file", fails.ca_file,
        "--allow-target", "https://127.0.0.0/8", "--log-level", "debug",
        "--secrets-file", secret_file(tmp_path, urls),
        env={"METRICS_TOKEN": marked("metricstoken"), "RETRY_BASE_SECONDS": "0.05"})
    client, ids = provoke(service)

    def all_attempted():
        deliveries = client.json("GET", f"/events/{ids[-1]}")["deliveries"]
        return len(deliveries) == len(urls) and all(one["attempts"] for one in deliveries)

    harness.wait_until(all_attempted, "an attempt at each of the endpoints")
    texts = list(texts_of(client, ids))
    token = client.token
    client.close()
    service.terminate()
    assert service.wait() == 0
    texts += [("the log", service.stderr()), ("standard output", service.stdout()),
              ("the receiver's log", refuses.stderr() + fails.stderr())]
    assert service.stderr().strip(), "there is no log to look at"
    for where, text in texts:
        assert MARK not in text, f"{where}: {text[max(0, text.find(MARK) - 300):][:700]}"
        assert token not in text, where


def files_of(service):
    """The bytes of everything in the data directory, the secret file aside: the database, its log, ..."""
    for path in service.data.rglob("*"):
        if path.is_file() and path.name != "secrets.json":
            yield path.name, path.read_bytes()


def test_what_an_endpoint_of_the_api_keeps_secret_is_in_no_file_and_shown_nowhere(starts):
    refuses = starts(harness.Receiver, "--status", "404")
    service = starts(harness.Service, "--ca-file", refuses.ca_file, "--allow-target",
                     "https://127.0.0.0/8", "--log-level", "debug",
                     env={"RETRY_BASE_SECONDS": "0.05"})
    client = service.client()
    url = refuses.url(f"/{marked('path')}?key={marked('query')}").replace(
        "//", f"//{marked('user')}:{marked('password')}@")
    key = base64.b64encode(MARK.encode()).decode()  # 32 bytes
    made = client.json("POST", "/endpoints", {
        "url": url, "headers": {"X-Key": marked("header")}, "secret": f"whsec_{key}"}, expect=201)
    path = f"/endpoints/{made['id']}"
    rotated = client.json("POST", f"{path}/rotate-secret", {})
    event = client.post_event()
    harness.wait_until(lambda: client.json("GET", f"/events?state=review")["items"], "the refusal")
    texts = [("a fault", client.request("PATCH", path, body)[2].decode()) for body in (
        {"url": f"gopher://{marked('path')}"}, {"headers": {"X-Key": marked("header") + "\n"}},
        {"headers": marked("header")}, {"headerz": {"X-Key": marked("header")}})]
    texts += [("a test", client.request("POST", f"{path}/test")[2].decode()),
              ("a change", client.request("PATCH", path, {"retries": 1})[2].decode()),
              ("the endpoint", client.request("GET", path)[2].decode()),
              ("the list", client.request("GET", "/endpoints")[2].decode()), *texts_of(client, [event])]
    assert client.json("GET", f"{path}?reveal=true")["url"] == url
    files = list(files_of(service))
    client.close()
    service.terminate()
    assert service.wait() == 0
    files += files_of(service)
    texts += [("the log", service.stderr()), ("standard output", service.stdout())]
    new_key = rotated["secret"].removeprefix("whsec_")
    secrets = [MARK, key, new_key]
    for where, text in texts:
        assert not [one for one in secrets if one in text], f"{where}: {text[:700]}"
    assert any(made["id"].encode() in content for _, content in files), "not the files that keep it"
    for where, content in files:
        for one in (*map(str.encode, secrets), base64.b64decode(new_key)):
            assert one not in content, where


def test_every_log_line_is_one_json_object(starts):
    receiver = starts(harness.Receiver, "--status", "404")
    service = starts(harness.Service, *harness.delivering(receiver), "--log-format", "json",
                     "--log-level", "debug")
    client = service.client()
    client.post_event({"line": "one\ntwo"}, type="a\nb", source='"\\')
    harness.wait_until(receiver.records, "the event to be received")
    client.close()
    service.terminate()
    assert service.wait() == 0
    lines = service.stderr().splitlines()
    assert lines
    for line in lines:
        assert isinstance(json.loads(line), dict)


def test_the_files_that_hold_secrets_are_their_owners_alone(starts):
    service = starts(harness.Service)
    for path in service.data.rglob("*"):
        if path.is_file() and path.name != "address":
            assert path.stat().st_mode & 0o077 == 0, f"{path.name} can be read by others"
