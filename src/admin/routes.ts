import { z } from 'zod';
import type { Operations } from '../model/index.ts';

/**
 * One question that an operator can ask. The same table serves the control socket and, later, HTTP.
 * `paged` routes return a whole list, which the door hands out in pages (see `Page`): a list of a hundred thousand
 * bans must neither be one line nor one long stop of the event loop.
 */
export interface Route {
  readonly method: string;
  readonly paged: boolean;
  /** Checks the parameters, then asks. Rejects with ZodError for wrong parameters, CompanionError for refusals. */
  readonly call: (operations: Operations, params: unknown) => Promise<unknown>;
}

/** A part of a list. `next`: what to send as `cursor` for the following part, null after the last. */
export interface Page {
  readonly rows: readonly unknown[];
  readonly total: number;
  readonly next: number | null;
}

/** Longest CIDR text is 49 characters; longer ones are refused by the address parser, with its own sentence. */
const subject = z.string().min(1).max(100);
const author = z.string().min(1).max(100);
const durationMs = z.int().positive().nullable().optional();
const remove = z.strictObject({ subject, author });
const listAdd = z.strictObject({ subject, note: z.string().max(200), author, durationMs });
const none = z.strictObject({});
const ip = z.strictObject({ ip: z.string().min(1).max(100) });

const route = <I>(
  method: string,
  params: z.ZodType<I>,
  ask: (operations: Operations, params: I) => Promise<unknown>,
  paged = false,
): Route => ({
  method,
  paged,
  call: async (operations, raw) => ask(operations, params.parse(raw)),
});

/** Every method but `watch`, which is a stream and lives in `watch-stream.ts`. */
export const ROUTES = [
  route('status', none, (operations) => operations.status()),
  route('version', none, async (operations) => ({ version: (await operations.status()).version })),
  route(
    'ban.add',
    z.strictObject({ subject, durationMs, reason: z.string().max(200), author, force: z.boolean().optional() }),
    (operations, request) => operations.banAdd(request),
  ),
  route('ban.list', none, (operations) => operations.banList(), true),
  route('ban.remove', remove, (operations, request) => operations.banRemove(request)),
  ...(['allow', 'deny'] as const).flatMap((list) => [
    route(`${list}.add`, listAdd, (operations, request) => operations.listAdd({ list, ...request })),
    route(`${list}.list`, none, (operations) => operations.listAll(list), true),
    route(`${list}.remove`, remove, (operations, request) => operations.listRemove(list, request)),
  ]),
  route('check', ip, (operations, request) => operations.check(request.ip)),
  route('why', ip, (operations, request) => operations.why(request.ip)),
] as const satisfies readonly Route[];

/** What a client may call. */
export type MethodName =
  | 'status'
  | 'version'
  | 'check'
  | 'why'
  | 'watch'
  | `${'ban' | 'allow' | 'deny'}.${'add' | 'list' | 'remove'}`;

/** Parameters of a paged method. */
export const cursorSchema = z.strictObject({ cursor: z.int().min(0).optional() });

export const watchSchema = none;
