// The CDK app: `npx cdk synth`, `npx cdk deploy`. In the account and region that the AWS profile names.
import { App, CfnOutput, Stack } from 'aws-cdk-lib';

import { EventDispatcher, propsFromEnvironment } from '../lib/index.js';

const app = new App({ analyticsReporting: false });
const stack = new Stack(app, 'EventDispatcher', {
  description: 'Delivers pending events of the Triggers API to webhooks',
});
const dispatcher = new EventDispatcher(stack, 'Dispatcher', propsFromEnvironment(stack));

// What the AWS command line is told later.
const outputs = {
  FunctionName: dispatcher.dispatchers[0].function.functionName,
  SecretArn: dispatcher.secret.secretArn,
  TableName: dispatcher.table.tableName,
  DashboardName: dispatcher.dashboard.dashboardName,
};
for (const [name, value] of Object.entries(outputs)) {
  new CfnOutput(stack, name, { value });
}
for (const { node, function: { functionName }, secret } of dispatcher.dispatchers.slice(1)) {
  new CfnOutput(stack, `${node.id}FunctionName`, { value: functionName });
  new CfnOutput(stack, `${node.id}SecretArn`, { value: secret.secretArn });
}
