import { Duration, Names } from 'aws-cdk-lib';
import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type * as sns from 'aws-cdk-lib/aws-sns';
import * as xray from 'aws-cdk-lib/aws-xray';
import { Construct } from 'constructs';

import { Alarms } from './alarms.js';
import { apiUrl } from './checks.js';
import { dispatcherDashboard } from './dashboard.js';
import { DispatcherFunction, type DispatcherOptions } from './dispatcher-function.js';
import { DispatcherSecret, FurtherSecret } from './dispatcher-secret.js';
import { EventsTable } from './events-table.js';

/**
 * A dispatcher beside the first. API, table, package and log retention are the first's where they
 * are not said; its numbers are the defaults.
 */
export interface FurtherDispatcher extends DispatcherOptions {
  /**
   * Its own Triggers API, with that API's `table` and `secret`. Default: the first's, whose events
   * the two then share out.
   */
  readonly apiBaseUrl?: string;
  /** The table of its own Triggers API. Default: the first's, of the same API. */
  readonly table?: dynamodb.ITable;
  /** Its secret, which holds its URL. Default: a new one, in which a person fills in key and URL. */
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
  /** When the oldest pending event is too old. Default: an hour, or three periods of a slower schedule. */
  readonly oldestPending?: Duration;
  /** The share of requests that X-Ray traces beyond one a second. Default: 0.05. */
  readonly traceRate?: number;
}

const DEFAULT_TRACE_RATE = 0.05;
const OLDEST_PENDING_MINUTES = 60;
const OLDEST_PENDING_PERIODS = 3;
// What the construct's own parts are called.
const TAKEN_NAMES = ['', 'Alarms', 'Dashboard', 'Dispatcher', 'Events', 'Secret', 'SecretJwtKey'];
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
    apiUrl('apiBaseUrl', props.apiBaseUrl);
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
      oldestPending: this.oldestPending(props.oldestPending),
    }).topic;
    this.dashboard = dispatcherDashboard(this, 'Dashboard', this.dispatchers);
    for (const dispatcher of this.dispatchers) {
      traceSampling(dispatcher, checkedShare(props.traceRate ?? DEFAULT_TRACE_RATE));
    }
  }

  private addFurther(name: string, options: FurtherDispatcher, first: EventDispatcherProps): DispatcherFunction {
    if (TAKEN_NAMES.includes(name) || this.node.tryFindChild(name)) {
      throw new Error(`a further dispatcher cannot be called "${name}": the construct has a part of that name`);
    }
    // Another API's events lie in another table, and its key is another.
    if (options.apiBaseUrl !== undefined && options.apiBaseUrl !== first.apiBaseUrl &&
        (!options.table || !options.secret)) {
      throw new Error(`the dispatcher ${name} has a Triggers API of its own: give it that API's table and secret`);
    }
    return new DispatcherFunction(this, name, {
      ...options,
      apiBaseUrl: apiUrl(`apiBaseUrl of ${name}`, options.apiBaseUrl ?? first.apiBaseUrl),
      packageFile: options.packageFile ?? first.packageFile,
      logRetention: options.logRetention ?? first.logRetention,
      secret: options.secret ?? new FurtherSecret(this, `${name}Secret`),
      table: options.table ?? this.table,
    });
  }

  // What a run delivers has waited for its schedule: that is no reason to wake anybody.
  private oldestPending(asked: Duration | undefined): Duration {
    const slowest = Math.max(...this.dispatchers.map(({ every }) => every.toMinutes()));
    const usual = Duration.minutes(Math.max(OLDEST_PENDING_MINUTES, OLDEST_PENDING_PERIODS * slowest));
    if (asked !== undefined && asked.toMinutes({ integral: false }) <= slowest) {
      throw new Error(`oldestPending must be longer than the schedule's period, ${slowest} minutes: ` +
        'an event waits for the schedule');
    }
    return asked ?? usual;
  }
}

function checkedShare(share: number): number {
  if (!(share >= 0 && share <= 1)) {
    throw new Error(`traceRate must be a share, 0 to 1, and is ${share}`);
  }
  return share;
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
