import { identityOf } from '../../../src/model/index.ts';
import type { AuthResult, Outcome, Source } from '../../../src/model/index.ts';
import { isSipFault, readSip } from '../../../src/protocol/index.ts';
import type { Received, Rehearsal } from '../../../src/rehearse/index.ts';
import type { Wiretap } from './capture.ts';
import { textOf } from './message.ts';
import type { Message, Wire } from './message.ts';
import type { Simulation } from './simulation.ts';

export interface Answer {
  readonly code: number;
  readonly nonce?: string;
  readonly toTag?: string;
}

/** Debian's auth module: a nonce is good for five minutes. */
const NONCE_MS = 300_000;
const EXPIRES_SECONDS = 3_600;
/** One way. */
const NETWORK_MS = 20;
/** A callee that answers, is busy, or does not exist, by the first digit of the number. */
const CALLEES: Readonly<Record<string, number>> = { '8': 486, '9': 404 };

export interface Registrar {
  /** Sends a request; `hear` gets each answer that comes back, maybe none. */
  send(message: Message, wire: Wire, hear: (answer: Answer) => void): void;
  /** Changes or sets a password. */
  password(user: string, password: string): void;
  /** Messages that reached the server, by address. */
  readonly received: ReadonlyMap<string, number>;
}

interface Known {
  readonly answer: Answer | undefined;
}

/**
 * A Kamailio as `kamailio/kamailio.cfg` makes one, with companion beside it: challenges everybody alike with nonces bound to
 * the address, registers, relays calls to callees that answer, tells every outcome.
 * @param seen is told after each message what companion now holds of its address
 */
export const createRegistrar = (
  simulation: Simulation,
  rehearsal: Rehearsal,
  seen: (ip: string, identity: string) => void,
  wiretap?: Wiretap,
): Registrar => {
  const passwords = new Map<string, string>();
  const nonces = new Map<string, { readonly ip: string; readonly at: number }>();
  const received = new Map<string, number>();
  /** Answers of transactions that tm remembers, so that copies are absorbed or answered again. */
  const transactions = new Map<string, Known>();
  const dialogs = new Set<string>();
  let serial = 0;

  const challenge = (message: Message, ip: string): Answer => {
    serial += 1;
    const nonce = `Z${serial.toString(36)}x${Math.floor(simulation.random() * 1e9).toString(36)}`;
    nonces.set(nonce, { ip, at: simulation.now });
    return { code: message.method === 'REGISTER' ? 401 : 407, nonce };
  };

  const isBound = ({ credentials }: Message, ip: string): boolean => {
    const issued = credentials === undefined ? undefined : nonces.get(credentials.nonce);
    return issued !== undefined && issued.ip === ip && simulation.now - issued.at < NONCE_MS;
  };

  const authenticate = (message: Message, ip: string): AuthResult | undefined => {
    const { credentials, user } = message;
    if (credentials === undefined) return undefined;
    if (!nonces.has(credentials.nonce)) return 'forged-nonce';
    if (!isBound(message, ip)) return 'stale';
    const password = passwords.get(credentials.user);
    if (password === undefined) return 'unknown-user';
    if (password !== credentials.password) return 'wrong-password';
    return credentials.user === user ? 'ok' : 'user-mismatch';
  };

  /** What the script does with a request that was let through. */
  const serve = (message: Message, source: Source, isIn: boolean): Answer | undefined => {
    const { method, user, target, callId } = message;
    const proven = source.transport !== 'udp' || isBound(message, source.ip);
    const base = { kind: 'outcome' as const, at: simulation.now, node: 'bench', source };
    const tell = (outcome: Outcome): void => {
      rehearsal.outcome(outcome);
      seen(source.ip, source.identity);
    };
    if (method === 'ACK') return undefined;
    if (method === 'OPTIONS' && target === '') return { code: 200 };
    if (isIn) return { code: 200 };
    const result = authenticate(message, source.ip);
    if (result !== undefined)
      tell({
        ...base,
        type: 'auth',
        tier: proven ? 'proven' : 'spoofable',
        result,
        method,
        user: message.credentials?.user ?? '',
        claimed: user,
        callId,
      });
    if (result !== 'ok') return challenge(message, source.ip);
    if (method === 'REGISTER') {
      tell({ ...base, type: 'registered', tier: 'proven', user, expiresSeconds: EXPIRES_SECONDS });
      return { code: 200 };
    }
    const code = CALLEES[target[0] ?? ''] ?? 200;
    tell({ ...base, type: 'reply', tier: proven ? 'proven' : 'spoofable', code, method, user, target, callId });
    const toTag = `t${callId.length}${callId.slice(0, 8)}`;
    if (code === 200) dialogs.add(`${callId} ${toTag}`);
    return { code, toTag };
  };

  const take = (message: Message, wire: Wire): Answer | undefined => {
    const { ip, port, transport } = wire;
    received.set(ip, (received.get(ip) ?? 0) + 1);
    const source = { ip, identity: identityOf(ip), port, transport };
    const bytes = textOf(message, wire);
    wiretap?.request(simulation.now, bytes, wire);
    const answer = decide(message, wire, source, bytes);
    if (answer !== undefined) wiretap?.reply(simulation.now, bytes, wire, answer);
    return answer;
  };

  const decide = (message: Message, wire: Wire, source: Source, bytes: Buffer): Answer | undefined => {
    const { ip, transport } = wire;
    const key = `${ip} ${message.branch}`;
    if (message.method === 'ACK') rehearsal.acknowledged(simulation.now, message.callId);
    const known = transactions.get(key);
    if (known !== undefined) return known.answer;
    const sip = readSip(bytes);
    if (isSipFault(sip)) throw new Error(sip.detail);
    const bound = isBound(message, ip);
    const inDialog = message.toTag !== undefined && dialogs.has(`${message.callId} ${message.toTag}`);
    const arrival: Received = {
      at: simulation.now,
      source,
      sip,
      sizeBytes: bytes.length,
      cut: false,
      credentials: message.credentials === undefined ? 'none' : bound ? 'bound' : 'unbound',
      tier: bound || transport !== 'udp' ? 'proven' : 'spoofable',
      inDialog,
    };
    const { handling } = rehearsal.request(arrival);
    seen(ip, source.identity);
    switch (handling) {
      case 'served': {
        const answer = serve(message, source, inDialog);
        if (message.method === 'INVITE' && (answer?.code ?? 0) >= 300)
          rehearsal.refused(simulation.now, message.callId);
        // challenges are stateless: the next copy is a new request
        if (answer?.nonce === undefined) transactions.set(key, { answer });
        return answer;
      }
      case 'challenged':
        return challenge(message, ip);
      case 'dropped':
        // over a connection the throttle of a user says when to come again
        return transport === 'udp' ? undefined : { code: 503 };
      case 'unanswered':
      case 'blocked':
        return undefined;
    }
  };

  return {
    received,
    password: (user, password) => void passwords.set(user, password),
    send(message, wire, hear) {
      simulation.after(NETWORK_MS, () => {
        const answer = take(message, wire);
        if (answer === undefined) return;
        simulation.after(NETWORK_MS, () => {
          hear(answer);
        });
      });
    },
  };
};
