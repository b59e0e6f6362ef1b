import { z } from 'zod';
import { CompanionError } from '../../model/index.ts';
import type { GivenOutcome, GivenRequest, HookDesk } from '../../model/index.ts';
import { author } from './parameters.ts';
import { route } from './route.ts';
import type { Desk } from './route.ts';

/** Longer than any frame, and than any message that is looked at. */
const MAX_TEXT = 40_000;
const text = z.string().max(1_000).default('');
const transport = z.enum(['udp', 'tcp', 'tls', 'ws', 'wss', 'sctp']);
const answer = z.enum(['allow', 'drop', 'challenge']);

const source = {
  node: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/)
    .default('http')
    .describe('which SIP server saw it'),
  ip: z.string().min(2).max(45).optional().describe('where the message came from'),
  port: z.coerce.number().int().min(0).max(65_535).default(0),
  transport: transport.default('udp'),
};
const message = {
  message: z.string().max(MAX_TEXT).optional().describe('the SIP message'),
  message_base64: z.base64().max(MAX_TEXT).optional().describe('the SIP message, byte for byte'),
};
const request = {
  ...message,
  credentials: z
    .enum(['none', 'bound', 'unbound'])
    .optional()
    .describe('bound: they answer a nonce that was bound to this source address'),
  standing: z
    .enum(['stranger', 'good', 'in-dialog', 'quarantined', 'throttled', 'over-budget', 'dropped'])
    .default('stranger'),
};
const frame = z.string().max(9_000).optional().describe('a frame of a Kamailio with COMPANION_HOOK_HTTP');

const decideInput = z.strictObject({ frame, ...source, ...request, author });
const reportInput = z.strictObject({
  frame,
  type: z.enum(['request', 'auth', 'registered', 'reply', 'garbage']).default('request'),
  ...source,
  ...request,
  bound: z.boolean().default(false).describe('a nonce bound to this source address was answered: proven also over UDP'),
  result: z
    .enum(['ok', 'wrong-password', 'unknown-user', 'stale', 'nonce-reused', 'user-mismatch', 'forged-nonce'])
    .optional()
    .describe('auth: what became of the credentials'),
  method: text,
  user: text.describe('auth: in the credentials; registered: the address of record; reply: of From'),
  claimed: text.describe('auth: user of From (REGISTER: To)'),
  target: text.describe('reply: user of the Request-URI'),
  call_id: text,
  code: z.int().min(100).max(999).optional().describe('reply: its status'),
  expires: z.int().min(0).max(0xffff_ffff).optional().describe('registered: granted seconds, 0 for none'),
  author,
});

type Given = z.output<typeof decideInput>;

const needed = <T>(value: T | undefined, name: string): T => {
  if (value !== undefined) return value;
  throw new CompanionError('REQUEST_INVALID', `'${name}' is missing.`);
};

const bytesOf = (given: Given): Buffer => {
  if (given.message_base64 !== undefined) return Buffer.from(given.message_base64, 'base64');
  return Buffer.from(needed(given.message, 'message'), 'utf8');
};

const sourceOf = ({ node, ip, port, transport: over }: Given) => ({
  node,
  ip: needed(ip, 'ip'),
  port,
  transport: over,
});

const requestOf = (given: Given): GivenRequest => {
  const bytes = bytesOf(given);
  // who does not say is not believed: an answer to an unknown challenge
  const carries = /^(?:Proxy-)?Authorization[ \t]*:/im.test(bytes.toString('latin1'));
  const { credentials = carries ? 'unbound' : 'none', standing } = given;
  return { ...sourceOf(given), message: bytes, credentials, standing };
};

const outcomeOf = (given: z.output<typeof reportInput>): GivenOutcome => {
  const { bound, method, user, claimed, target, call_id: callId } = given;
  const base = { ...sourceOf(given), bound };
  switch (given.type) {
    case 'auth':
      return { ...base, type: 'auth', result: needed(given.result, 'result'), method, user, claimed, callId };
    case 'registered':
      return { ...base, type: 'registered', user, expiresSeconds: needed(given.expires, 'expires') };
    case 'reply':
      return { ...base, type: 'reply', code: needed(given.code, 'code'), method, user, target, callId };
    case 'garbage':
    case 'request':
      return { ...base, type: 'garbage', message: bytesOf(given) };
  }
};

const deskOf = ({ hook }: Desk): HookDesk => {
  if (hook !== undefined) return hook;
  throw new CompanionError('NOT_FOUND', 'There is no hook at this door.');
};

/** What SIP servers and scripts may ask and tell over HTTP. Not at the control socket, which has no scopes. */
export const HOOK_ROUTES = [
  route('hook.decide', 'POST /v1/decide', {
    scope: 'hook',
    summary:
      'May this request go on? A SIP message with its source, as JSON or as message/sip with the source as query',
    input: decideInput,
    output: z.object({ answer }),
    ask: async (desk, given) => {
      const hook = deskOf(desk);
      if (given.frame === undefined) return { answer: hook.decide(requestOf(given)) };
      return { answer: hook.frame(Buffer.from(given.frame, 'latin1')) ?? 'allow' };
    },
  }),
  route('hook.report', 'POST /v1/report', {
    scope: 'hook',
    summary: 'What became of a request: authentication, registration, reply, garbage; or a request nobody asks about',
    input: reportInput,
    output: z.object({ taken: z.boolean() }),
    ask: async (desk, given) => {
      const hook = deskOf(desk);
      if (given.frame !== undefined) hook.frame(Buffer.from(given.frame, 'latin1'));
      else if (given.type === 'request') hook.tell(requestOf(given));
      else hook.report(outcomeOf(given));
      return { taken: true };
    },
  }),
] as const;
