// What the stack knows of the program: names that stand in the program's own tables too. The tests
// compare the two (tests/deploy/program_test.py).

export const METRICS_NAMESPACE = 'ZapierTriggersAPI/Dispatcher';

// The program publishes them without dimensions: several dispatchers of an account and region add up.
export const METRICS = {
  processed: 'EventsProcessed',
  successful: 'SuccessfulDeliveries',
  failed: 'FailedDeliveries',
  latency: 'DeliveryLatency',
  retries: 'RetryAttempts',
  inReview: 'EventsInReview',
  oldestPending: 'OldestPendingAge',
  expired: 'EventsExpired',
} as const;

export const TABLE = {
  partitionKey: 'id',
  sortKey: 'created_at',
  expiry: 'ttl',
  status: 'status',
  statusIndex: 'status-index',
  lastAttempt: 'last_delivery_attempt',
  lastAttemptIndex: 'last-attempt-index',
} as const;

export const SECRET = {
  apiKey: 'zapier_api_key',
  webhookUrl: 'zapier_webhook_url',
  jwtKey: 'jwt_secret',
} as const;

// Lambda runs the executable of this name, whatever the handler is called.
export const HANDLER = 'bootstrap';

// Where `./dev package` puts the function, below the repository's root.
export const PACKAGE = 'build/package/dispatcher-lambda.zip';

export const EVENTS_PER_RUN = { least: 1, most: 10_000, usual: 100 } as const;
