import { RemovalPolicy } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';

import { TABLE } from './program.js';

const { STRING } = dynamodb.AttributeType;

const INDEXES = [
  { indexName: TABLE.statusIndex, sortKey: TABLE.sortKey },
  { indexName: TABLE.lastAttemptIndex, sortKey: TABLE.lastAttempt },
];

export interface EventsTableProps {
  /** Publishes what is written to it, for a trigger. */
  readonly stream?: boolean;
}

/** The events table. Deleting the stack leaves it and its backups where they are. */
export class EventsTable extends dynamodb.Table {
  constructor(scope: Construct, id: string, props: EventsTableProps = {}) {
    super(scope, id, {
      partitionKey: { name: TABLE.partitionKey, type: STRING },
      sortKey: { name: TABLE.sortKey, type: STRING },
      timeToLiveAttribute: TABLE.expiry,
      billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      encryption: dynamodb.TableEncryption.AWS_MANAGED,
      removalPolicy: RemovalPolicy.RETAIN,
      stream: props.stream ? dynamodb.StreamViewType.NEW_IMAGE : undefined,
    });
    for (const { indexName, sortKey } of INDEXES) {
      this.addGlobalSecondaryIndex({
        indexName,
        partitionKey: { name: TABLE.status, type: STRING },
        sortKey: { name: sortKey, type: STRING },
        projectionType: dynamodb.ProjectionType.ALL,
      });
    }
  }
}

/** A Query on an index is allowed by the index's ARN. */
export function indexArns(table: dynamodb.ITable): string[] {
  return INDEXES.map(({ indexName }) => `${table.tableArn}/index/${indexName}`);
}
