import { Duration, Names, RemovalPolicy } from 'aws-cdk-lib';
import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import type * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

import { whole } from './checks.js';
import { packageFile } from './package-file.js';
import { completeArn, dispatcherRole } from './permissions.js';
import { EVENTS_PER_RUN, HANDLER } from './program.js';

/** The trigger on the table's stream, for delivery at once. The schedule stays: it retries. */
export interface StreamOptions {
  /** Records in one invocation, 1 to 10,000. Default: 100. */
  readonly batchSize?: number;
  /** How long a batch is waited for. Default: not at all. */
  readonly batchingWindow?: Duration;
  /** How often a batch is tried again before its records go to the queue of failures, 0 to 100. Default: 3. */
  readonly retries?: number;
  /** Records older than this go there untried. Default: an hour; the schedule has taken them then. */
  readonly maxAge?: Duration;
}

export interface DispatcherOptions {
  /** Time between two runs, whole minutes up to a day. Default: 5 minutes. */
  readonly every?: Duration;
  /** MAX_EVENTS_PER_RUN. Default: 100. */
  readonly maxEventsPerRun?: number;
  /**
   * Invocations that may be under way at once, 1 or more. Default: no limit, and none set aside,
   * which a new account's quota of 10 does not allow.
   */
  readonly reservedConcurrency?: number;
  /** Default: no trigger but the schedule. */
  readonly stream?: StreamOptions;
  /** How long the log is kept. Default: a month. */
  readonly logRetention?: logs.RetentionDays;
  /** The function's zip. Default: what `./dev package` made. */
  readonly packageFile?: string;
}

export interface DispatcherFunctionProps extends DispatcherOptions {
  readonly apiBaseUrl: string;
  readonly table: dynamodb.ITable;
  readonly secret: secretsmanager.ISecret;
}

export const DEFAULT_RATE = Duration.minutes(5);
const LONGEST_RATE = Duration.days(1);
const LONGEST_EVENT_AGE = Duration.hours(6);  // Lambda's
const MOST_CONCURRENT = 1_000_000;
const MAX_NAME_LENGTH = 64;  // of a Lambda function

/** One dispatcher: the function, its role, log, schedule and, when asked for, trigger. */
export class DispatcherFunction extends Construct {
  readonly function: lambda.Function;
  readonly role: iam.Role;
  readonly secret: secretsmanager.ISecret;
  readonly rule: events.Rule;
  readonly every: Duration;
  /** Of the trigger on the stream: what it gave up. */
  readonly failures?: sqs.Queue;

  constructor(scope: Construct, id: string, props: DispatcherFunctionProps) {
    super(scope, id);
    this.secret = props.secret;
    this.every = checkedRate(props.every ?? DEFAULT_RATE);
    // A name of its own: the log group must have it before the function is there.
    const functionName = Names.uniqueResourceName(this, { maxLength: MAX_NAME_LENGTH, separator: '-' });
    const logGroup = new logs.LogGroup(this, 'Log', {
      logGroupName: `/aws/lambda/${functionName}`,
      retention: props.logRetention ?? logs.RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const { stream } = props;
    const streamArn = stream ? streamOf(props.table) : '';
    this.failures = stream ? failureQueue(this) : undefined;
    this.role = dispatcherRole(this, 'Role', {
      ...props, logGroup, failures: this.failures && { streamArn, queue: this.failures },
    });
    this.function = new lambda.Function(this, 'Function', {
      functionName,
      description: 'Delivers pending events to webhooks',
      runtime: lambda.Runtime.PROVIDED_AL2023,
      architecture: lambda.Architecture.X86_64,
      handler: HANDLER,
      code: lambda.Code.fromAsset(packageFile(props.packageFile)),
      memorySize: 256,
      timeout: Duration.seconds(300),
      tracing: lambda.Tracing.ACTIVE,
      role: this.role.withoutPolicyUpdates(),
      logGroup,
      // Not AWS_REGION, which Lambda sets and reserves; and no webhook's URL, which is a credential.
      environment: {
        API_BASE_URL: props.apiBaseUrl,
        DYNAMODB_TABLE_NAME: props.table.tableName,
        SECRET_ARN: completeArn(props.secret),
        MAX_EVENTS_PER_RUN: String(whole('maxEventsPerRun', props.maxEventsPerRun ?? EVENTS_PER_RUN.usual,
          EVENTS_PER_RUN.least, EVENTS_PER_RUN.most)),
        CLOUDWATCH_METRICS: 'all',
      },
      reservedConcurrentExecutions: props.reservedConcurrency === undefined ? undefined :
        whole('reservedConcurrency', props.reservedConcurrency, 1, MOST_CONCURRENT),
      // What waited for longer is the next run's to do.
      maxEventAge: Duration.minutes(Math.min(this.every.toMinutes(), LONGEST_EVENT_AGE.toMinutes())),
    });
    this.rule = new events.Rule(this, 'Schedule', {
      description: 'Starts a run of the event dispatcher',
      schedule: events.Schedule.rate(this.every),
      targets: [new targets.LambdaFunction(this.function)],
    });
    if (stream && this.failures) {
      this.addTrigger(streamArn, stream, this.failures);
    }
  }

  private addTrigger(streamArn: string, options: StreamOptions, failures: sqs.IQueue): void {
    const mapping = new lambda.EventSourceMapping(this, 'Stream', {
      target: this.function,
      eventSourceArn: streamArn,
      startingPosition: lambda.StartingPosition.LATEST,  // the schedule takes what is older
      // Our own updates come back as MODIFY.
      filters: [lambda.FilterCriteria.filter({ eventName: lambda.FilterRule.isEqual('INSERT') })],
      batchSize: whole('batchSize of the stream', options.batchSize ?? 100, 1, 10_000),
      bisectBatchOnError: true,
      reportBatchItemFailures: true,
      retryAttempts: whole('retries of the stream', options.retries ?? 3, 0, 100),
      maxRecordAge: options.maxAge ?? Duration.hours(1),
      // SqsDlq would add two actions that Lambda does not need.
      onFailure: { bind: () => ({ destination: failures.queueArn }) },
      maxBatchingWindow: options.batchingWindow,
    });
    // Lambda looks at the role's permissions when the mapping is made.
    mapping.node.addDependency(this.role);
  }
}

function streamOf(table: dynamodb.ITable): string {
  if (table.tableStreamArn === undefined) {
    throw new Error('the stream trigger needs a table with a stream: enable it on the table (new images), ' +
      'and give its ARN (tableStreamArn, DYNAMODB_STREAM_ARN)');
  }
  return table.tableStreamArn;
}

function failureQueue(scope: Construct): sqs.Queue {
  return new sqs.Queue(scope, 'StreamFailures', {
    encryption: sqs.QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    retentionPeriod: Duration.days(14),
  });
}

function checkedRate(every: Duration): Duration {
  if (every.isUnresolved()) {
    throw new Error('the time between two runs must be known when the stack is written: it is no parameter');
  }
  const minutes = every.toMinutes({ integral: false });
  if (!Number.isInteger(minutes) || minutes < 1 || minutes > LONGEST_RATE.toMinutes()) {
    throw new Error(`a run every ${minutes} minutes: it must be whole minutes, 1 to ${LONGEST_RATE.toMinutes()}`);
  }
  return every;
}
