"""The command line: exit status 0, 1 and 2, nothing but data on stdout, an error in one line that names
what is wrong and the fix."""

import json
import os
import stat

import pytest

from harness import Service, clean_environment, run_command

COMMANDS = [["serve"], ["run"], ["send"], ["events", "list"], ["events", "show"],
            ["events", "attempts"], ["events", "replay"], ["events", "discard"], ["events", "delete"],
            ["events", "export"], *(["endpoints", name] for name in
                                    ("list", "add", "show", "set", "pause", "resume", "test",
                                     "rotate-secret", "remove")), ["listen"], ["store", "backup"], ["store", "check"],
            ["store", "restore"], ["version"]]


def refused(*args, status=2, **options):
    done = run_command(*args, **options)
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("dispatcher: ") and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_the_version_is_data():
    assert run_command("version").stdout.startswith("dispatcher 0.")
    assert json.loads(run_command("version", "--json").stdout)["name"] == "dispatcher"


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_each_command_has_help_with_an_example(command):
    done = run_command(*command, "-h")
    assert done.returncode == 0 and done.stderr == ""
    assert "Example:" in done.stdout
    assert f"dispatcher {' '.join(command)}" in done.stdout


def test_without_a_command_help_is_on_stderr_and_the_status_is_2():
    done = run_command()
    assert done.returncode == 2 and done.stdout == "" and "dispatcher serve" in done.stderr


def test_what_is_misspelt_is_named(tmp_path):
    assert "--lisen" in refused("serve", "--lisen", "127.0.0.1:0")
    assert "sevre" in refused("sevre")
    file = tmp_path / "c.toml"
    file.write_text("max_retires = 3\n")
    message = refused("serve", "--config", file)
    assert "max_retires" in message and "max_retries" in message and str(file) in message


def test_a_value_that_is_wrong_is_named_with_its_fix(tmp_path):
    env = clean_environment(MAX_EVENTS_PER_RUN="abc")
    assert ('MAX_EVENTS_PER_RUN: "abc" is not a whole number (set it to 1–10000, e.g. 100)'
            in refused("run", "--api", "http://127.0.0.1:1", env=env))
    assert "--tls-key" in refused("serve", "--tls-cert", "cert.pem")
    assert "dynamodb is not supported" in refused("serve", "--store", "dynamodb")
    assert "AWS_REGION: no region is set" in refused("serve", "--data", tmp_path / "none",
                                                     env=clean_environment(SECRET_ARN="arn:aws:x"))
    assert not (tmp_path / "none").exists()
    said = refused("serve", "--listen", "127.0.0.1:0", "--data", tmp_path,
                   env=clean_environment(ALLOW_TARGETS="127.0.0.0/8"))
    assert said.count("ALLOW_TARGETS") == 1, said


def test_a_variable_that_is_none_of_ours_is_left_alone():
    env = clean_environment(MAX_EVENTS_PER_WALK="abc")
    assert run_command("version", env=env).returncode == 0


def test_a_service_is_found_by_its_data_directory(tmp_path, starts):
    service = starts(Service)
    sent = run_command("send", "--data", service.data, "--type", "a.b", "--source", "s",
                       "--payload", '{"n":1.0}')
    assert sent.returncode == 0, sent.stderr
    event = sent.stdout.strip()
    shown = run_command("events", "show", event, "--data", service.data, "--json")
    assert '"payload":{"n":1.0}' in shown.stdout
    listed = run_command("events", "list", "--data", service.data)
    assert event in listed.stdout and listed.stdout.startswith("ID ")
    attempts = run_command("events", "attempts", event, "--data", service.data, "--json")
    assert json.loads(attempts.stdout) == []
    assert "not found" in refused("events", "show", "no-such-id", "--data", service.data, status=1)
    assert "API_BASE_URL" in refused("events", "list", "--data", tmp_path / "elsewhere")


def test_the_key_of_another_service_is_refused_and_not_shown(starts, tmp_path):
    service = starts(Service)
    secret = tmp_path / "s.json"
    secret.write_text('{"zapier_api_key":"hunter2"}')
    message = refused("events", "list", "--api", service.url, "--secrets-file", secret, "--log-level",
                      "error", status=1)
    assert "does not accept the API key" in message and "hunter2" not in message


def test_a_payload_comes_from_a_file_or_the_input(tmp_path, starts):
    service = starts(Service)
    file = tmp_path / "p.json"
    file.write_text('{"from": "a file"}\n')
    send = ["send", "--data", service.data, "--type", "t", "--source", "s", "--json", "--payload"]
    from_file = json.loads(run_command(*send, f"@{file}").stdout)
    from_input = json.loads(run_command(*send, "-", input='{"from":"stdin"}').stdout)
    client = service.client()
    assert client.json("GET", f"/events/{from_file['id']}")["payload"] == {"from": "a file"}
    assert client.json("GET", f"/events/{from_input['id']}")["payload"] == {"from": "stdin"}
    assert "--payload" in refused(*send, "[1]")


def test_a_batch_of_thousands_is_sent_and_listed(tmp_path, starts):
    service = starts(Service)
    file = tmp_path / "b.ndjson"
    big = "x" * 2000
    file.write_text("".join(json.dumps({"type": "t", "source": "s", "payload": {"n": n, "x": big}}) + "\n"
                            for n in range(2500)))
    done = run_command("send", "--data", service.data, "--batch", file)
    assert done.returncode == 0 and done.stdout == "sent 2500 events\n", done.stderr
    listed = json.loads(run_command("events", "list", "--data", service.data, "--limit", "2200",
                                    "--order", "asc", "--json").stdout)
    assert [event["payload"]["n"] for event in listed] == list(range(2200))


def test_a_bad_line_of_a_batch_is_named(tmp_path, starts):
    service = starts(Service)
    lines = ['{"type":"t","source":"s","payload":{}}'] * 1500
    lines[1200] = '{"type":"t","source":"s","payload":[]}'
    done = refused("send", "--data", service.data, "--batch", "-", input="\n".join(lines), status=1)
    assert "lines 1001 to 1500" in done and "1000 events before" in done
    assert service.client().summary()["total"] == 1000


def test_the_secret_that_serve_makes_is_private(starts):
    service = starts(Service)
    mode = stat.S_IMODE(os.stat(service.data / "secrets.json").st_mode)
    assert mode == 0o600
    assert service.api_key() not in service.stderr() + service.stdout()


def test_settings_come_from_flag_then_variable_then_file(tmp_path, starts):
    service = starts(Service)
    file = tmp_path / "c.toml"
    file.write_text(f"data = '{service.data}'\napi_base_url = 'http://127.0.0.1:1'\n")
    assert "could not be reached" in refused("events", "show", "x", "--config", file, status=1)
    env = clean_environment(API_BASE_URL=service.url, DISPATCHER_CONFIG=file)
    assert run_command("events", "list", env=env).returncode == 0
    assert "could not be reached" in refused("events", "show", "x", "--api", "http://127.0.0.1:1",
                                             env=env, status=1)


def test_the_store_is_checked_backed_up_and_restored(tmp_path, starts):
    service = starts(Service)
    event = service.client().post_event({"n": 1})
    backup = tmp_path / "backup.db"
    assert run_command("store", "backup", backup, "--data", service.data).returncode == 0
    refused("store", "backup", backup, "--data", service.data, status=1)
    refused("store", "restore", backup, "--data", service.data, status=1)  # it is in use
    service.terminate()
    assert service.wait() == 0
    assert run_command("store", "check", "--data", service.data).returncode == 0
    other = tmp_path / "other"
    done = run_command("store", "restore", backup, "--data", other)
    assert done.returncode == 0, done.stderr
    again = starts(Service, data=other, name="again")
    assert again.client().json("GET", f"/events/{event}")["payload"] == {"n": 1}
