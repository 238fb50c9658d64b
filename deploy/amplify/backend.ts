// The Amplify Gen 2 backend: `npx ampx sandbox`, `npx ampx pipeline-deploy`. The same as the CDK app,
// in a stack nested into Amplify's.
import { defineBackend } from '@aws-amplify/backend';

import { EventDispatcher, propsFromEnvironment } from '../lib/index.js';

const backend = defineBackend({});
const stack = backend.createStack('EventDispatcher');
const dispatcher = new EventDispatcher(stack, 'Dispatcher', propsFromEnvironment(stack));

// amplify_outputs.json tells what to invoke and where the webhook's URL goes.
backend.addOutput({
  custom: {
    dispatcherFunctionName: dispatcher.dispatchers[0].function.functionName,
    dispatcherSecretArn: dispatcher.secret.secretArn,
    dispatcherTableName: dispatcher.table.tableName,
  },
});
