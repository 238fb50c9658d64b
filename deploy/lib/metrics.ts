import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';

import { METRICS, METRICS_NAMESPACE } from './program.js';

export const FIVE_MINUTES = Duration.minutes(5);

/** One of the program's metrics. */
export function ours(name: keyof typeof METRICS, statistic: string, period = FIVE_MINUTES): cloudwatch.Metric {
  return new cloudwatch.Metric({ namespace: METRICS_NAMESPACE, metricName: METRICS[name], statistic, period });
}
