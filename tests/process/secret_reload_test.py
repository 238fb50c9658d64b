"""SIGHUP makes `serve` read its secret again: a new API key works, an old one no longer does, and what
was wrong with a new secret leaves the old one in place, and keys that endpoints are kept under can be
exchanged."""

import base64
import json
import signal
import threading

import pytest

import harness
import loopback_server


def write(path, **secret):
    path.write_text(json.dumps({"jwt_secret": "j" * 40, **secret}))


def token_status(service, key):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    return service.anonymous().request("POST", "/token", f"username=api&password={key}", form)[0]


def test_sighup_reads_the_secret_again(tmp_path, starts):
    path = tmp_path / "secret.json"
    write(path, zapier_api_key="first-key")
    service = starts(harness.Service, "--secrets-file", path)
    assert token_status(service, "first-key") == 200
    assert token_status(service, "second-key") == 401
    write(path, zapier_api_key="second-key")
    service.signal(signal.SIGHUP)
    harness.wait_until(lambda: token_status(service, "second-key") == 200, "the new key to be taken")
    assert token_status(service, "first-key") == 401


def test_a_bad_secret_leaves_the_old_one_in_place(tmp_path, starts):
    path = tmp_path / "secret.json"
    write(path, zapier_api_key="first-key")
    service = starts(harness.Service, "--secrets-file", path)
    logged = len(service.stderr())
    path.write_text('{"zapier_api_key": ')
    service.signal(signal.SIGHUP)
    harness.wait_until(lambda: len(service.stderr()) > logged or not service.is_running(),
                       "a line that says what is wrong")
    assert service.is_running()
    assert token_status(service, "first-key") == 200


def test_a_new_webhook_url_takes_over_the_backlog_of_the_old_one(tmp_path, starts):
    receiver = starts(harness.Receiver)
    gone = starts(harness.Receiver, name="gone")
    gone.kill()
    path = tmp_path / "secret.json"
    write(path, zapier_api_key="key", zapier_webhook_url=gone.url())
    service = starts(harness.Service, "--secrets-file", path, "--ca-file", receiver.ca_file,
                     "--allow-target", "https://127.0.0.0/8", env={"RETRY_BASE_SECONDS": "0.1"})
    event = service.anonymous().take_token("key").post_event()
    write(path, zapier_api_key="key", zapier_webhook_url=receiver.url())
    service.signal(signal.SIGHUP)
    harness.wait_until(lambda: event in harness.delivered_ids(receiver.records()),
                       "the event to arrive at the new URL")


def test_a_new_encryption_key_is_taken_and_the_old_one_can_go(tmp_path, starts):
    receiver = starts(harness.Receiver)
    keys = [base64.b64encode(bytes([byte]) * 32).decode() for byte in b"ab"]
    path = tmp_path / "secret.json"
    write(path, zapier_api_key="key", encryption_keys=keys[:1])
    service = starts(harness.Service, "--secrets-file", path, "--ca-file", receiver.ca_file,
                     "--allow-target", "https://127.0.0.0/8", env={"RETRY_BASE_SECONDS": "0.1"})
    client = service.anonymous().take_token("key")
    made = client.json("POST", "/endpoints", {"url": receiver.url()}, expect=201)["id"]

    def reload(encryption_keys):
        logged = service.stderr().count("the secret was read again")
        write(path, zapier_api_key="key", encryption_keys=encryption_keys)
        service.signal(signal.SIGHUP)
        harness.wait_until(lambda: service.stderr().count("the secret was read again") > logged,
                           "the secret to be read")

    def state():
        return client.json("GET", f"/endpoints/{made}")["state"]

    reload(keys[1:])
    assert state() == "disabled"
    reload(keys[::-1])
    assert state() == "active"
    # The new key alone suffices as soon as everything has been sealed anew.
    def suffices():
        reload(keys[1:])
        if state() == "active":
            return True
        reload(keys[::-1])
        return False

    harness.wait_until(suffices, "the endpoint to be sealed under the new key")
    event = client.post_event()
    harness.wait_until(lambda: event in harness.delivered_ids(receiver.records()), "the delivery")


class SlowSecretsManager:
    """Answers when it may."""

    def __init__(self):
        self.secret, self.asked, self.open = {}, 0, threading.Event()
        self.open.set()
        manager = self

        class Handler(loopback_server.Handler):
            def do_POST(self):
                self.body()
                text = json.dumps({"SecretString": json.dumps(manager.secret)})
                manager.asked += 1
                manager.open.wait(harness.PATIENCE)
                try:
                    self.answer(200, text)
                except OSError:
                    pass  # the caller has gone

        self.server = loopback_server.LoopbackServer(Handler)

    def settings(self):
        return {"SECRET_ARN": "arn:aws:secretsmanager:us-east-2:123456789012:secret:s-AbCdEf",
                "AWS_ENDPOINT_URL": self.server.origin,
                "AWS_REGION": "us-east-2", "AWS_ACCESS_KEY_ID": "id",
                "AWS_SECRET_ACCESS_KEY": "key"}

    def keys_are(self, api_key):
        self.secret = {"jwt_secret": "j" * 40, "zapier_api_key": api_key}

    def close(self):
        self.open.set()
        self.server.close()


@pytest.fixture
def manager():
    made = SlowSecretsManager()
    yield made
    made.close()


def test_a_stop_does_not_wait_for_a_secret_that_is_being_read(starts, manager):
    manager.keys_are("key")
    service = starts(harness.Service, env=manager.settings())
    manager.open.clear()
    service.signal(signal.SIGHUP)
    harness.wait_until(lambda: manager.asked == 2, "the secret to be asked for")
    service.terminate()
    harness.wait_until(lambda: "stopping" in service.stderr(), "the signal to be heeded")
    assert service.wait() == 0
    assert not manager.open.is_set()


def test_what_was_asked_for_during_a_reading_is_read_after_it(starts, manager):
    manager.keys_are("first-key")
    service = starts(harness.Service, env=manager.settings())
    manager.keys_are("second-key")
    manager.open.clear()
    service.signal(signal.SIGHUP)
    harness.wait_until(lambda: manager.asked == 2, "the secret to be asked for")
    manager.keys_are("third-key")
    service.signal(signal.SIGHUP)
    manager.open.set()
    harness.wait_until(lambda: token_status(service, "third-key") == 200, "the newest key to be taken")
    assert manager.asked == 3
