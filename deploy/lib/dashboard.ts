import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';

import type { DispatcherFunction } from './dispatcher-function.js';
import { FIVE_MINUTES, ours } from './metrics.js';

const HALF_WIDTH = 12;

/** What the events, the deliveries and the functions do, six graphs on one page. */
export function dispatcherDashboard(scope: Construct, id: string,
  dispatchers: readonly DispatcherFunction[]): cloudwatch.Dashboard {
  const dashboard = new cloudwatch.Dashboard(scope, id);
  dashboard.addWidgets(
    graph('Events', [ours('processed', 'Sum'), ours('successful', 'Sum'), ours('failed', 'Sum')]),
    graph('Latency and retries', [ours('latency', 'Average'), ours('latency', 'p99')], [ours('retries', 'Sum')]));
  dashboard.addWidgets(
    graph('Invocations and errors', ofEach(dispatchers, 'metricInvocations'), ofEach(dispatchers, 'metricErrors')),
    graph('Duration and throttles', ofEach(dispatchers, 'metricDuration'), ofEach(dispatchers, 'metricThrottles')));
  dashboard.addWidgets(
    graph('Events in review, events expired', [ours('inReview', 'Maximum')], [ours('expired', 'Sum')]),
    graph('Age of the oldest pending event', [ours('oldestPending', 'Maximum')]));
  return dashboard;
}

type FunctionMetric = 'metricInvocations' | 'metricErrors' | 'metricDuration' | 'metricThrottles';

function ofEach(dispatchers: readonly DispatcherFunction[], metric: FunctionMetric): cloudwatch.IMetric[] {
  return dispatchers.map((dispatcher) => (dispatcher.function as lambda.IFunction)[metric]({ period: FIVE_MINUTES }));
}

function graph(title: string, left: cloudwatch.IMetric[], right: cloudwatch.IMetric[] = []): cloudwatch.GraphWidget {
  return new cloudwatch.GraphWidget({ title, left, right, width: HALF_WIDTH });
}
