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

import { packageFile } from './package-file.js';
import { dispatcherRole } from './permissions.js';
import { EVENTS_PER_RUN, HANDLER } from './program.js';

/** The trigger on the table's stream, for delivery at once. The schedule stays: it retries. */
export interface StreamOptions {
  /** Records in one invocation, 1 to 1,000. Default: 100. */
  readonly batchSize?: number;
  /** How long a batch is waited for. Default: not at all. */
  readonly batchingWindow?: Duration;
  /** How often a batch is tried again before its records go to the queue of failures. Default: 3. */
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
   * Invocations that may be under way at once. Default: no limit, and none set aside, which a new
   * account's quota of 10 does not allow.
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
const MAX_NAME_LENGTH = 64;  // of a Lambda function

/** One dispatcher: the function, its role, log, schedule and, when asked for, trigger. */
export class DispatcherFunction extends Construct {
  readonly function: lambda.Function;
  readonly role: iam.Role;
  readonly rule: events.Rule;
  readonly every: Duration;
  /** Of the trigger on the stream: what it gave up. */
  readonly failures?: sqs.Queue;

  constructor(scope: Construct, id: string, props: DispatcherFunctionProps) {
    super(scope, id);
    this.every = checkedRate(props.every ?? DEFAULT_RATE);
    // A name of its own: the log group must have it before the function is there.
    const functionName = Names.uniqueResourceName(this, { maxLength: MAX_NAME_LENGTH, separator: '-' });
    const logGroup = new logs.LogGroup(this, 'Log', {
      logGroupName: `/aws/lambda/${functionName}`,
      retention: props.logRetention ?? logs.RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.failures = props.stream ? failureQueue(this) : undefined;
    this.role = dispatcherRole(this, 'Role', { ...props, logGroup, failures: this.failures });
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
        SECRET_ARN: props.secret.secretFullArn ?? props.secret.secretArn,
        MAX_EVENTS_PER_RUN: String(checkedEvents(props.maxEventsPerRun ?? EVENTS_PER_RUN.usual)),
        CLOUDWATCH_METRICS: 'all',
      },
      reservedConcurrentExecutions: props.reservedConcurrency,
    });
    this.rule = new events.Rule(this, 'Schedule', {
      description: 'Starts a run of the event dispatcher',
      schedule: events.Schedule.rate(this.every),
      targets: [new targets.LambdaFunction(this.function)],
    });
    if (props.stream && this.failures) {
      this.addTrigger(props.table, props.stream, this.failures);
    }
  }

  private addTrigger(table: dynamodb.ITable, options: StreamOptions, failures: sqs.IQueue): void {
    if (table.tableStreamArn === undefined) {
      throw new Error('the stream trigger needs a table with a stream: enable it on the table (new images), ' +
        'and give its ARN (tableStreamArn, DYNAMODB_STREAM_ARN)');
    }
    const mapping = new lambda.EventSourceMapping(this, 'Stream', {
      target: this.function,
      eventSourceArn: table.tableStreamArn,
      startingPosition: lambda.StartingPosition.LATEST,  // the schedule takes what is older
      // Our own updates come back as MODIFY.
      filters: [lambda.FilterCriteria.filter({ eventName: lambda.FilterRule.isEqual('INSERT') })],
      batchSize: options.batchSize ?? 100,
      bisectBatchOnError: true,
      reportBatchItemFailures: true,
      retryAttempts: options.retries ?? 3,
      maxRecordAge: options.maxAge ?? Duration.hours(1),
      // SqsDlq would add two actions that Lambda does not need.
      onFailure: { bind: () => ({ destination: failures.queueArn }) },
      maxBatchingWindow: options.batchingWindow,
    });
    // Lambda looks at the role's permissions when the mapping is made.
    mapping.node.addDependency(this.role);
  }
}

function failureQueue(scope: Construct): sqs.Queue {
  return new sqs.Queue(scope, 'StreamFailures', {
    encryption: sqs.QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    retentionPeriod: Duration.days(14),
  });
}

function checkedRate(every: Duration): Duration {
  const minutes = every.toMinutes({ integral: false });
  if (!Number.isInteger(minutes) || minutes < 1 || minutes > LONGEST_RATE.toMinutes()) {
    throw new Error(`a run every ${minutes} minutes: it must be whole minutes, 1 to ${LONGEST_RATE.toMinutes()}`);
  }
  return every;
}

function checkedEvents(events: number): number {
  if (!Number.isInteger(events) || events < EVENTS_PER_RUN.least || events > EVENTS_PER_RUN.most) {
    throw new Error(`${events} events a run: it must be a whole number, ${EVENTS_PER_RUN.least} to ` +
      `${EVENTS_PER_RUN.most}`);
  }
  return events;
}
