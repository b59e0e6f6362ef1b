import { parseObject, request } from 'jsonrpc-lite';
import { Pool } from 'undici';
import { CompanionError } from '../../../model/index.ts';
import { DeadlineError, exchange } from './exchange.ts';
import type { Answer, PostOptions } from './exchange.ts';

/**
 * Why a call failed. `unreachable`: no connection or it broke; `timeout`: no answer in time; `refused`: the door said no
 * (token, method, address); `garbage`: the answer was not understood; `rpc`: Kamailio answered with an error.
 */
export type RpcFailure = 'unreachable' | 'timeout' | 'refused' | 'garbage' | 'rpc';

/** A call that did not do what it should. The message is a sentence that starts with the method. */
export class RpcError extends CompanionError {
  readonly failure: RpcFailure;
  /** Kamailio's own error code (500, 404 …), 0 when there is none. */
  readonly rpcCode: number;

  constructor(failure: RpcFailure, message: string, rpcCode: number = 0, cause?: unknown) {
    super('KAMAILIO_RPC', message, { cause });
    this.failure = failure;
    this.rpcCode = rpcCode;
  }
}

export type RpcParam = string | number;

export interface KamailioRpc {
  /** @returns the result as Kamailio sent it. @throws RpcError */
  call(method: string, params?: readonly RpcParam[], options?: { readonly slow?: boolean }): Promise<unknown>;
  /** A call for its effect: an empty result (Kamailio's answer to what it did not understand) is an error. */
  write(method: string, params: readonly RpcParam[]): Promise<void>;
  /** Posts to a path beside the door's own, and returns the text of the answer. @throws RpcError */
  text(path: string, body: string): Promise<string>;
  /** The raw text of a long answer, in pieces as they come; for dumps. @throws RpcError */
  stream(method: string, params: readonly RpcParam[]): AsyncIterable<string>;
  close(): Promise<void>;
}

export interface RpcOptions {
  /** E.g. `http://127.0.0.1:27080/RPC`. */
  readonly url: string;
  readonly token: string;
  /** Milliseconds for one call. */
  readonly deadlineMs?: number;
  /** Milliseconds for a dump. */
  readonly slowDeadlineMs?: number;
  /** The server closed a connection that we did not close: it has restarted, or is about to. */
  readonly onDisconnect?: () => void;
}

const DEADLINE_MS = 1_000;
const SLOW_DEADLINE_MS = 5_000;
/** Four connections of eight calls each: 30 k sets/s measured on two shared cores; more gives nothing. */
const CONNECTIONS = 4;
const PIPELINING = 8;
/** Kamailio drops idle connections after 60 s with our cfg (tcp_connection_lifetime; 120 s without); ours end well before. */
const KEEP_ALIVE_MS = 30_000;
const MAX_ANSWER_BYTES = 1024 * 1024;
/** 100 k keys are 9 MB. */
const MAX_SLOW_ANSWER_BYTES = 64 * 1024 * 1024;

const isEmptyObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;

const codeOf = (cause: unknown): string =>
  typeof cause === 'object' && cause !== null && 'code' in cause && typeof cause.code === 'string' ? cause.code : '';

/** @throws RpcError when the door said no */
const mustBeLetIn = (method: string, status: number): void => {
  if (status === 401)
    throw new RpcError(
      'refused',
      `${method}: Kamailio's RPC door refused the token. It runs with another secret: copy companion's kamailio-secret.cfg to it again, and restart it.`,
    );
  if (status === 403)
    throw new RpcError('refused', `${method}: Kamailio's RPC door does not let this method or address in.`);
};

/** Reads one answer. @throws RpcError */
const readAnswer = (method: string, status: number, text: string): unknown => {
  mustBeLetIn(method, status);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    const what = status === 404 ? 'nothing listens at this path' : 'the answer is not JSON';
    throw new RpcError('garbage', `${method}: ${what} (HTTP ${status}).`, 0, cause);
  }
  const parsed = typeof json === 'object' && json !== null ? parseObject(json) : undefined;
  if (parsed?.type === 'error') {
    const { code, message } = parsed.payload.error;
    throw new RpcError(
      'rpc',
      `${method}: Kamailio answered ${code} ${String(message).slice(0, 200)}`,
      Number(code) || 0,
    );
  }
  if (parsed?.type !== 'success')
    throw new RpcError('garbage', `${method}: the answer is not JSON-RPC (HTTP ${status}).`);
  return parsed.payload.result;
};

/**
 * JSON-RPC over HTTP to one Kamailio: pipelined over few connections, each call with a deadline. Long answers have a
 * pool of their own, so that a dump never stands before a ban.
 */
export const createKamailioRpc = (settings: RpcOptions): KamailioRpc => {
  const { url, token, deadlineMs = DEADLINE_MS, slowDeadlineMs = SLOW_DEADLINE_MS, onDisconnect } = settings;
  const { origin, pathname } = new URL(url);
  const shared = { allowH2: false, keepAliveTimeout: KEEP_ALIVE_MS, keepAliveMaxTimeout: KEEP_ALIVE_MS };
  const connect = { timeout: deadlineMs };
  const fast = new Pool(origin, {
    ...shared,
    connect,
    connections: CONNECTIONS,
    pipelining: PIPELINING,
    maxResponseSize: MAX_ANSWER_BYTES,
  });
  const slow = new Pool(origin, {
    ...shared,
    connect,
    connections: 1,
    pipelining: 1,
    maxResponseSize: MAX_SLOW_ANSWER_BYTES,
  });
  fast.on('disconnect', (_origin, _targets, error) => {
    if (codeOf(error) === 'UND_ERR_SOCKET' || codeOf(error) === 'ECONNRESET') onDisconnect?.();
  });
  const headers = { 'content-type': 'application/json', 'x-companion-token': token };
  let lastId = 0;

  /** undici pipelines only what is idempotent; all that we call is (set, delete, read). */
  const postTo = (path: string, body: string): PostOptions => ({
    path,
    method: 'POST',
    headers,
    body,
    idempotent: true,
    blocking: false,
  });
  const post = (method: string, params: readonly RpcParam[]): PostOptions => {
    lastId = (lastId + 1) % 1_000_000_000;
    return postTo(pathname, request(lastId, method, [...params]).serialize());
  };

  const failed = (method: string, cause: unknown, timedOut: boolean, ms: number): RpcError => {
    if (cause instanceof RpcError) return cause;
    if (timedOut) return new RpcError('timeout', `${method}: no answer from ${origin} within ${ms} ms.`, 0, cause);
    const code = codeOf(cause);
    if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE')
      return new RpcError('garbage', `${method}: the answer is too long.`, 0, cause);
    return new RpcError(
      'unreachable',
      `${method}: no connection to ${origin} (${code || String(cause).slice(0, 100)}).`,
      0,
      cause,
    );
  };

  const send = async (method: string, options: PostOptions, isSlow: boolean): Promise<Answer> => {
    const ms = isSlow ? slowDeadlineMs : deadlineMs;
    try {
      return await exchange(isSlow ? slow : fast, options, ms);
    } catch (cause) {
      throw failed(method, cause, cause instanceof DeadlineError, ms);
    }
  };

  const call: KamailioRpc['call'] = async (method, params = [], { slow: isSlow = false } = {}) => {
    const { status, text } = await send(method, post(method, params), isSlow);
    return readAnswer(method, status, text);
  };

  return {
    call,
    async write(method, params) {
      const result = await call(method, params);
      if (isEmptyObject(result)) throw new RpcError('garbage', `${method}: Kamailio did not understand the command.`);
    },
    async text(path, body) {
      const { status, text } = await send(path, postTo(`${pathname}/${path}`, body), false);
      mustBeLetIn(path, status);
      if (status !== 200) throw new RpcError('garbage', `${path}: HTTP ${status}.`);
      return text.trim();
    },
    async *stream(method, params) {
      const abort = new AbortController();
      const timer = setTimeout(() => abort.abort(), slowDeadlineMs);
      try {
        const { statusCode, body } = await slow.request({ ...post(method, params), signal: abort.signal });
        if (statusCode !== 200) {
          readAnswer(method, statusCode, await body.text());
          throw new RpcError('garbage', `${method}: HTTP ${statusCode}.`);
        }
        body.setEncoding('utf8');
        for await (const piece of body) yield String(piece);
      } catch (cause) {
        throw failed(method, cause, abort.signal.aborted, slowDeadlineMs);
      } finally {
        clearTimeout(timer);
      }
    },
    async close() {
      await Promise.all([fast.destroy(), slow.destroy()]);
    },
  };
};
