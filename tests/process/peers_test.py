"""Other people's programs at both ends: curl and wrk's kind of clients ingest, nginx and Node receive."""

import json
import subprocess

import harness
import nginx


def curl(*args):
    done = subprocess.run(["curl", "-sS", "--max-time", "30", *map(str, args)], capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def curl_token(service):
    answer = curl(f"{service.url}/token", "-d", "username=api", "--data-urlencode",
                  f"password={service.api_key()}")
    return json.loads(answer)["access_token"]


def test_curl_ingests_and_nginx_receives_each_event_once(tmp_path, starts):
    receiver = starts(nginx.Nginx)
    service = starts(harness.Service, *harness.delivering(receiver))
    bearer = f"Authorization: Bearer {curl_token(service)}"
    ids = []
    for number in range(20):
        event = {"type": "order.created", "source": "curl", "payload": {"number": number}}
        answer = curl(f"{service.url}/events", "-H", bearer, "--json", json.dumps(event))
        ids.append(json.loads(answer)["id"])
    harness.wait_until(lambda: len(receiver.requests()) >= len(ids), "nginx to receive them")
    requests = receiver.requests()
    assert sorted(request["id"] for request in requests) == sorted(ids)
    assert {request["status"] for request in requests} == {"200"}
    assert {request["content_type"] for request in requests} == {"application/json"}


def test_a_backlog_goes_to_nginx_over_few_connections(tmp_path, starts):
    events, concurrency = 1000, 8
    receiver = starts(nginx.Nginx)
    service = starts(harness.Service, *harness.delivering(receiver),
                     env={"ENDPOINT_CONCURRENCY": concurrency})
    service.client().post_batch([{"type": "t", "source": "s", "payload": {"n": n}}
                                 for n in range(events)])
    harness.wait_until(lambda: len(receiver.requests()) >= events, "nginx to receive them")
    requests = receiver.requests()
    assert len({request["id"] for request in requests}) == events
    assert len({request["connection"] for request in requests}) <= concurrency


def test_a_keep_alive_connection_that_nginx_closed_costs_no_event(tmp_path, starts):
    # nginx closes each connection after its third request: the next one finds it dead.
    receiver = starts(nginx.Nginx, "keepalive_requests 3; location / { return 204; }")
    service = starts(harness.Service, *harness.delivering(receiver), env={"ENDPOINT_CONCURRENCY": 2})
    client = service.client()
    ids = client.post_batch([{"type": "t", "source": "s", "payload": {}} for _ in range(50)])
    harness.wait_until(lambda: len(receiver.requests()) >= len(ids), "nginx to receive them")
    harness.wait_until(
        lambda: all(client.json("GET", f"/events/{event}")["status"] == "delivered" for event in ids),
        "them to be recorded as delivered")
    attempts = [client.json("GET", f"/events/{event}/attempts")["items"] for event in ids]
    assert {len(of_one) for of_one in attempts} == {1}, "a closed connection is not a failed attempt"


def test_a_certificate_that_is_not_trusted_or_names_another_host_receives_nothing(tmp_path, starts):
    stranger = starts(nginx.Nginx, name="stranger")
    other = starts(nginx.Nginx, name="other")
    arguments = ["--allow-target", "https://127.0.0.0/8", "--ca-file", other.ca_file]
    untrusting = starts(harness.Service, "--endpoint", stranger.url(), *arguments)
    client = untrusting.client()
    event = client.post_event({"secret": 1})
    attempts = harness.wait_until(
        lambda: client.json("GET", f"/events/{event}/attempts")["items"], "an attempt")
    assert attempts[0]["outcome"] == "retryable"
    assert attempts[0]["error"].startswith("tls:")
    assert stranger.requests() == []


HTTP_2_SERVER = """
import { createSecureServer } from "node:http2";
import { readFileSync } from "node:fs";
const server = createSecureServer({ cert: readFileSync("cert.pem"), key: readFileSync("cert.key") });
server.listen(0, "127.0.0.1",
  () => console.log(`listening on https://127.0.0.1:${server.address().port}`));
"""


def test_a_server_of_http_2_alone_is_named(tmp_path, starts):
    nginx.make_certificate(tmp_path)
    server = harness.Process(["node", "--input-type=module", "-e", HTTP_2_SERVER], tmp_path, "node",
                             cwd=tmp_path)
    with harness.stopping(server):
        _, host, port = server.wait_for_address()
        service = starts(harness.Service, "--endpoint", f"https://{host}:{port}/", "--ca-file",
                         tmp_path / "cert.pem", "--allow-target", "https://127.0.0.0/8")
        client = service.client()
        event = client.post_event()
        attempts = harness.wait_until(
            lambda: client.json("GET", f"/events/{event}/attempts")["items"], "an attempt")
    assert attempts[0]["error"] == "protocol: the server does not offer HTTP/1.1 (HTTP/2 only?)"
