// Stacks as people may write them, each with the construct library as they import it; cdk-nag looks
// at all of them. usage: scenarios.js FOLDER ZIP
import { App, Duration, Stack, Validations } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import * as sns from 'aws-cdk-lib/aws-sns';
import { AwsSolutionsChecks } from 'cdk-nag';

import { EventDispatcher, type EventDispatcherProps, EventsTable } from '../lib/index.js';

const [outdir, packageFile] = process.argv.slice(2);
if (outdir === undefined || packageFile === undefined) {
  throw new Error('usage: scenarios.js FOLDER ZIP');
}
const apiBaseUrl = 'https://api.example.com';
const PLACE = 'us-east-2:123456789012';

const scenarios: Record<string, (stack: Stack) => Partial<EventDispatcherProps>> = {
  Plain: () => ({}),
  Tuned: () => ({
    every: Duration.minutes(1),
    maxEventsPerRun: 500,
    reservedConcurrency: 2,
    logRetention: logs.RetentionDays.ONE_WEEK,
    alarmEmail: 'on-call@example.com',
    oldestPending: Duration.minutes(20),
    traceRate: 0.01,
  }),
  Slow: () => ({ every: Duration.hours(1) }),
  Stream: () => ({ stream: {} }),
  StreamTuned: () => ({
    stream: { batchSize: 10, batchingWindow: Duration.seconds(2), retries: 1, maxAge: Duration.minutes(10) },
  }),
  Several: (stack) => ({
    further: {
      Billing: { maxEventsPerRun: 200 },
      Audit: {
        apiBaseUrl: 'https://audit.example.com',
        table: dynamodb.Table.fromTableName(stack, 'AuditEvents', 'audit-events'),
        secret: secretsmanager.Secret.fromSecretCompleteArn(stack, 'Given',
          `arn:aws:secretsmanager:${PLACE}:secret:audit-AbCdEf`),
      },
    },
  }),
  Existing: (stack) => ({
    table: dynamodb.Table.fromTableAttributes(stack, 'GivenTable', {
      tableArn: `arn:aws:dynamodb:${PLACE}:table/zapier-triggers-events`,
      tableStreamArn: `arn:aws:dynamodb:${PLACE}:table/zapier-triggers-events/stream/2025-01-01T00:00:00.000`,
    }),
    secret: secretsmanager.Secret.fromSecretCompleteArn(stack, 'GivenSecret',
      `arn:aws:secretsmanager:${PLACE}:secret:zapier-AbCdEf`),
    alarmTopic: sns.Topic.fromTopicArn(stack, 'GivenTopic', `arn:aws:sns:${PLACE}:on-call`),
    stream: {},
  }),
};

const app = new App({ outdir, analyticsReporting: false });
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
for (const [name, propsFor] of Object.entries(scenarios)) {
  const stack = new Stack(app, name);
  new EventDispatcher(stack, 'Dispatcher', { apiBaseUrl, packageFile, ...propsFor(stack) });
}

// Whatever is refused is refused when the stack is written, with words that say why.
const refused: Record<string, (stack: Stack) => void> = {
  'no package': (stack) => new EventDispatcher(stack, 'D', { apiBaseUrl, packageFile: '/nowhere.zip' }),
  'half a minute': (stack) => new EventDispatcher(stack, 'D', { apiBaseUrl, packageFile, every: Duration.seconds(30) }),
  'two days': (stack) => new EventDispatcher(stack, 'D', { apiBaseUrl, packageFile, every: Duration.days(2) }),
  'no events': (stack) => new EventDispatcher(stack, 'D', { apiBaseUrl, packageFile, maxEventsPerRun: 0 }),
  'too many events': (stack) =>
    new EventDispatcher(stack, 'D', { apiBaseUrl, packageFile, maxEventsPerRun: 10_001 }),
  'a further API on the first table': (stack) => new EventDispatcher(stack, 'D',
    { apiBaseUrl, packageFile, further: { Audit: { apiBaseUrl: 'https://audit.example.com' } } }),
  'a taken name': (stack) => new EventDispatcher(stack, 'D', { apiBaseUrl, packageFile, further: { Alarms: {} } }),
  'an API without TLS': (stack) => new EventDispatcher(stack, 'D', { apiBaseUrl: 'http://x.example', packageFile }),
  'a secret by name': (stack) => new EventDispatcher(stack, 'D',
    { apiBaseUrl, packageFile, secret: secretsmanager.Secret.fromSecretNameV2(stack, 'S', 'my/secret') }),
  'endless retries': (stack) => new EventDispatcher(stack, 'D', { apiBaseUrl, packageFile, stream: { retries: -1 } }),
  'an empty batch': (stack) => new EventDispatcher(stack, 'D', { apiBaseUrl, packageFile, stream: { batchSize: 0 } }),
  'no concurrency': (stack) => new EventDispatcher(stack, 'D', { apiBaseUrl, packageFile, reservedConcurrency: 0 }),
  'more than every trace': (stack) => new EventDispatcher(stack, 'D', { apiBaseUrl, packageFile, traceRate: 5 }),
  'an age below the period': (stack) => new EventDispatcher(stack, 'D',
    { apiBaseUrl, packageFile, every: Duration.hours(2), oldestPending: Duration.hours(1) }),
  'a table without a stream': (stack) => new EventDispatcher(stack, 'D',
    { apiBaseUrl, packageFile, table: new EventsTable(stack, 'T'), stream: {} }),
};
for (const [name, attempt] of Object.entries(refused)) {
  try {
    attempt(new Stack());
    console.log(`${name}: taken`);
  } catch (error) {
    console.log(`${name}: ${(error as Error).message}`);
  }
}

try {
  app.synth();
} catch (error) {
  // What cdk-nag found is in validation-report.json; the tests judge it.
  if ((error as Error).name !== 'ValidationFailed') {
    throw error;
  }
}
