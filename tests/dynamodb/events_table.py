"""The events table as the original's stack makes it, and its items as the original's API writes them."""

import datetime
import itertools
import time
import uuid

from values import plain, timestamp, typed

TTL_DAYS = 90
PENDING = {":pending": {"S": "pending"}}
# By which the API of the original shows what is pending.
INDEX = "status-index"
BATCH = 25  # items of a BatchWriteItem


def index(name, sort):
    return {"IndexName": name, "Projection": {"ProjectionType": "ALL"},
            "KeySchema": [{"AttributeName": "status", "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]}


class EventsTable:
    """A table of its own, by botocore's `client`. Events that are added are an hour old, each younger than the one
    before."""

    numbers = itertools.count()

    def __init__(self, client, **options):
        self.client, self.name = client, f"events-{next(self.numbers)}"
        self.keys = {}  # id → its item's key
        self.started = datetime.datetime.utcnow() - datetime.timedelta(hours=1)
        self.description = client.create_table(
            TableName=self.name, BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"}
                                  for name in ("id", "created_at", "status", "last_delivery_attempt")],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "created_at", "KeyType": "RANGE"}],
            GlobalSecondaryIndexes=[index(INDEX, "created_at"), index("last-attempt-index", "last_delivery_attempt")],
            **options)["TableDescription"]

    def item(self, payload=None, **more):
        """One that is not in the table yet; `more` are attributes in place of the usual ones, None for none."""
        created = timestamp(self.started + datetime.timedelta(milliseconds=len(self.keys)))
        item = {"id": str(uuid.uuid4()), "created_at": created, "type": "t", "source": "s",
                "payload": {} if payload is None else payload, "status": "pending", "updated_at": created,
                "delivery_attempts": 0, "ttl": int(time.time()) + TTL_DAYS * 86_400, **more}
        item = {name: typed(value) for name, value in item.items() if value is not None}
        self.keys[item["id"]["S"]] = {"id": item["id"], "created_at": item["created_at"]}
        return item

    def add(self, payload=None, **more):
        """The new event's id."""
        item = self.item(payload, **more)
        self.client.put_item(TableName=self.name, Item=item)
        return item["id"]["S"]

    def add_many(self, payloads, **more):
        """The new events' ids, oldest first."""
        items = [self.item(payload, **more) for payload in payloads]
        self.put(items)
        return [item["id"]["S"] for item in items]

    def put(self, items):
        for start in range(0, len(items), BATCH):
            left = {self.name: [{"PutRequest": {"Item": item}} for item in items[start:start + BATCH]]}
            while left:
                left = self.client.batch_write_item(RequestItems=left)["UnprocessedItems"]

    def typed_item(self, event_id):
        """The item as DynamoDB has it; None when there is none."""
        return self.client.get_item(TableName=self.name, Key=self.keys[event_id], ConsistentRead=True).get("Item")

    def get(self, event_id):
        """The same with Python's values."""
        item = self.typed_item(event_id)
        return None if item is None else {name: plain(value) for name, value in item.items()}

    def delivery(self, event_id, endpoint):
        """What the item says of one endpoint; None when nothing."""
        return self.get(event_id).get("deliveries", {}).get(endpoint)

    def set(self, event_id, **attributes):
        """By hand: these attributes; `deliveries__ID__due=5` is one within others."""
        names, values, parts = {}, {}, []
        for number, (path, value) in enumerate(attributes.items()):
            steps = [f"#n{number}_{depth}" for depth in range(len(path.split("__")))]
            names.update(zip(steps, path.split("__"), strict=True))
            values[f":v{number}"] = typed(value)
            parts.append(f"{'.'.join(steps)} = :v{number}")
        self.client.update_item(
            TableName=self.name, Key=self.keys[event_id], UpdateExpression="SET " + ", ".join(parts),
            ConditionExpression="attribute_exists(id)", ExpressionAttributeNames=names,
            ExpressionAttributeValues=values)

    def make_due(self, event_id, endpoint):
        """As if the wait for the next round were over."""
        self.set(event_id, **{f"deliveries__{endpoint}__due": int(time.time() * 1000) - 60_000})

    def end_lease(self, event_id):
        """As if its time were over."""
        self.set(event_id, lease_until=int(time.time() * 1000) - 60_000)

    def delete(self, event_id):
        self.client.delete_item(TableName=self.name, Key=self.keys[event_id])

    def items(self, status=None):
        """All, with Python's values."""
        pages = self.client.get_paginator("scan").paginate(TableName=self.name, ConsistentRead=True)
        found = [{name: plain(value) for name, value in item.items()} for page in pages for item in page["Items"]]
        return [item for item in found if status is None or item["status"] == status]

    def ids(self, status):
        return sorted(item["id"] for item in self.items(status))

    def newest_pending(self, count):
        """As `GET /inbox` reads them."""
        return self.client.query(
            TableName=self.name, IndexName=INDEX, KeyConditionExpression="#status = :pending", Limit=count,
            ScanIndexForward=False, ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues=PENDING)["Items"]

    def drop(self):
        self.client.delete_table(TableName=self.name)

    def copy(self):
        """Another table with the same items: what an index that lags still shows."""
        made = EventsTable(self.client)
        pages = self.client.get_paginator("scan").paginate(TableName=self.name, ConsistentRead=True)
        made.put([item for page in pages for item in page["Items"]])
        return made
