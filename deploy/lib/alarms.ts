import { Aws, Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as actions from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as subscriptions from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';

import type { DispatcherFunction } from './dispatcher-function.js';
import { FIVE_MINUTES, ours } from './metrics.js';

export interface AlarmsProps {
  readonly dispatchers: readonly DispatcherFunction[];
  /** Who gets an e-mail; AWS asks them to confirm first. */
  readonly email?: string;
  /** Where alarms go instead of a topic of their own. */
  readonly topic?: sns.ITopic;
  /** From this age on the oldest pending event is too old. */
  readonly oldestPending: Duration;
}

// More than so many in 5 minutes.
const TOLERATED_ERRORS = 3;
// So many periods of 5 minutes, or of the schedule when it is slower, without a run that succeeded.
const PERIODS_WITHOUT_RUN = 3;

const { GREATER_THAN_THRESHOLD, GREATER_THAN_OR_EQUAL_TO_THRESHOLD, LESS_THAN_THRESHOLD } =
  cloudwatch.ComparisonOperator;
const { BREACHING, NOT_BREACHING } = cloudwatch.TreatMissingData;

/** What tells a person that events do not get through. */
export class Alarms extends Construct {
  readonly topic: sns.ITopic;

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    this.topic = props.topic ?? alarmTopic(this);
    if (props.email) {
      this.topic.addSubscription(new subscriptions.EmailSubscription(props.email));
    }
    for (const dispatcher of props.dispatchers) {
      this.watch(dispatcher);
    }
    this.watchDeliveries(props);
  }

  private watch(dispatcher: DispatcherFunction): void {
    const { id } = dispatcher.node;
    this.add(`${id}HighErrorRate`, 'Runs fail: the log says why, in a line `the invocation failed`.', {
      metric: dispatcher.function.metricErrors({ period: FIVE_MINUTES }),
      comparisonOperator: GREATER_THAN_THRESHOLD,
      threshold: TOLERATED_ERRORS,
    });
    // An invocation that fails is tried three times in all, and a throttled one makes no error: an
    // outage may never make a fourth error in 5 minutes, but it does make no success.
    const period = Duration.minutes(Math.max(FIVE_MINUTES.toMinutes(), dispatcher.every.toMinutes()));
    this.add(`${id}NoSuccessfulRun`, 'No run has succeeded for three periods: is the rule enabled, the API there?', {
      metric: new cloudwatch.MathExpression({
        expression: 'FILL(invocations, 0) - FILL(errors, 0)',
        label: 'Successful runs',
        usingMetrics: {
          invocations: dispatcher.function.metricInvocations({ period }),
          errors: dispatcher.function.metricErrors({ period }),
        },
        period,
      }),
      comparisonOperator: LESS_THAN_THRESHOLD,
      threshold: 1,
      evaluationPeriods: PERIODS_WITHOUT_RUN,
      treatMissingData: BREACHING,
    });
    if (dispatcher.failures) {
      this.add(`${id}StreamFailures`, 'The trigger gave records up; the schedule delivers their events.', {
        metric: dispatcher.failures.metricApproximateNumberOfMessagesVisible({ period: FIVE_MINUTES }),
        comparisonOperator: GREATER_THAN_THRESHOLD,
        threshold: 0,
      });
    }
  }

  // The program's metrics are those of all dispatchers of the account and region.
  private watchDeliveries(props: AlarmsProps): void {
    const slowest = Math.max(FIVE_MINUTES.toMinutes(), ...props.dispatchers.map(({ every }) => every.toMinutes()));
    const period = Duration.minutes(slowest);
    this.add('FailedDeliveries', 'Attempts at deliveries fail: what do the endpoints answer?', {
      metric: ours('failed', 'Sum'),
      comparisonOperator: GREATER_THAN_THRESHOLD,
      threshold: TOLERATED_ERRORS,
    });
    this.add('OldestPending', 'An event waits too long: too many of them, or none gets through? (With an API that has leases, ' +
      'that API tells.)', {
      metric: ours('oldestPending', 'Maximum', period),
      comparisonOperator: GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      threshold: props.oldestPending.toSeconds(),
    });
    this.add('EventsInReview', 'Events wait for a person: an endpoint refused them, or every retry failed. (With an API that ' +
      'has leases, that API tells.)', {
      metric: ours('inReview', 'Maximum', period),
      comparisonOperator: GREATER_THAN_THRESHOLD,
      threshold: 0,
    });
    this.add('EventsExpired', 'The table deleted events before they were delivered: their ttl is too short.', {
      metric: ours('expired', 'Sum'),
      comparisonOperator: GREATER_THAN_THRESHOLD,
      threshold: 0,
    });
  }

  private add(id: string, description: string, props: Partial<cloudwatch.AlarmProps> &
    Pick<cloudwatch.AlarmProps, 'metric' | 'threshold'>): void {
    const alarm = new cloudwatch.Alarm(this, id, {
      alarmDescription: description,
      evaluationPeriods: 1,
      treatMissingData: NOT_BREACHING,
      ...props,
    });
    alarm.addAlarmAction(new actions.SnsAction(this.topic));
    alarm.addOkAction(new actions.SnsAction(this.topic));
  }
}

function alarmTopic(scope: Construct): sns.Topic {
  const topic = new sns.Topic(scope, 'Topic', { displayName: 'Event dispatcher', enforceSSL: true });
  // A policy of one's own takes the place of the one by which alarms may publish.
  topic.addToResourcePolicy(new iam.PolicyStatement({
    sid: 'AlarmsOfThisAccount',
    principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
    actions: ['sns:Publish'],
    resources: [topic.topicArn],
    conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
  }));
  return topic;
}
