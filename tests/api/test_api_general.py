"""Promise: paths, methods, redirects, preflights and errors are answered as the original API does, and
every answer has the headers that all have."""

import pytest


def test_root_says_what_it_is(anonymous):
    answer = anonymous.get("/")
    assert answer.status == 200
    assert answer.text == '{"service":"Zapier Triggers API","status":"healthy","version":"1.0.0"}'
    assert answer.headers["content-type"] == "application/json"


def test_health(anonymous):
    answer = anonymous.get("/health")
    assert (answer.status, answer.text) == (200, '{"status":"healthy"}')


def test_config_names_no_secret(anonymous, service):
    answer = anonymous.get("/config")
    assert list(answer.json) == ["environment", "zapier_configured", "webhook_configured",
                                 "jwt_configured", "cache_hit"]
    assert answer.json["zapier_configured"] is True
    assert answer.json["webhook_configured"] is False
    assert answer.json["jwt_configured"] is True
    assert isinstance(answer.json["cache_hit"], bool)
    assert service.api_key() not in answer.text


@pytest.mark.parametrize("path", ["/", "/nothing", "/inbox", "/events/x"])
def test_every_answer_has_its_time_and_is_open_to_other_origins(anonymous, path):
    answer = anonymous.get(path)
    assert answer.headers["access-control-allow-origin"] == "*"
    milliseconds = answer.headers["x-process-time"]
    assert milliseconds.endswith("ms")
    assert len(milliseconds[:-2].split(".")[1]) == 2
    assert float(milliseconds[:-2]) >= 0


@pytest.mark.parametrize("path", ["/nothing", "/events/x/y", "/inbox/x", "//", "/Events", "/health/x",
                                  "/inbox//ack", "/events/a%2Fb", "/%00", "/events/x/ack"])
def test_an_unknown_path_is_not_found(anonymous, path):
    answer = anonymous.get(path)
    assert (answer.status, answer.text) == (404, '{"detail":"Not Found"}')


@pytest.mark.parametrize("method, path, allow", [
    ("DELETE", "/inbox", "GET"),
    ("GET", "/token", "POST"),
    ("HEAD", "/", "GET"),
    ("PUT", "/events", "GET, POST"),
    ("POST", "/events/some-id", "DELETE, GET"),
    ("GET", "/inbox/some-id/ack", "POST"),
    ("OPTIONS", "/inbox", "GET"),
    ("BREW", "/health", "GET"),
])
def test_a_wrong_method_is_told_the_right_ones(anonymous, method, path, allow):
    answer = anonymous.request(method, path)
    assert answer.status == 405
    assert answer.headers["allow"] == allow
    if method != "HEAD":
        assert answer.text == '{"detail":"Method Not Allowed"}'


@pytest.mark.parametrize("path, location", [
    ("/health/", "/health"),
    ("/inbox/?limit=5&x=%20y", "/inbox?limit=5&x=%20y"),
    ("/inbox/some%20id/ack/", "/inbox/some%20id/ack"),
    ("/events//", "/events"),
])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_slash_at_the_end_is_redirected(anonymous, method, path, location):
    answer = anonymous.request(method, path)
    assert answer.status == 307
    assert answer.headers["location"] == location
    assert answer.body == b""


def test_a_slash_behind_an_unknown_path_is_not_found(anonymous):
    assert anonymous.get("/nothing/").status == 404
    assert anonymous.get("//example.org/").status == 404


def test_a_preflight_is_answered_without_a_token(anonymous):
    answer = anonymous.request("OPTIONS", "/events", headers={
        "Origin": "https://example.org",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-mine"})
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-methods"] == "GET, POST"
    assert answer.headers["access-control-allow-headers"] == "authorization,content-type,x-mine"


def test_a_page_of_another_origin_may_read_our_headers(anonymous):
    answer = anonymous.get("/health", headers={"Origin": "https://example.org"})
    assert answer.headers["access-control-allow-origin"] == "*"
    exposed = answer.headers["access-control-expose-headers"]
    assert "x-lease-token" in exposed and "x-total-events" in exposed


def test_routes_come_before_auth_and_auth_before_the_body(anonymous):
    assert anonymous.post("/nothing", "{").status == 404
    assert anonymous.request("PUT", "/events", "{").status == 405
    assert anonymous.post("/events", "{").status == 401


@pytest.mark.parametrize("path", ["/inbox", "/events", "/events/x", "/events/x/attempts",
                                  "/events/export", "/metrics", "/metrics/summary",
                                  "/metrics/latency", "/metrics/throughput", "/metrics/errors",
                                  "/webhooks/logs"])
def test_all_but_the_public_paths_need_a_token(anonymous, path):
    answer = anonymous.get(path)
    assert (answer.status, answer.text) == (401, '{"detail":"Not authenticated"}')
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/dashboard"])
def test_what_is_not_there_yet_is_not_found(anonymous, path):
    assert anonymous.get(path).status == 404
