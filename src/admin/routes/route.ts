import type { z } from 'zod';
import type { HookDesk, Operations } from '../../model/index.ts';

/** What a token may do. `admin`: make tokens; only the installation's own token has it, beside all others. */
export type Scope = 'read' | 'operate' | 'hook' | 'admin';

/** Tokens as the table of routes sees them. */
export interface TokenShelf {
  list(): readonly TokenRow[];
  /** @throws CompanionError REQUEST_INVALID: the name is taken, or there are too many */
  add(name: string, scopes: readonly GivenScope[]): { readonly name: string; readonly token: string };
  /** @throws CompanionError NOT_FOUND */
  remove(name: string): { readonly removed: readonly string[] };
}

export type GivenScope = Exclude<Scope, 'admin'>;

export interface TokenRow {
  readonly name: string;
  readonly scopes: readonly GivenScope[];
  readonly since: number;
}

/** What routes may ask. */
export interface Desk {
  readonly operations: Operations;
  readonly tokens: TokenShelf;
  /** Only at doors that servers may use. */
  readonly hook?: HookDesk | undefined;
}

/**
 * One question that an operator can ask, at every door. Over HTTP the names in braces of `path` and, for GET and DELETE,
 * the query become parameters; `author` is always the token's name. `paged` routes return a whole list, which each
 * door hands out in pieces: a list of a hundred thousand bans must neither be one line nor one long stop.
 */
export interface Route {
  readonly method: string;
  readonly verb: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly scope: Scope;
  readonly summary: string;
  readonly paged: boolean;
  readonly input: z.ZodType;
  /** Of one row, where the route is paged. */
  readonly output: z.ZodType;
  /** Checks the parameters, then asks. Rejects with ZodError for wrong parameters, CompanionError for refusals. */
  readonly call: (desk: Desk, params: unknown) => Promise<unknown>;
}

/** A part of a list. `next`: what to send as `cursor` for the following part, null after the last. */
export interface Page {
  readonly rows: readonly unknown[];
  readonly total: number;
  readonly next: number | null;
}

export interface RouteParts<I, O> {
  readonly scope: Scope;
  readonly summary: string;
  readonly input: z.ZodType<I>;
  readonly output: z.ZodType<O>;
  readonly ask: (desk: Desk, params: I) => Promise<O>;
}

type At = `${Route['verb']} /v1/${string}`;

const build = (method: string, at: At, paged: boolean, parts: Omit<RouteParts<unknown, unknown>, 'ask'>) => {
  const space = at.indexOf(' ');
  const { scope, summary, input, output } = parts;
  const verb = at.slice(0, space) as Route['verb'];
  return { method, verb, path: at.slice(space + 1), scope, summary, input, output, paged };
};

/** @param at verb and path, e.g. `DELETE /v1/bans/{subject}` */
export const route = <const M extends string, I, O>(method: M, at: At, parts: RouteParts<I, O>) => ({
  ...build(method, at, false, parts),
  method,
  call: async (desk: Desk, raw: unknown): Promise<unknown> => parts.ask(desk, parts.input.parse(raw)),
});

/** As `route`, for a list of any length. `output` is one row. */
export const listRoute = <const M extends string, O>(
  method: M,
  at: At,
  parts: Omit<RouteParts<object, O>, 'ask'> & { readonly ask: (desk: Desk) => Promise<readonly O[]> },
) => ({
  ...build(method, at, true, parts),
  method,
  call: async (desk: Desk, raw: unknown): Promise<unknown> => {
    parts.input.parse(raw);
    return parts.ask(desk);
  },
});
