import { JsonRpcError, error, notification, parse, request, success } from 'jsonrpc-lite';
import type { Defined, IParsedObject } from 'jsonrpc-lite';

/** One line of the control socket, newline included. A longer one is an attack or a bug, never a question. */
export const MAX_LINE_BYTES = 1024 * 1024;

export type RpcId = string | number | null;

/** A JSON-RPC 2.0 message as it came in. `invalid` carries the error that JSON-RPC prescribes as an answer. */
export type RpcMessage =
  | { readonly type: 'request'; readonly id: RpcId; readonly method: string; readonly params: unknown }
  | { readonly type: 'notification'; readonly method: string; readonly params: unknown }
  | { readonly type: 'success'; readonly id: RpcId; readonly result: unknown }
  | {
      readonly type: 'error';
      readonly id: RpcId;
      readonly code: number;
      readonly message: string;
      readonly data: unknown;
    }
  | { readonly type: 'invalid'; readonly code: number; readonly message: string };

/** Reserved codes of JSON-RPC 2.0, section 5.1; -32000 is the first of the implementation's own. */
export const RPC_CODES = {
  parse: -32_700,
  request: -32_600,
  method: -32_601,
  params: -32_602,
  internal: -32_603,
  failed: -32_000,
} as const;

// What JSON.stringify leaves raw although a terminal obeys it: DEL, C1, zero-width, bidirectional, separators.
// oxlint-disable-next-line no-control-regex -- control characters are what this removes
const UNSAFE = /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff]/g;

/** JSON on one line that is exact for programs and harmless for terminals: unsafe characters stand as \uNNNN. */
export const jsonLine = (value: unknown, space?: number): string =>
  JSON.stringify(value, null, space).replace(
    UNSAFE,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

const line = (message: object): string => `${jsonLine(message)}\n`;

/** @returns one line, newline included */
export const encodeRequest = (id: string | number, method: string, params: object): string =>
  line(request(id, method, params));

/** @returns one line, newline included */
export const encodeNotification = (method: string, params: object): string => line(notification(method, params));

/** @returns one line, newline included; undefined becomes null, which JSON-RPC demands */
export const encodeSuccess = (id: RpcId, result: unknown): string => line(success(id, (result ?? null) as Defined));

/** @returns one line, newline included. `data.code` carries the stable code of the catalogue. */
export const encodeError = (id: RpcId, code: number, message: string, data: object): string =>
  line(error(id, new JsonRpcError(message, code, data)));

const invalid = (code: number, message: string): RpcMessage => ({ type: 'invalid', code, message });

/** Reads one line without its newline. Batches are refused: pipelining does the same with less. Never throws. */
export const parseRpc = (text: string): RpcMessage => {
  let parsed: IParsedObject | IParsedObject[];
  try {
    parsed = parse(text) as IParsedObject | IParsedObject[];
  } catch {
    return invalid(RPC_CODES.parse, 'not JSON');
  }
  if (Array.isArray(parsed)) return invalid(RPC_CODES.request, 'batches are not supported: send one request a line');
  // By name: jsonrpc-lite declares its types as a const enum, which erasable TypeScript cannot touch.
  const { type, payload } = parsed as { readonly type: string; readonly payload: unknown };
  switch (type) {
    case 'request': {
      const { id, method, params } = payload as { id: RpcId; method: string; params?: unknown };
      return { type, id, method, params: params ?? {} };
    }
    case 'notification': {
      const { method, params } = payload as { method: string; params?: unknown };
      return { type, method, params: params ?? {} };
    }
    case 'success': {
      const { id, result } = payload as { id: RpcId; result: unknown };
      return { type, id, result };
    }
    case 'error': {
      const { id, error: inner } = payload as { id: RpcId; error: { code: number; message: string; data?: unknown } };
      return { type, id, code: inner.code, message: inner.message, data: inner.data };
    }
    default: {
      const { code, message } = payload as { code: number; message: string };
      // jsonrpc-lite blames itself (-32603) for ids that are no ids.
      return invalid(code === RPC_CODES.internal ? RPC_CODES.request : code, message);
    }
  }
};

/** Cuts a byte stream into lines. Holds at most `maxBytes`; after `overflow` the stream must be closed. */
export interface LineSplitter {
  push(chunk: Buffer): { readonly lines: readonly string[]; readonly overflow: boolean };
}

/** First size of the buffer for an unfinished line; it doubles as needed. */
const FIRST_BUFFER_BYTES = 4_096;

export const createLineSplitter = (maxBytes: number = MAX_LINE_BYTES): LineSplitter => {
  // Copied into one buffer: keeping the chunks would let a sender of single bytes hold a hundred times its bytes.
  let held = Buffer.alloc(0);
  let heldBytes = 0;
  const hold = (part: Buffer): void => {
    if (heldBytes + part.length > held.length) {
      const grown = Buffer.alloc(Math.min(maxBytes, Math.max(FIRST_BUFFER_BYTES, (heldBytes + part.length) * 2)));
      held.copy(grown, 0, 0, heldBytes);
      held = grown;
    }
    part.copy(held, heldBytes);
    heldBytes += part.length;
  };
  return {
    push: (chunk) => {
      const lines: string[] = [];
      let start = 0;
      for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
        if (heldBytes + end - start >= maxBytes) return { lines, overflow: true };
        hold(chunk.subarray(start, end));
        lines.push(held.toString('utf8', 0, heldBytes));
        heldBytes = 0;
        start = end + 1;
      }
      if (heldBytes + chunk.length - start >= maxBytes) return { lines, overflow: true };
      hold(chunk.subarray(start));
      if (heldBytes === 0) held = Buffer.alloc(0);
      return { lines, overflow: false };
    },
  };
};
