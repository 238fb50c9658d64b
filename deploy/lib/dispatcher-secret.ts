import { RemovalPolicy } from 'aws-cdk-lib';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';

import { SECRET } from './program.js';

// CloudFormation makes a secret's value when the resource is created, and makes it anew when one of
// these properties changes: then the webhook's URL would be gone. They depend on no option.
const GENERATED = { excludePunctuation: true, includeSpace: false, passwordLength: 48 };

/**
 * The dispatcher's secret: two generated keys, and an empty URL for a person to fill in. It stays
 * when the stack goes.
 *
 * CloudFormation generates one value a secret: the API's signing key is that of a second one, from
 * where it is copied once.
 */
export class DispatcherSecret extends secretsmanager.Secret {
  constructor(scope: Construct, id: string) {
    const signing = new secretsmanager.Secret(scope, `${id}JwtKey`, {
      description: `Where ${SECRET.jwtKey} of the dispatcher's secret was generated; nothing reads it later.`,
      generateSecretString: GENERATED,
    });
    super(scope, id, {
      description: 'The event dispatcher: key of the Triggers API, webhook URL, key of its tokens.',
      generateSecretString: {
        ...GENERATED,
        generateStringKey: SECRET.apiKey,
        secretStringTemplate: JSON.stringify({
          [SECRET.webhookUrl]: '',
          [SECRET.jwtKey]: signing.secretValue.unsafeUnwrap(),  // a reference; no value is in the template
        }),
      },
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }
}

/**
 * A further dispatcher's secret: key and URL are empty, for a person to fill in; its runs fail and
 * say so until then. A key copied from the first's would have the value written anew, without the
 * URL, whenever that reference changes.
 */
export class FurtherSecret extends secretsmanager.Secret {
  constructor(scope: Construct, id: string) {
    super(scope, id, {
      description: 'A further event dispatcher: key of the Triggers API, and its own webhook URL.',
      generateSecretString: {
        ...GENERATED,
        generateStringKey: SECRET.jwtKey,  // something must be generated; a run needs it not
        secretStringTemplate: JSON.stringify({ [SECRET.apiKey]: '', [SECRET.webhookUrl]: '' }),
      },
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }
}
