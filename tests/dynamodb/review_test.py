"""What needs a person stays pending and is not claimed again; however much of it there is, and wherever it lies, it
keeps nobody else from being delivered; a person releases it, by its reason or with another URL."""

import time

import harness

FIELDS = ["acknowledged_count", "avg_delivery_time_ms", "failed_deliveries", "processing_time_seconds", "released",
          "successful_deliveries", "total_events", "total_retries"]
# Pages that a run may read at each end of the index. A page is a megabyte at most: four of these events.
PAGES = 8
LARGE = {"long": "x" * 300_000}
MORE_THAN_AN_END = [LARGE] * (4 * PAGES + 2)


def poison_or_not(payload):
    return 404 if payload.get("poison") else 200


def in_review(endpoint, reason="rejected"):
    """What a run writes, as attributes of an item."""
    return {"delivery_attempts": 1, "error_message": "status: 404",
            "last_delivery_attempt": "2024-01-01T00:00:00.000000Z",
            "deliveries": {endpoint: {"state": "review", "attempts": 1, "step": 0, "reason": reason,
                                      "error": "status: 404"}}}


def invoke_until(runtime, is_done, what):
    def done():
        runtime.invoke().result()
        return is_done()

    harness.wait_until(done, what)


def test_what_was_rejected_is_not_claimed_again(world):
    ids = world.table.add_many([{"poison": True}] * 20)
    receiver, _, runtime = world.started(poison_or_not)
    assert runtime.invoke().result()["failed_deliveries"] == 20
    world.proxy.forget()
    for again in (runtime, runtime, world.function()[0]):
        assert again.invoke().result()["total_events"] == 0
    assert world.proxy.count("UpdateItem") == 0
    assert sorted(receiver.ids(404)) == sorted(ids) == world.table.ids("pending")


def test_poison_at_both_ends_starves_nobody(world):
    receiver, _, runtime = world.started(poison_or_not)
    healthy, poison = [], []
    for n in range(3):
        poison += world.table.add_many([{"poison": True}] * 150)
        healthy += world.table.add_many([{"n": n}] * 20)
    poison += world.table.add_many([{"poison": True}] * 150)
    invoke_until(runtime, lambda: len(receiver.ids()) == len(healthy), "all healthy events to be delivered")
    invoke_until(runtime, lambda: len(receiver.ids(404)) == len(poison), "all others to be tried")
    assert sorted(receiver.ids()) == sorted(healthy) == world.table.ids("delivered")
    assert sorted(receiver.ids(404)) == sorted(poison) == world.table.ids("pending")
    # What comes then is delivered by the next run, even by a new process.
    for runtime in (runtime, world.function()[0]):
        event = world.table.add({"n": 4})
        assert runtime.invoke().result()["acknowledged_count"] == 1
        assert receiver.ids()[-1] == event


def test_thousands_in_review_cost_a_run_few_pages_and_no_write(world):
    receiver = world.receiver()
    world.api(receiver)
    world.table.add_many([{"n": n} for n in range(3_000)], **in_review(harness.secret_endpoint_id(receiver.url)))
    runtime, _ = world.function()
    for _ in range(2):
        ids = world.table.add_many([{}] * 50)
        world.proxy.forget()
        assert runtime.invoke().result()["acknowledged_count"] == 50
        assert sorted(receiver.ids()[-50:]) == sorted(ids)
        assert world.proxy.count("UpdateItem") == 50 and world.proxy.count("Query") <= 2 * PAGES


def test_behind_more_review_than_a_run_reads_the_newest_are_delivered_at_once(world):
    receiver = world.receiver()
    world.api(receiver)
    world.table.add_many(MORE_THAN_AN_END, **in_review(harness.secret_endpoint_id(receiver.url)))
    event = world.table.add()
    runtime, _ = world.function()
    assert runtime.invoke().result()["acknowledged_count"] == 1
    assert receiver.ids() == [event]


def test_what_lies_between_more_review_than_a_run_reads_is_reached_by_a_warm_process(world):
    receiver = world.receiver()
    world.api(receiver)
    review = in_review(harness.secret_endpoint_id(receiver.url))
    world.table.add_many(MORE_THAN_AN_END, **review)
    healthy = world.table.add_many([{}] * 5)
    world.table.add_many(MORE_THAN_AN_END, **review)
    runtime, _ = world.function()
    runs = 0
    while not receiver.ids():
        world.proxy.forget()
        runtime.invoke().result()
        assert world.proxy.count("Query") <= 2 * PAGES
        runs += 1
        assert runs <= 10, "the events in the middle are never reached"
    assert runs > 1, "the first run read it all: this test has to have more in review"
    assert sorted(receiver.ids()) == sorted(healthy) == world.table.ids("delivered")


def test_a_release_tries_what_is_in_review_for_that_reason_and_nothing_else(world):
    answers = {"rejected": 404, "redirected": 302}
    receiver, _, runtime = world.started(lambda payload: answers[payload["get"]])
    rejected = world.table.add_many([{"get": "rejected"}] * 5)
    redirected = world.table.add_many([{"get": "redirected"}] * 5)
    assert runtime.invoke().result()["failed_deliveries"] == 10
    answers.update(rejected=200, redirected=200)
    result = runtime.invoke({"release": {"reason": "rejected"}}).result()
    assert sorted(result) == FIELDS
    assert (result["released"], result["total_events"], result["acknowledged_count"]) == (5, 5, 5)
    assert sorted(receiver.ids()) == sorted(rejected)
    assert world.table.ids("pending") == sorted(redirected)
    assert runtime.invoke({"release": {"reason": "rejected"}}).result()["released"] == 0
    assert runtime.invoke({"release": {"reason": "redirected"}}).result()["acknowledged_count"] == 5


def test_what_is_released_begins_its_schedule_anew(world):
    event = world.table.add()
    receiver = world.receiver(lambda payload: 503)
    world.api(receiver)
    endpoint = harness.secret_endpoint_id(receiver.url)
    world.table.set(event, **in_review(endpoint, "exhausted"), status="pending")
    world.table.set(event, **{f"deliveries__{endpoint}__step": 8, f"deliveries__{endpoint}__attempts": 36})
    runtime, _ = world.function()
    result = runtime.invoke({"release": {"reason": "exhausted"}}).result()
    assert (result["released"], result["failed_deliveries"]) == (1, 1)
    delivery = world.table.delivery(event, endpoint)
    assert (delivery["state"], delivery["step"], delivery["attempts"]) == ("waiting", 1, 40)
    assert "reason" not in delivery


def test_a_release_reaches_all_of_it(world):
    receiver = world.receiver()
    world.api(receiver)
    review = in_review(harness.secret_endpoint_id(receiver.url))
    ids = world.table.add_many([{"n": n} for n in range(10)], **review)
    ids += world.table.add_many(MORE_THAN_AN_END, **review)
    ids += world.table.add_many([{"n": n} for n in range(10)], **review)
    runtime, _ = world.function(MAX_EVENTS_PER_RUN="1000")
    result = runtime.invoke({"release": {"reason": "rejected"}}).result()
    assert (result["released"], result["acknowledged_count"]) == (len(ids), len(ids))
    assert sorted(receiver.ids()) == sorted(ids)


def test_what_the_original_gave_up_is_in_review_as_exhausted(world):
    receiver, _, runtime = world.started()
    ids = world.table.add_many([{}] * 3, status="failed", delivery_attempts=4, error_message="of before")
    assert runtime.invoke().result()["total_events"] == 0
    assert runtime.invoke({"release": {"reason": "rejected"}}).result()["released"] == 0
    result = runtime.invoke({"release": {"reason": "exhausted"}}).result()
    assert (result["released"], result["acknowledged_count"]) == (3, 3)
    assert sorted(receiver.ids()) == sorted(ids) == world.table.ids("delivered")


def test_a_release_leaves_alone_what_another_run_holds(world):
    receiver = world.receiver()
    world.api(receiver)
    review = in_review(harness.secret_endpoint_id(receiver.url))
    until = int(time.time() * 1000) + 3_600_000
    event = world.table.add({}, **review, lease_token="another's", lease_until=until)
    world.table.add({}, **review)
    runtime, _ = world.function()
    assert runtime.invoke({"release": {"reason": "rejected"}}).result()["acknowledged_count"] == 1
    item = world.table.get(event)
    assert (item["lease_token"], item["lease_until"]) == ("another's", until)
    assert len(receiver.ids()) == 1


def test_another_url_tries_what_the_one_before_rejected(world):
    rejects, takes = world.receiver(lambda payload: 410), world.receiver()
    world.api(rejects)
    ids = world.table.add_many([{}] * 3)
    runtime, _ = world.function()
    assert runtime.invoke().result()["failed_deliveries"] == 3
    world.name_receivers(takes)
    assert runtime.invoke().result()["acknowledged_count"] == 3
    assert sorted(takes.ids()) == sorted(ids) == world.table.ids("delivered")
    assert len(rejects.requests) == 3
