import { Duration, Names } from 'aws-cdk-lib';
import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type * as sns from 'aws-cdk-lib/aws-sns';
import * as xray from 'aws-cdk-lib/aws-xray';
import { Construct } from 'constructs';

import { Alarms } from './alarms.js';
import { dispatcherDashboard } from './dashboard.js';
import { DispatcherFunction, type DispatcherOptions } from './dispatcher-function.js';
import { DispatcherSecret, FurtherSecret } from './dispatcher-secret.js';
import { EventsTable } from './events-table.js';

/** A dispatcher beside the first; what is not said is as in the first. */
export interface FurtherDispatcher extends DispatcherOptions {
  /** Its own Triggers API. Default: the first's, whose events the two then share out. */
  readonly apiBaseUrl?: string;
  /** Its secret, which holds its URL. Default: a new one with the first's API key and an empty URL. */
  readonly secret?: secretsmanager.ISecret;
}

export interface EventDispatcherProps extends DispatcherOptions {
  /** Base URL of the Triggers API. */
  readonly apiBaseUrl: string;
  /** An events table that is there. Default: a new one. */
  readonly table?: dynamodb.ITable;
  /** A secret that is there, by its complete ARN. Default: a new one. */
  readonly secret?: secretsmanager.ISecret;
  /** Further dispatchers by name, each for webhook URLs of its own. Default: none. */
  readonly further?: Readonly<Record<string, FurtherDispatcher>>;
  /** Who gets the alarms by e-mail. */
  readonly alarmEmail?: string;
  /** A topic that is there, for the alarms. Default: a new one. */
  readonly alarmTopic?: sns.ITopic;
  /** When the oldest pending event is too old. Default: an hour. */
  readonly oldestPending?: Duration;
  /** The share of requests that X-Ray traces beyond one a second. Default: 0.05. */
  readonly traceRate?: number;
}

const DEFAULT_TRACE_RATE = 0.05;
const MAX_RULE_NAME = 32;
const RULE_PRIORITY = 1000;  // 1 to 9999; X-Ray's own default rule comes last

/**
 * The event dispatcher: table, secret, function, schedule, alarms and dashboard. What is given is
 * used; what is not, is made.
 */
export class EventDispatcher extends Construct {
  readonly table: dynamodb.ITable;
  readonly secret: secretsmanager.ISecret;
  /** The first, and the further ones. */
  readonly dispatchers: readonly [DispatcherFunction, ...DispatcherFunction[]];
  readonly alarmTopic: sns.ITopic;
  readonly dashboard: cloudwatch.Dashboard;

  constructor(scope: Construct, id: string, props: EventDispatcherProps) {
    super(scope, id);
    const further = Object.entries(props.further ?? {});
    const stream = [props, ...further.map(([, options]) => options)].some((options) => options.stream);
    this.table = props.table ?? new EventsTable(this, 'Events', { stream });
    this.secret = props.secret ?? new DispatcherSecret(this, 'Secret');
    const first = new DispatcherFunction(this, 'Dispatcher', { ...props, table: this.table, secret: this.secret });
    this.dispatchers = [first, ...further.map(([name, options]) => this.addFurther(name, options, props))];
    this.alarmTopic = new Alarms(this, 'Alarms', {
      dispatchers: this.dispatchers,
      email: props.alarmEmail,
      topic: props.alarmTopic,
      oldestPending: props.oldestPending ?? Duration.hours(1),
    }).topic;
    this.dashboard = dispatcherDashboard(this, 'Dashboard', this.dispatchers);
    for (const dispatcher of this.dispatchers) {
      traceSampling(dispatcher, props.traceRate ?? DEFAULT_TRACE_RATE);
    }
  }

  private addFurther(name: string, options: FurtherDispatcher, first: EventDispatcherProps): DispatcherFunction {
    const secret = options.secret ?? new FurtherSecret(this, `${name}Secret`, this.secret);
    return new DispatcherFunction(this, name, {
      apiBaseUrl: first.apiBaseUrl,
      packageFile: first.packageFile,
      logRetention: first.logRetention,
      ...options,
      secret,
      table: this.table,
    });
  }
}

// For callers that ask X-Ray for rules before they begin a trace. Lambda does not: of what begins
// with Lambda itself, the schedule's runs, it samples one a second and 5 % beyond, always.
function traceSampling(dispatcher: DispatcherFunction, rate: number): void {
  new xray.CfnSamplingRule(dispatcher, 'Sampling', {
    samplingRule: {
      version: 1,
      ruleName: Names.uniqueResourceName(dispatcher, { maxLength: MAX_RULE_NAME, separator: '-' }),
      priority: RULE_PRIORITY,
      reservoirSize: 1,
      fixedRate: rate,
      serviceName: dispatcher.function.functionName,
      serviceType: '*',
      host: '*',
      httpMethod: '*',
      urlPath: '*',
      resourceArn: '*',
    },
  });
}
