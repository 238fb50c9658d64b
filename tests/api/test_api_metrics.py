"""Promise: figures are what happened, in the original's form."""

import pathlib
import re

import pytest

from api_client import wait_until

OPERATIONS = pathlib.Path(__file__).resolve().parents[2] / "docs/operations.md"


@pytest.fixture
def fresh(start):
    client = start().client()
    yield client
    client.close()


def test_figures_of_nothing(fresh):
    assert fresh.get("/metrics/summary").text == \
        '{"total":0,"pending":0,"delivered":0,"failed":0,"success_rate":0.0}'
    assert fresh.get("/metrics/latency").text == '{"p50":0.0,"p95":0.0,"p99":0.0,"sample_size":0}'
    assert fresh.get("/metrics/throughput").text == \
        '{"events_per_minute":0.0,"events_per_hour":0.0,"total_events_24h":0,' \
        '"time_range":"last_24_hours"}'
    assert fresh.get("/metrics/errors").text == \
        '{"total_errors":0,"error_rate":0.0,"failed_deliveries":0,"pending_retries":0}'


def send_to_review(client):
    answer = client.get("/inbox?limit=1&lease_seconds=60")
    event_id = answer.json[0]["id"]
    nacked = client.post(f"/inbox/{event_id}/nack", {"error": "status: 404", "reason": "rejected"},
                         headers={"X-Lease-Token": answer.headers["x-lease-token"]})
    assert nacked.status == 200


def test_figures_of_something(fresh):
    ids = [fresh.post_event() for _ in range(36)]
    send_to_review(fresh)
    assert fresh.post("/inbox/ack", {"ids": ids[1:3]}).status == 200
    assert fresh.get("/metrics/summary").text == \
        '{"total":36,"pending":33,"delivered":2,"failed":1,"success_rate":66.67}'
    assert fresh.get("/metrics/errors").text == \
        '{"total_errors":1,"error_rate":33.33,"failed_deliveries":1,"pending_retries":33}'
    assert fresh.get("/metrics/throughput").text == \
        '{"events_per_minute":0.03,"events_per_hour":1.5,"total_events_24h":36,' \
        '"time_range":"last_24_hours"}'
    latency = fresh.get("/metrics/latency").json
    assert list(latency) == ["p50", "p95", "p99", "sample_size"]
    assert latency["sample_size"] == 2
    assert 0 <= latency["p50"] <= latency["p95"] <= latency["p99"] < 60


def test_a_deleted_event_counts_no_more(fresh):
    event_id = fresh.post_event()
    assert fresh.delete(f"/events/{event_id}").status == 200
    assert fresh.get("/metrics/summary").json["total"] == 0
    assert fresh.get("/metrics/summary").json["pending"] == 0


SAMPLE = re.compile(r'[a-zA-Z_:][a-zA-Z0-9_:]*(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? \S+\Z')


def test_prometheus_text(fresh):
    ids = [fresh.post_event() for _ in range(3)]
    fresh.post(f"/inbox/{ids[0]}/ack")
    answer = fresh.get("/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    assert answer.text.endswith("\n")
    for line in lines:
        assert line.startswith("# ") or SAMPLE.match(line), line
    assert 'dispatcher_events{state="pending"} 2' in lines
    assert 'dispatcher_events{state="delivered"} 1' in lines
    assert 'dispatcher_events{state="failed"} 0' in lines
    names = [line.split()[2] for line in lines if line.startswith("# TYPE ")]
    assert len(names) == len(set(names))
    for name in ("dispatcher_oldest_pending_age_seconds", "dispatcher_events_in_review",
                 "dispatcher_deliveries_in_flight", "dispatcher_store_queued_writes",
                 "dispatcher_store_commits_total", "dispatcher_store_bytes"):
        assert name in names
    documented = re.findall(r"^\| `(dispatcher_\w+)` \|", OPERATIONS.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(names) <= set(documented)


def test_what_is_in_review_is_counted_and_has_no_age(delivering, receive):
    client = delivering.client()
    client.post("/endpoints", {"url": receive(status=404).url()})

    def figure(name):
        [value] = re.findall(rf"^{name} (\S+)$", client.get("/metrics").text, re.MULTILINE)
        return float(value)

    client.post_event()
    wait_until(lambda: figure("dispatcher_events_in_review") == 1, "the event to be in review")
    assert figure("dispatcher_oldest_pending_age_seconds") == 0


def test_the_metrics_token_opens_the_metrics_alone(start):
    service = start(env={"METRICS_TOKEN": "scrape-me"})
    client = service.anonymous()
    client.token = "scrape-me"
    assert client.get("/metrics").status == 200
    assert client.get("/metrics/summary").status == 401
    client.token = "scrape-m"
    assert client.get("/metrics").status == 401
    client.token = None
    assert client.get("/metrics").status == 401
    assert service.client().get("/metrics").status == 200
