import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { ErrorCode } from '../../model/index.ts';
import { jsonLine } from '../../protocol/index.ts';

/** `asker`: who a token belongs to, set once it has opened. */
export type Env = { Bindings: HttpBindings; Variables: { asker: string } };

export type Status = 200 | 400 | 401 | 403 | 404 | 409 | 413 | 422 | 429 | 500 | 503;

const STATUS_OF: Readonly<Partial<Record<ErrorCode, Status>>> = {
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  BAN_REFUSED: 409,
  CONFIG_INVALID: 422,
  CONFIG_UNREADABLE: 422,
  STORE_FAILED: 503,
  INTERNAL: 500,
};

/** The HTTP status of a refusal; what the asker did wrong is 400. */
export const statusOf = (code: ErrorCode): Status => STATUS_OF[code] ?? 400;

export const json = (c: Context<Env>, value: unknown, status: Status = 200): Response =>
  c.body(jsonLine(value), status, { 'content-type': 'application/json; charset=utf-8' });

export const refuse = (c: Context<Env>, status: Status, code: ErrorCode, message: string): Response =>
  json(c, { error: { code, message } }, status);

/** Pieces of JSON text as one body, sent as fast as the reader reads. */
export const pieces = (c: Context<Env>, text: AsyncGenerator<string>): Response => {
  const stream = ReadableStream.from(text).pipeThrough(new TextEncoderStream());
  return c.body(stream as ReadableStream, 200, { 'content-type': 'application/json; charset=utf-8' });
};
