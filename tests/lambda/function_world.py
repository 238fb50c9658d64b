"""What a test of the function starts and sets: Lambda, a Triggers API, receivers, a secret, the process."""

import json

import harness
import picky_receiver
import plain_api
import runtime_api


class World:
    """Everything that a test has started, and the settings of the function in it."""

    def __init__(self, folder, stack):
        self.folder, self.stack = folder, stack
        self.runtimes = 0
        self.secret_file = folder / "secret.json"
        self.settings = {"SECRETS_FILE": self.secret_file, "RETRY_BASE_SECONDS": "0.02",
                         "ALLOW_TARGETS": harness.LOOPBACK_TARGETS, "AWS_REGION": "us-east-2",
                         "CLOUDWATCH_METRICS": "none"}

    def write_secret(self, **members):
        self.secret_file.write_text(json.dumps(members))
        self.secret_file.chmod(0o600)

    def receiver(self, status_of=lambda payload: 200):
        receiver = picky_receiver.PickyReceiver(status_of)
        self.stack.callback(receiver.close)
        return receiver

    def plain(self, *urls):
        """The original API, and a secret that fits it."""
        api = plain_api.PlainApi()
        self.stack.callback(api.close)
        self.settings["API_BASE_URL"] = api.url
        self.write_secret(zapier_api_key=api.API_KEY, zapier_webhook_url=list(urls))
        return api

    def service(self, *urls):
        """Our API without an engine of its own, and a secret that fits it."""
        service = self.stack.enter_context(harness.stopping(harness.Service(self.folder)))
        self.settings["API_BASE_URL"] = service.url
        self.write_secret(zapier_api_key=service.api_key(), zapier_webhook_url=list(urls))
        return service

    def function(self, **settings):
        """(Lambda, the function's process), started as Lambda starts the zip's `bootstrap`."""
        self.runtimes += 1
        runtime = runtime_api.RuntimeApi()
        environment = harness.clean_environment(
            AWS_LAMBDA_RUNTIME_API=runtime.address, **{**self.settings, **settings})
        process = harness.Process([harness.BINARY], self.folder, f"function{self.runtimes}",
                                  env=environment)
        self.stack.callback(runtime.close)
        self.stack.enter_context(harness.stopping(process))
        return runtime, process
