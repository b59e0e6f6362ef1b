import { request } from 'undici';
import type { Dispatcher } from 'undici';
import type { Agents } from './outward.ts';

/** An answer of somebody else's server, whole. */
export interface Answered {
  readonly status: number;
  readonly body: Buffer;
  /** Of the headers, those that say whether it has changed. */
  readonly etag: string;
  readonly lastModified: string;
}

export interface Ask {
  readonly method?: 'GET' | 'POST' | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | undefined;
  /** For everything: name, connection, headers, body. */
  readonly deadlineMs: number;
  readonly maxBytes: number;
}

/** Asks somebody else's server. Rejects with an Error whose message says in a few words what went wrong. */
export type Http = (url: string, ask: Ask) => Promise<Answered>;

const MAX_REDIRECTS = 3;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** In words for an operator; never with the URL's query or the headers, which may hold a key. */
export const failureText = (error: unknown): string => {
  const { name, code, message } = error as { name?: string; code?: string; message?: string };
  if (name === 'TimeoutError' || code === 'UND_ERR_CONNECT_TIMEOUT') return 'no answer within the deadline';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'its name cannot be resolved';
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (code === 'ECONNRESET' || code === 'UND_ERR_SOCKET') return 'the connection broke';
  return (message ?? String(error)).slice(0, 200);
};

/** Where a redirect leads, if it may be followed: never from https to plain http. */
export const redirectOf = (from: string, answer: Dispatcher.ResponseData): string | undefined => {
  if (!REDIRECTS.has(answer.statusCode)) return undefined;
  const { location } = answer.headers;
  const to = typeof location === 'string' ? URL.parse(location, from) : null;
  if (to === null || !/^https?:$/.test(to.protocol)) throw new Error('it redirects to nowhere');
  if (from.startsWith('https:') && to.protocol === 'http:') throw new Error('it redirects to plain HTTP');
  return to.href;
};

const readAll = async (answer: Dispatcher.ResponseData, maxBytes: number): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      answer.body.destroy();
      throw new Error(`its answer has more than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

const headerOf = ({ headers }: Dispatcher.ResponseData, name: string): string => {
  const value = headers[name];
  return typeof value === 'string' ? value.slice(0, 200) : '';
};

/** Follows redirects of GETs, without credentials once they lead to somebody else, and never into our own network. */
export const createHttp = (agents: Agents): Http => {
  const once = async (agent: Dispatcher, url: string, ask: Ask, signal: AbortSignal): Promise<Answered | string> => {
    const { method = 'GET', headers = {}, body, maxBytes } = ask;
    const answer = await request(url, {
      dispatcher: agent,
      method,
      headers: { accept: '*/*', 'user-agent': 'companion', ...headers },
      body: body ?? null,
      signal,
      headersTimeout: ask.deadlineMs,
      bodyTimeout: ask.deadlineMs,
    });
    const next = method === 'GET' ? redirectOf(url, answer) : undefined;
    if (next === undefined)
      return {
        status: answer.statusCode,
        body: await readAll(answer, maxBytes),
        etag: headerOf(answer, 'etag'),
        lastModified: headerOf(answer, 'last-modified'),
      };
    await answer.body.dump({ limit: 65_536 });
    return next;
  };
  return async (url, ask) => {
    const signal = AbortSignal.timeout(ask.deadlineMs);
    let agent = agents.configured;
    let at = url;
    let asking = ask;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
      const answered = await once(agent, at, asking, signal).catch((error: unknown) => {
        throw new Error(failureText(error), { cause: error });
      });
      if (typeof answered !== 'string') return answered;
      if (new URL(answered).origin !== new URL(at).origin) asking = { ...ask, headers: {} };
      if (hop === 0) agent = await agents.redirectedFrom(url);
      at = answered;
    }
    throw new Error(`it redirects more than ${MAX_REDIRECTS} times`);
  };
};
