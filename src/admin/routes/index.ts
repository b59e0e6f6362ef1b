/** The one table of questions: method, verb and path, parameters and answers, scope, what is asked of `Operations`. */
export { MAX_IMPORT_ROWS } from './parameters.ts';
export type { Desk, GivenScope, Page, Route, Scope, TokenRow, TokenShelf } from './route.ts';
export { HOOK_ROUTES } from './hook-routes.ts';
export { STREAMS } from './streams.ts';
export type { Stream } from './streams.ts';
export { ROUTES } from './table.ts';
export type { MethodName } from './table.ts';
