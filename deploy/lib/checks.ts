import { Token } from 'aws-cdk-lib';

/** A number that is known when the stack is written. */
export function whole(what: string, value: number, least: number, most: number): number {
  if (Token.isUnresolved(value) || !Number.isInteger(value) || value < least || value > most) {
    throw new Error(`${what} must be a whole number, ${least} to ${most}` +
      (Token.isUnresolved(value) ? ', that is known when the stack is written' : `, and is ${value}`));
  }
  return value;
}

/** The URL of a Triggers API; what another construct makes is taken as it is. */
export function apiUrl(what: string, url: string | undefined): string {
  if (url === undefined || (!Token.isUnresolved(url) && !/^https:\/\/[^/\s]+/.test(url))) {
    throw new Error(`${what} must be the https:// URL of the Triggers API` +
      (url === undefined ? ', and is not set' : ''));
  }
  return url;
}
