import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

import { indexArns } from './events-table.js';
import { METRICS_NAMESPACE } from './program.js';

export interface Reached {
  readonly table: dynamodb.ITable;
  readonly secret: secretsmanager.ISecret;
  readonly logGroup: logs.ILogGroup;
  /** With a trigger on the table's stream: that stream, and where what it could not deliver goes. */
  readonly failures?: { readonly streamArn: string; readonly queue: sqs.IQueue };
}

// The services know no ARN for these.
const ANYTHING = ['*'];

/**
 * The function's role: what the dispatcher calls, where it calls it, and nothing else. No managed
 * policy, and nothing that a construct adds later: all of it is here.
 */
export function dispatcherRole(scope: Construct, id: string, reached: Reached): iam.Role {
  const statements = [
    allow('Events', ['dynamodb:Query'], [reached.table.tableArn, ...indexArns(reached.table)]),
    allow('Claims', ['dynamodb:UpdateItem'], [reached.table.tableArn]),
    allow('Secret', ['secretsmanager:GetSecretValue'], [completeArn(reached.secret)]),
    // The ARN ends in `:*`, for the streams: Lambda chooses their names.
    allow('Logs', ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
      [reached.logGroup.logGroupArn]),
    allow('Traces', ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], ANYTHING),
    new iam.PolicyStatement({
      sid: 'Metrics',
      actions: ['cloudwatch:PutMetricData'],
      resources: ANYTHING,
      conditions: { StringEquals: { 'cloudwatch:namespace': METRICS_NAMESPACE } },
    }),
  ];
  if (reached.failures) {
    statements.push(
      allow('Stream', ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'],
        [reached.failures.streamArn]),
      // It is about all streams of a table.
      allow('Streams', ['dynamodb:ListStreams'], [`${reached.table.tableArn}/stream/*`]),
      allow('StreamFailures', ['sqs:SendMessage'], [reached.failures.queue.queueArn]));
  }
  return new iam.Role(scope, id, {
    assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
    description: 'What the event dispatcher may do',
    inlinePolicies: { Dispatcher: new iam.PolicyDocument({ statements }) },
  });
}

/** IAM meets nothing by an ARN without the six characters at its end. */
export function completeArn(secret: secretsmanager.ISecret): string {
  if (secret.secretFullArn === undefined) {
    throw new Error('a given secret must be named by its complete ARN, with the six characters at its end: ' +
      'Secret.fromSecretCompleteArn');
  }
  return secret.secretFullArn;
}

function allow(sid: string, actions: string[], resources: string[]): iam.PolicyStatement {
  return new iam.PolicyStatement({ sid, actions, resources });
}
