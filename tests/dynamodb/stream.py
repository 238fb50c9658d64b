"""A table's DynamoDB Stream, as Lambda hands it to a function."""


class Stream:
    """Of a table that was made with `WITH_STREAM`; reads it by botocore's `client`."""

    WITH_STREAM = {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}}

    def __init__(self, client, table):
        self.client = client
        self.arn = table.description["LatestStreamArn"]

    def records(self):
        """All there are, oldest first, in the form of an event of Lambda's."""
        found = []
        for shard in self.client.describe_stream(StreamArn=self.arn)["StreamDescription"]["Shards"]:
            iterator = self.client.get_shard_iterator(
                StreamArn=self.arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
            while iterator:
                page = self.client.get_records(ShardIterator=iterator)
                found += page["Records"]
                iterator = page.get("NextShardIterator") if page["Records"] else None
        return [self.for_lambda(record) for record in found]

    def for_lambda(self, record):
        change = {**record["dynamodb"]}
        change["ApproximateCreationDateTime"] = int(change["ApproximateCreationDateTime"].timestamp())
        return {**{name: record[name] for name in ("eventID", "eventName", "eventVersion", "awsRegion")},
                "eventSource": "aws:dynamodb", "dynamodb": change, "eventSourceARN": self.arn}

    def batch(self):
        """The payload of an invocation."""
        return {"Records": self.records()}


def sequence_numbers(batch, event_ids):
    return [record["dynamodb"]["SequenceNumber"] for record in batch["Records"]
            if record["dynamodb"]["Keys"]["id"]["S"] in event_ids]
