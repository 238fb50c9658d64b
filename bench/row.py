"""A row of the benchmarks' table, and the event that they send."""

import dataclasses
import json
from typing import Optional

import measure


@dataclasses.dataclass
class Row:
    work: str
    measured: str
    target: str = ""
    met: Optional[bool] = None  # None where there is no target


def event_text(body_bytes=measure.BODY_BYTES):
    """A request whose delivery has a body of `body_bytes`: the event's own fields take up the rest."""
    event = {"id": "0" * 36, "type": "order.created", "source": "shop", "payload": {"text": ""},
             "status": "pending", "created_at": "2024-01-01T00:00:00.000000Z",
             "updated_at": "2024-01-01T00:00:00.000000Z", "delivery_attempts": 0,
             "last_delivery_attempt": None, "delivery_latency_ms": None, "error_message": None}
    fixed = len(json.dumps(event, separators=(",", ":")))
    payload = {"text": "x" * max(body_bytes - fixed, 0)}
    return json.dumps({"type": event["type"], "source": event["source"], "payload": payload},
                      separators=(",", ":"))


def ratio(value, of):
    return value / of if of else float("inf")
