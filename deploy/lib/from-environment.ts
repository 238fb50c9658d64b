import { Duration } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';

import { apiUrl } from './checks.js';
import type { EventDispatcherProps } from './event-dispatcher.js';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The properties as the environment of `cdk` or `ampx` says them. What has no variable here is said
 * in code, in bin/deploy.ts or amplify/backend.ts.
 */
export function propsFromEnvironment(scope: Construct, environment: Environment = process.env): EventDispatcherProps {
  const text = (name: string): string | undefined => environment[name] || undefined;
  const number = (name: string): number | undefined => parsed(name, text(name));
  const minutes = number('SCHEDULE_MINUTES');
  return {
    apiBaseUrl: apiUrl('API_BASE_URL', text('API_BASE_URL')),
    table: existingTable(scope, text('DYNAMODB_TABLE_NAME'), text('DYNAMODB_STREAM_ARN')),
    secret: existingSecret(scope, text('SECRET_ARN')),
    maxEventsPerRun: number('MAX_EVENTS_PER_RUN'),
    every: minutes === undefined ? undefined : Duration.minutes(minutes),
    reservedConcurrency: number('RESERVED_CONCURRENCY'),
    stream: isOn('STREAM_TRIGGER', text('STREAM_TRIGGER')) ? {} : undefined,
    alarmEmail: text('ALARM_EMAIL'),
    packageFile: text('DISPATCHER_PACKAGE'),
  };
}

function existingTable(scope: Construct, name: string | undefined,
  streamArn: string | undefined): dynamodb.ITable | undefined {
  if (name === undefined) {
    return undefined;
  }
  return streamArn === undefined ? dynamodb.Table.fromTableName(scope, 'ExistingEvents', name) :
    dynamodb.Table.fromTableAttributes(scope, 'ExistingEvents', { tableName: name, tableStreamArn: streamArn });
}

function existingSecret(scope: Construct, arn: string | undefined): secretsmanager.ISecret | undefined {
  if (arn === undefined) {
    return undefined;
  }
  if (!/^arn:[^:]+:secretsmanager:[^:]+:\d{12}:secret:.+-[A-Za-z0-9]{6}$/.test(arn)) {
    throw new Error('SECRET_ARN must be the complete ARN, with the six characters at its end: ' +
      'aws secretsmanager describe-secret shows it');
  }
  return secretsmanager.Secret.fromSecretCompleteArn(scope, 'ExistingSecret', arn);
}

function parsed(name: string, text: string | undefined): number | undefined {
  if (text !== undefined && !/^\d+$/.test(text)) {
    throw new Error(`${name} must be a whole number, and is ${text}`);
  }
  return text === undefined ? undefined : Number(text);
}

function isOn(name: string, text: string | undefined): boolean {
  if (text !== undefined && text !== 'on' && text !== 'off') {
    throw new Error(`${name} must be on or off, and is ${text}`);
  }
  return text === 'on';
}
