"""What the service says of its own deliveries agrees with what its receiver saw: the Prometheus
figures, and `GET /config` of endpoints that the command line names."""

import re

import harness


def figure(text, name):
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    assert found, f"{name} is not in:\n{text}"
    return float(found.group(1))


def test_the_figures_agree_with_what_the_receiver_saw(starts):
    receiver = starts(harness.Receiver)
    service = starts(harness.Service, *harness.delivering(receiver))
    client = service.client()
    events = 20
    for _ in range(events):
        client.post_event()
    harness.wait_until(lambda: client.summary()["delivered"] == events, "all to be delivered")
    status, headers, text = client.request("GET", "/metrics")
    assert status == 200
    text = text.decode()
    assert figure(text, "dispatcher_events_ingested_total") == events
    assert figure(text, "dispatcher_events_processed_total") == events
    assert figure(text, "dispatcher_successful_deliveries_total") == events
    assert figure(text, "dispatcher_failed_deliveries_total") == 0
    assert figure(text, "dispatcher_delivery_latency_milliseconds_count") == events
    assert figure(text, 'dispatcher_events{state="delivered"}') == events
    assert 1 <= figure(text, "dispatcher_connections_opened_total") <= events
    assert len(harness.delivered_ids(receiver.records())) == events


def test_an_endpoint_of_the_command_line_counts_as_configured(starts):
    receiver = starts(harness.Receiver)
    with_one = starts(harness.Service, *harness.delivering(receiver))
    without = starts(harness.Service, name="alone", data=with_one.data.parent / "alone")
    assert with_one.anonymous().json("GET", "/config")["webhook_configured"] is True
    assert without.anonymous().json("GET", "/config")["webhook_configured"] is False
