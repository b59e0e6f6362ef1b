import { hash } from 'node:crypto';
import { isUtf8 } from 'node:buffer';
import type { Answer, Credentials, EpochMs, Standing, Transport } from '../model/index.ts';
import { encodeNetstring } from './netstring.ts';

/**
 * The frames of the hook, version 1, the same over every transport. Both directions are one line of fields separated by single spaces; every
 * SIP value crosses base64-encoded, so nothing that an attacker writes can become a field.
 *
 * Up (Kamailio → companion): `C1 <secret> <kind> <node> <seq> <seconds.micros> …`
 *   A, T  ask, tell      `<tindex> <tlabel> <proto> <src ip> <src port> <dst ip> <dst port> <n|b|u> <standing> <bytes> <cut> <raw>`
 *   O     auth outcome   `<proto> <src ip> <src port> <rc> <method> <user> <claimed> <call-id>`
 *   G     registered     `<proto> <src ip> <src port> <expires s> <user>`
 *   R     reply          `<proto> <src ip> <src port> <code> <method> <from user> <request user> <call-id>`
 *   U     no ACK came    `<proto> <src ip> <src port> <ACKs that came> <call-id>`
 *   P     not SIP        `<proto> <src ip> <src port> <bytes> <first bytes>`
 *   X     expired        `<table> <key>`
 *   H     hello          `<boot id> <ask seq>` (answers a heartbeat; its seq is the last one used)
 * Down (companion → Kamailio): `CV1 <mac> H <seconds>` and `CV1 <mac> V <tindex> <tlabel> <verdict>`, padded to 48 bytes, or
 * to 151 with their framing over evapi.
 */
export const HOOK_VERSION_UP = 'C1';
const HOOK_VERSION_DOWN = 'CV1';

/** Kamailio's pv_buffer_size (8192) bounds what it can send; anything longer is not ours. */
export const MAX_HOOK_FRAME_BYTES = 9_000;

/** Kamailio's nosip module wants at least this much (measured on 5.6.3). */
const MIN_DOWN_BYTES = 48;

/**
 * Bytes of an evapi frame, `146:` and `,` included. Kamailio loses what follows when a read ends within the digits of a
 * length; its buffer of 32767 bytes is a whole number of frames of this size, so that a full one ends between two.
 */
export const EVAPI_FRAME_BYTES = 151;
const EVAPI_PAYLOAD_BYTES = 146;

interface FrameBase {
  readonly node: string;
  readonly seq: number;
  /** When the server sent it, by its own clock. */
  readonly sentAt: EpochMs;
}

interface SourceFields {
  readonly transport: Transport;
  readonly ip: string;
  readonly port: number;
}

export type UpFrame = FrameBase &
  (
    | (SourceFields & {
        readonly kind: 'ask' | 'tell';
        readonly tindex: number;
        readonly tlabel: number;
        readonly credentials: Credentials;
        readonly standing: Standing;
        readonly sizeBytes: number;
        readonly cut: boolean;
        readonly raw: Buffer;
      })
    | (SourceFields & {
        readonly kind: 'auth';
        readonly rc: number;
        readonly method: string;
        readonly user: string;
        readonly claimed: string;
        readonly callId: string;
      })
    | (SourceFields & { readonly kind: 'registered'; readonly expiresSeconds: number; readonly user: string })
    | (SourceFields & {
        readonly kind: 'reply';
        readonly code: number;
        readonly method: string;
        readonly user: string;
        readonly target: string;
        readonly callId: string;
      })
    | (SourceFields & { readonly kind: 'unacknowledged'; readonly acked: number; readonly callId: string })
    | (SourceFields & { readonly kind: 'parse-error'; readonly sizeBytes: number; readonly bytes: Buffer })
    | { readonly kind: 'expired'; readonly table: string; readonly key: string }
    | { readonly kind: 'hello'; readonly boot: string; readonly askSeq: number }
  );

/** Why a frame was not taken. Each is a drop counter. */
export type FrameFault = 'version' | 'secret' | 'unknown-node' | 'malformed' | 'too-long';

const TRANSPORTS: ReadonlySet<string> = new Set<Transport>(['udp', 'tcp', 'tls', 'ws', 'wss', 'sctp']);
const STANDINGS: ReadonlySet<string> = new Set<Standing>([
  'stranger',
  'good',
  'in-dialog',
  'quarantined',
  'throttled',
  'over-budget',
  'dropped',
]);
const CREDENTIALS: ReadonlyMap<string, Credentials> = new Map([
  ['n', 'none'],
  ['b', 'bound'],
  ['u', 'unbound'],
]);

/** Fields before the frame's own: version, secret, kind, node, seq, time. */
const HEAD_FIELDS = 6;

class Malformed extends Error {}

const MAX_DIGITS = 10;

/** Written out, as all below: each message passes here, seven numbers in each. */
const int = (field: string | undefined, max: number): number => {
  if (field === undefined || field.length === 0 || field.length > MAX_DIGITS) throw new Malformed();
  let value = 0;
  for (let index = 0; index < field.length; index += 1) {
    const digit = field.charCodeAt(index) - 0x30;
    if (digit < 0 || digit > 9) throw new Malformed();
    value = value * 10 + digit;
  }
  if (value > max) throw new Malformed();
  return value;
};

const bytesOf = (field: string | undefined): Buffer => {
  // Kamailio prints <null> for a value that is not there; a field that is missing was cut off
  if (field === '<null>') return Buffer.alloc(0);
  if (field === undefined || field.length % 4 !== 0) throw new Malformed();
  const bytes = Buffer.from(field, 'base64');
  // what is no base64 is left out by the decoder, so that something is missing; but it takes base64url as well
  const padding = field.endsWith('==') ? 2 : field.endsWith('=') ? 1 : 0;
  if (bytes.length !== (field.length / 4) * 3 - padding || field.includes('-') || field.includes('_'))
    throw new Malformed();
  return bytes;
};

/** Text as it stood on the wire: UTF-8 where it is valid, else one character a byte, so that hashes of it stay the same. */
const textOf = (field: string | undefined): string => {
  const bytes = bytesOf(field);
  return isUtf8(bytes) ? bytes.toString('utf8') : bytes.toString('latin1');
};

const sourceOf = (fields: readonly string[], at: number): SourceFields => {
  const transport = fields[at];
  const ip = fields[at + 1];
  if (transport === undefined || !TRANSPORTS.has(transport) || ip === undefined || ip.length < 2 || ip.length > 45)
    throw new Malformed();
  return { transport: transport as Transport, ip, port: int(fields[at + 2], 65_535) };
};

/** Looks at every character whatever the ones before were, as timingSafeEqual does, but copies neither into a buffer. */
const secretMatches = (given: string, expected: string): boolean => {
  if (given.length !== expected.length) return false;
  let differing = 0;
  for (let index = 0; index < expected.length; index += 1)
    differing |= given.charCodeAt(index) ^ expected.charCodeAt(index);
  return differing === 0;
};

const UINT32 = 0xffff_ffff;

const bodyOf = (kind: string, fields: readonly string[], base: FrameBase): UpFrame => {
  const at = HEAD_FIELDS;
  switch (kind) {
    case 'A':
    case 'T': {
      const credentials = CREDENTIALS.get(fields[at + 7] ?? '');
      const standing = fields[at + 8] ?? '';
      if (credentials === undefined || !STANDINGS.has(standing)) throw new Malformed();
      return {
        ...base,
        kind: kind === 'A' ? 'ask' : 'tell',
        tindex: int(fields[at], UINT32),
        tlabel: int(fields[at + 1], UINT32),
        ...sourceOf(fields, at + 2),
        credentials,
        standing: standing as Standing,
        sizeBytes: int(fields[at + 9], UINT32),
        cut: fields[at + 10] === '1',
        raw: bytesOf(fields[at + 11]),
      };
    }
    case 'O': {
      const rc = fields[at + 3] ?? '';
      if (!/^-?\d{1,3}$/.test(rc)) throw new Malformed();
      return {
        ...base,
        kind: 'auth',
        ...sourceOf(fields, at),
        rc: Number(rc),
        method: textOf(fields[at + 4]),
        user: textOf(fields[at + 5]),
        claimed: textOf(fields[at + 6]),
        callId: textOf(fields[at + 7]),
      };
    }
    case 'G':
      return {
        ...base,
        kind: 'registered',
        ...sourceOf(fields, at),
        expiresSeconds: int(fields[at + 3], UINT32),
        user: textOf(fields[at + 4]),
      };
    case 'R':
      return {
        ...base,
        kind: 'reply',
        ...sourceOf(fields, at),
        code: int(fields[at + 3], 999),
        method: textOf(fields[at + 4]),
        user: textOf(fields[at + 5]),
        target: textOf(fields[at + 6]),
        callId: textOf(fields[at + 7]),
      };
    case 'U':
      return {
        ...base,
        kind: 'unacknowledged',
        ...sourceOf(fields, at),
        acked: int(fields[at + 3], UINT32),
        callId: textOf(fields[at + 4]),
      };
    case 'P':
      return {
        ...base,
        kind: 'parse-error',
        ...sourceOf(fields, at),
        sizeBytes: int(fields[at + 3], UINT32),
        bytes: bytesOf(fields[at + 4]),
      };
    case 'X': {
      const table = fields[at] ?? '';
      if (!/^\w{1,32}$/.test(table)) throw new Malformed();
      return { ...base, kind: 'expired', table, key: textOf(fields[at + 1]) };
    }
    case 'H': {
      const boot = fields[at] ?? '';
      if (!/^b[\d.]{1,60}$/.test(boot)) throw new Malformed();
      return { ...base, kind: 'hello', boot, askSeq: int(fields[at + 1], UINT32) };
    }
    default:
      throw new Malformed();
  }
};

/**
 * Reads one datagram from a SIP server.
 * @param secretOf the upward secret of a node, undefined for a node that is not configured
 * @returns the frame, or why it was refused; never throws
 */
export const parseUpFrame = (
  datagram: Buffer,
  secretOf: (node: string) => string | undefined,
): UpFrame | FrameFault => {
  if (datagram.length > MAX_HOOK_FRAME_BYTES) return 'too-long';
  const fields = datagram.toString('latin1').split(' ', 24);
  const [version, secret, kind, node, seq, time] = fields;
  if (version !== HOOK_VERSION_UP) return 'version';
  if (secret === undefined || node === undefined || time === undefined || kind === undefined) return 'malformed';
  const expected = secretOf(node);
  if (expected === undefined) return 'unknown-node';
  if (!secretMatches(secret, expected)) return 'secret';
  try {
    const dot = time.indexOf('.');
    if (dot < 0) return 'malformed';
    const micros = int(time.slice(dot + 1), 999_999);
    const sentAt = int(time.slice(0, dot), UINT32) * 1_000 + Math.floor(micros / 1_000);
    return bodyOf(kind, fields, { node, seq: int(seq, UINT32), sentAt });
  } catch (error) {
    if (error instanceof Malformed) return 'malformed';
    throw error;
  }
};

const padded = (text: string): Buffer => Buffer.from(text.padEnd(MIN_DOWN_BYTES), 'latin1');

/** Keyed hash of a downward frame's body; hashed twice, so that it cannot be extended (MD5 is what Kamailio has). */
const macOf = (secret: string, body: string): string =>
  hash('md5', `${secret} ${hash('md5', `${secret} ${body}`, 'hex')}`, 'hex');

/**
 * A downward frame. It carries a keyed hash and not the secret: Kamailio binds UDP with SO_REUSEADDR, so that any local
 * user can bind its control port beside it and read what we send there.
 */
export const encodeDown = (secret: string, body: string): Buffer =>
  padded(`${HOOK_VERSION_DOWN} ${macOf(secret, body)} ${body} `);

/** @param at milliseconds since 1970; Kamailio takes no heartbeat that is older than a few seconds */
export const encodeHeartbeat = (secret: string, at: EpochMs): Buffer =>
  encodeDown(secret, `H ${Math.floor(at / 1_000)}`);

export const encodeVerdict = (secret: string, tindex: number, tlabel: number, answer: Answer): Buffer =>
  encodeDown(secret, `V ${tindex} ${tlabel} ${answer}`);

/** A heartbeat or verdict as it crosses evapi: a netstring of exactly `EVAPI_FRAME_BYTES`. */
export const toEvapi = (frame: Buffer): Buffer =>
  encodeNetstring(Buffer.concat([frame, Buffer.alloc(Math.max(0, EVAPI_PAYLOAD_BYTES - frame.length), ' ')]));
