import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { challengeOf, digestAnswer } from './digest-answer.ts';
import type { Challenge } from './digest-answer.ts';
import { openWire } from './transaction.ts';
import type { Wire } from './transaction.ts';

export interface PhoneOptions {
  readonly server: { readonly ip: string; readonly port: number };
  /** Domain of its address, as it stands in a URI. */
  readonly domain: string;
  readonly user: string;
  readonly password: string;
  /** Address of this machine that it sends from. */
  readonly from: string;
  /** Between the end of one registration and the next. */
  readonly everyMs: number;
}

/** One REGISTER of a phone, its challenge included. */
export interface Registration {
  /** 0: no answer within 32 s (RFC 3261, Timer F). */
  readonly status: number;
  readonly latencyMs: number;
  /** Requests sent, retransmissions included. */
  readonly sent: number;
}

export interface Phone {
  readonly registrations: readonly Registration[];
  /** Registers once, now. */
  register(expires?: number): Promise<Registration>;
  /** Registers again and again until it is stopped. */
  start(): void;
  /** Lets the running registration end, and hangs up. */
  stop(): Promise<void>;
}

const EXPIRES = 60;
/** No credentials, then an expired nonce, then the right one: a phone that is asked more often gives up. */
const MAX_TRIES = 3;

/** A phone as customers have it: registers over UDP, answers digest challenges, uses a nonce until it is stale. */
export const createPhone = async (options: PhoneOptions): Promise<Phone> => {
  const { user, password, domain } = options;
  const wire: Wire = await openWire(options.from, options.server);
  const uri = `sip:${domain}`;
  const callId = randomBytes(8).toString('hex');
  const registrations: Registration[] = [];
  let cseq = 0;
  let challenge: Challenge | undefined;
  let uses = 0;
  let running: Promise<void> | undefined;
  const stopping = new AbortController();

  const lines = (expires: number): readonly string[] => {
    cseq += 1;
    uses += 1;
    return [
      'Max-Forwards: 70',
      `From: <sip:${user}@${domain}>;tag=${randomBytes(6).toString('hex')}`,
      `To: <sip:${user}@${domain}>`,
      `Call-ID: ${callId}`,
      `CSeq: ${cseq} REGISTER`,
      `Contact: <sip:${user}@${wire.local}>`,
      `Expires: ${expires}`,
      'User-Agent: Companion lab phone',
      ...(challenge === undefined
        ? []
        : [digestAnswer(challenge, { user, password, method: 'REGISTER', uri, count: uses })]),
    ];
  };
  const register = async (expires = EXPIRES): Promise<Registration> => {
    const began = performance.now();
    let sent = 0;
    let status = 0;
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const response = await wire.request('REGISTER', uri, lines(expires));
      status = response?.status ?? 0;
      sent += response?.sent ?? 1;
      const asked = status === 401 || status === 407 ? challengeOf(response?.text ?? '') : undefined;
      if (asked === undefined) break;
      challenge = asked;
      uses = 0;
    }
    const registration: Registration = { status, sent, latencyMs: performance.now() - began };
    registrations.push(registration);
    return registration;
  };
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await register();
      await sleep(options.everyMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };
  return {
    registrations,
    register,
    start: () => {
      running ??= loop();
    },
    stop: async () => {
      stopping.abort();
      await running;
      wire.close();
    },
  };
};
