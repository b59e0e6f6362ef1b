import { createDetectors, detectSchema, type Detectors } from '../../../src/detect/index.ts';
import type {
  AuthOutcome,
  AuthResult,
  Facts,
  Finding,
  Outcome,
  ParseErrorOutcome,
  RegisteredOutcome,
  ReplyOutcome,
  Request,
  SipView,
  Source,
  Transport,
} from '../../../src/model/index.ts';
import { identityOf } from '../../../src/model/index.ts';

export const OFFICE = '198.51.100.20';
export const SCANNER = '203.0.113.66';

export const nothingKnown: Facts = { list: 'none', own: false, privateRange: false, agent: null, fingerprint: null };

export const from = (ip: string, port = 5060, transport: Transport = 'udp'): Source => ({
  ip,
  identity: identityOf(ip),
  port,
  transport,
});

const tierOf = (source: Source): 'proven' | 'spoofable' => (source.transport === 'udp' ? 'spoofable' : 'proven');

export const view = (part: Partial<SipView> = {}): SipView => ({
  method: 'REGISTER',
  requestUri: 'sip:example.com',
  requestUser: '',
  requestHost: 'example.com',
  from: { display: '', user: '', host: 'example.com', tag: 'a' },
  to: { display: '', user: '', host: 'example.com', tag: '' },
  callId: 'call',
  cseq: 1,
  userAgent: '',
  userAgents: [],
  contact: '',
  viaBranch: 'z9hG4bKa',
  authUser: '',
  headers: [],
  bodyStart: '',
  tricks: [],
  ...part,
});

type RequestPart = Partial<Omit<Request, 'sip' | 'source'>>;

/** A request of that source; `target` is the To user of a REGISTER, else the user of the Request-URI. */
export const ask = (at: number, source: Source, method: string, target: string, part: RequestPart = {}): Request => ({
  kind: 'request',
  at,
  node: 'edge1',
  source,
  tier: part.credentials === 'bound' ? 'proven' : tierOf(source),
  credentials: 'none',
  standing: 'stranger',
  sip: view({
    method,
    requestUser: method === 'REGISTER' ? '' : target,
    to: { display: '', user: target, host: 'example.com', tag: '' },
    callId: `${source.ip}:${source.port} ${target}`,
    authUser: part.credentials === undefined || part.credentials === 'none' ? '' : target,
  }),
  sizeBytes: 400,
  cut: false,
  ...part,
});

export const auth = (
  at: number,
  source: Source,
  result: AuthResult,
  user: string,
  part: Partial<AuthOutcome> = {},
): AuthOutcome => ({
  kind: 'outcome',
  type: 'auth',
  at,
  node: 'edge1',
  source,
  tier: result === 'forged-nonce' ? tierOf(source) : 'proven',
  result,
  method: 'REGISTER',
  user,
  claimed: user,
  callId: `${source.ip}:${source.port} ${user}`,
  ...part,
});

export const registered = (at: number, source: Source, user: string, expiresSeconds = 3_600): RegisteredOutcome => ({
  kind: 'outcome',
  type: 'registered',
  at,
  node: 'edge1',
  source,
  tier: 'proven',
  user,
  expiresSeconds,
});

export const reply = (at: number, source: Source, code: number, method: string, target: string): ReplyOutcome => ({
  kind: 'outcome',
  type: 'reply',
  at,
  node: 'edge1',
  source,
  tier: tierOf(source),
  code,
  method,
  user: method === 'REGISTER' ? target : 'caller',
  target: method === 'REGISTER' ? '' : target,
  callId: `${source.ip}:${source.port} ${target}`,
});

export const parseError = (at: number, source: Source, bytes: Buffer): ParseErrorOutcome => ({
  kind: 'outcome',
  type: 'parse-error',
  at,
  node: 'edge1',
  source,
  tier: tierOf(source),
  bytes,
  sizeBytes: bytes.length,
});

/** A phone that registers as it should: challenged, then accepted. */
export const registers = (at: number, source: Source, user: string, answerMs = 60): (Request | Outcome)[] => [
  ask(at, source, 'REGISTER', user),
  ask(at + answerMs, source, 'REGISTER', user, { credentials: 'bound' }),
  auth(at + answerMs + 1, source, 'ok', user),
  registered(at + answerMs + 1, source, user),
];

/** Settings as YAML would give them: only what differs from the defaults. */
export const detectorsWith = (settings: unknown = {}): Detectors => createDetectors(detectSchema.parse(settings));

export interface Noticed extends Finding {
  /** How many events had been fed when it was found. */
  readonly after: number;
  readonly at: number;
}

/** Feeds the events in order of time and collects what is found. */
export const feed = (
  detectors: Detectors,
  events: readonly (Request | Outcome)[],
  factsOf: (event: Request | Outcome) => Facts = () => nothingKnown,
): Noticed[] =>
  [...events]
    .sort((left, right) => left.at - right.at)
    .flatMap((event, index) =>
      detectors.detect(event, factsOf(event)).map((finding) => ({ ...finding, after: index + 1, at: event.at })),
    );

export const rulesOf = (findings: readonly Finding[]): string[] =>
  [...new Set(findings.map(({ rule }) => rule))].sort();

/** Findings that accuse the source itself. */
export const againstSource = <F extends Finding>(findings: readonly F[]): F[] =>
  findings.filter(({ accused }) => accused.kind === 'source');

export const range = (first: number, last: number, step = 1): number[] =>
  Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, index) => first + index * step);

/** A generator of the same pseudo-random numbers in every run (mulberry32). */
export const seeded = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};

export const shuffled = <T>(items: readonly T[], random: () => number): T[] => {
  const copy = [...items];
  for (let index = copy.length - 1; index > 0; index -= 1) {
    const other = Math.floor(random() * (index + 1));
    [copy[index], copy[other]] = [copy[other] as T, copy[index] as T];
  }
  return copy;
};
