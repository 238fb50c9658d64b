// What a stack of one's own imports.
export { DispatcherFunction } from './dispatcher-function.js';
export type { DispatcherFunctionProps, DispatcherOptions, StreamOptions } from './dispatcher-function.js';
export { DispatcherSecret } from './dispatcher-secret.js';
export { EventDispatcher } from './event-dispatcher.js';
export type { EventDispatcherProps, FurtherDispatcher } from './event-dispatcher.js';
export { EventsTable } from './events-table.js';
export type { EventsTableProps } from './events-table.js';
export { propsFromEnvironment } from './from-environment.js';
