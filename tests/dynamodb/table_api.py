"""The original's Triggers API over the events table: at most 100 pending events, newest first, no lease; an ack sets
the item's status."""

import datetime
import json

from plain_api import PlainApi
from values import plain, timestamp

SHOWN = ("id", "type", "source", "payload", "status", "created_at", "updated_at", "delivery_attempts",
         "last_delivery_attempt", "delivery_latency_ms", "error_message")
AT_MOST = 100


class TableApi(PlainApi):
    """Serves on a free port of 127.0.0.1 until `close`. It calls DynamoDB by itself, not through the function's way
    there."""

    def __init__(self, table):
        self.table = table
        self.broken = set()  # "inbox", "ack": what answers 500
        super().__init__()

    def serve(self, method, path, headers, body):
        path = path.split("?")[0]
        with self.lock:
            self.requests.append((method, path))
            if path == "/token":
                return self.log_in(body)
            if headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
                return 401, '{"detail":"Could not validate credentials"}'
        steps = path.strip("/").split("/")
        if (method, steps) == ("GET", ["inbox"]):
            return self.failed() if "inbox" in self.broken else self.inbox()
        if method == "POST" and len(steps) == 3 and (steps[0], steps[2]) == ("inbox", "ack"):
            return self.failed() if "ack" in self.broken else self.acknowledge(steps[1])
        return 404, '{"detail":"Not Found"}'

    @staticmethod
    def failed():
        return 500, '{"detail":"Internal server error"}'

    def inbox(self):
        items = self.table.newest_pending(AT_MOST)
        events = [{name: plain(item[name]) if name in item else None for name in SHOWN} for item in items]
        return 200, json.dumps(events, separators=(",", ":"))

    def acknowledge(self, event_id):
        client, name = self.table.client, self.table.name
        found = client.query(TableName=name, KeyConditionExpression="id = :id", Limit=1,
                             ExpressionAttributeValues={":id": {"S": event_id}})["Items"]
        if not found:
            return 404, json.dumps({"detail": f"Event with ID {event_id} not found"})
        now = datetime.datetime.utcnow()
        created = datetime.datetime.strptime(found[0]["created_at"]["S"], "%Y-%m-%dT%H:%M:%S.%fZ")
        latency = int((now - created).total_seconds() * 1000)
        client.update_item(
            TableName=name, Key={"id": found[0]["id"], "created_at": found[0]["created_at"]},
            UpdateExpression="SET #status = :delivered, updated_at = :now, delivery_latency_ms = :latency",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":delivered": {"S": "delivered"}, ":now": {"S": timestamp(now)},
                                       ":latency": {"N": str(latency)}})
        return 200, json.dumps({"id": event_id, "status": "delivered", "updated_at": timestamp(now),
                                "message": "Event acknowledged successfully", "delivery_latency_ms": latency})

    def acks(self):
        return self.count("POST", "/inbox/")
