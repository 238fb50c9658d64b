"""The world of a test of the function beside the events table."""

import dynamodb_local
import function_world
import harness
from events_table import EventsTable
from stream import Stream
from table_api import TableApi
from table_proxy import TableProxy

TOKEN = "a+token/with=signs=="
URL_ID = harness.secret_endpoint_id


class TableWorld(function_world.World):
    """The function reaches `table` through `proxy` alone."""

    def __init__(self, folder, stack, dynamodb, client, table_options):
        super().__init__(folder, stack)
        self.dynamodb = dynamodb
        self.table = EventsTable(client, **table_options)
        stack.callback(self.table.drop)
        self.proxy = TableProxy(dynamodb.url, dynamodb_local.KEYS, TOKEN)
        stack.callback(self.proxy.close)
        self.settings.update({
            "DYNAMODB_TABLE_NAME": self.table.name, "AWS_REGION": dynamodb_local.REGION,
            "AWS_ENDPOINT_URL_DYNAMODB": self.proxy.url, "AWS_SESSION_TOKEN": TOKEN,
            **{name.upper(): value for name, value in dynamodb_local.KEYS.items()}})

    def api(self, *receivers):
        """The original's API over the table, and a secret that fits it and names the receivers."""
        api = TableApi(self.table)
        self.stack.callback(api.close)
        self.settings["API_BASE_URL"] = api.url
        self.name_receivers(*receivers)
        return api

    def name_receivers(self, *receivers):
        """In the secret."""
        self.write_secret(zapier_api_key=TableApi.API_KEY, zapier_webhook_url=[one.url for one in receivers])

    def started(self, status_of=lambda payload: 200, **settings):
        """(receiver, API, Lambda) with one function process, where one of each is all that is needed."""
        receiver = self.receiver(status_of)
        api = self.api(receiver)
        return receiver, api, self.function(**settings)[0]

    def stream(self):
        return Stream(self.dynamodb.client("dynamodbstreams"), self.table)
