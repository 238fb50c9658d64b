"""Load for a service: threads that ingest events and remember which were answered with 201."""

import http.client
import random
import threading
import time
import uuid

import harness

# A sender's pause between requests: the load of a busy installation, not all that it can take.
PAUSE_SECONDS = 0.002
BATCH = 20


class Senders:
    """Threads that post to `find_service()` (host, port, token) until `stop`. A service that is not
    there, or goes away in mid-request, is asked again: that request's event counts as not answered."""

    def __init__(self, find_service, threads=4, marker=""):
        self._find_service = find_service
        self._marker = marker
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._answered = []
        self.unexpected = []  # answers that were neither 201 nor 503
        self._threads = [threading.Thread(target=self._send, args=(number,), daemon=True)
                         for number in range(threads)]
        for thread in self._threads:
            thread.start()

    def answered(self):
        """Ids of the events that were answered with 201."""
        with self._lock:
            return list(self._answered)

    def stop(self):
        self._stopping.set()
        for thread in self._threads:
            thread.join(harness.PATIENCE)
            assert not thread.is_alive(), "a sender hangs: a request was never answered"
        return self.answered()

    def _send(self, number):
        chance = random.Random(number)
        client = None
        while not self._stopping.is_set():
            try:
                if client is None:
                    client = harness.Client(*self._find_service())
                # Every fourth sender posts batches.
                ids = (client.post_batch([self._event(chance) for _ in range(BATCH)])
                       if number % 4 == 3 else [self._post_one(client, chance)])
                with self._lock:
                    self._answered += ids
                time.sleep(PAUSE_SECONDS * len(ids))
            except (OSError, http.client.HTTPException):
                client = None
                time.sleep(0.01)
            except AssertionError as why:
                if ": 503 " not in str(why):
                    self.unexpected.append(str(why))
                time.sleep(0.05)

    def _event(self, chance):
        return {"type": f"load.{chance.randrange(5)}", "source": "senders",
                "payload": {"key": str(uuid.uuid4()), "text": self._marker + "x" * chance.randrange(400)}}

    def _post_one(self, client, chance):
        event = self._event(chance)
        return client.post_event(event["payload"], event["type"], event["source"])
