import { formatCidr, identityOf, parseCidr, subjectOf } from '../model/index.ts';
import type { BanEntry, Clock, ListEntry, Outcome, Transport } from '../model/index.ts';
import type { Judge } from '../decide/index.ts';
import type { Effects } from './effects.ts';

/** A binding that a server already had. */
export interface Binding {
  readonly ip: string;
  readonly port: number;
  readonly transport: Transport;
  readonly user: string;
  readonly expiresSeconds: number;
}

/** A peer taken from the server's own data counts for this long; it is read again at each start. */
const PEER_MS = 7 * 86_400_000;

export interface AdoptParts {
  readonly judge: Judge;
  readonly effects: Effects;
  readonly clock: Clock;
  /** Judges an outcome and lets its effects follow. */
  readonly take: (outcome: Outcome) => void;
}

export interface Adoption {
  /** Whoever is registered there is known-good before any ban is pushed. */
  bindings(node: string, bindings: readonly Binding[]): void;
  /** Destinations of the server's dispatcher: their requests are a peer's. */
  dispatcher(node: string, ips: readonly string[]): void;
  /** Bans that somebody else put into the server's `ipban`: listed, never deleted by us. */
  foreign(node: string, found: readonly { readonly key: string; readonly subject: string }[]): void;
  /** A key of the server's table ran out or was taken out: a ban of somebody else ends with the last of its keys. */
  expired(node: string, table: string, key: string): void;
}

/** Takes over what a server holds already. */
export const createAdoption = ({ judge, effects, clock, take }: AdoptParts): Adoption => {
  const { ledger } = judge;
  const subjects = new Map<string, string>();
  /** Keys, on whatever server, that hold a subject: its ban ends with the last of them. */
  const holders = new Map<string, Set<string>>();

  const peer = (node: string, ip: string, at: number): ListEntry => ({
    kind: 'allow',
    subject: formatCidr(parseCidr(subjectOf(ip))),
    note: `dispatcher of ${node}`,
    author: 'companion',
    origin: 'detector',
    reason: `dispatcher of ${node}`,
    since: at,
    until: at + PEER_MS,
  });
  const foreignBan = (subject: string, at: number): BanEntry => ({
    kind: 'ban',
    subject,
    level: 0,
    rules: [],
    evidence: [],
    origin: 'foreign',
    reason: 'found in ipban',
    since: at,
    until: null,
  });

  return {
    bindings(node, bindings) {
      const at = clock.now();
      for (const { ip, port, transport, user, expiresSeconds } of bindings) {
        const source = { ip, identity: identityOf(ip), port, transport };
        take({ kind: 'outcome', type: 'registered', tier: 'proven', at, node, user, expiresSeconds, source });
      }
    },
    dispatcher(node, ips) {
      const at = clock.now();
      effects.push(
        ips.flatMap((ip) => ledger.put(peer(node, ip, at))),
        { by: 'companion', node },
      );
    },
    foreign(node, found) {
      const at = clock.now();
      for (const { key, subject } of found) {
        const holder = `${node} ${key}`;
        subjects.set(holder, subject);
        const holding = holders.get(subject) ?? new Set();
        holders.set(subject, holding.add(holder));
      }
      const unknown = found.filter(({ subject }) => ledger.ban(subject) === undefined);
      effects.push(
        unknown.flatMap(({ subject }) => ledger.put(foreignBan(subject, at))),
        { by: 'companion', node },
      );
    },
    expired(node, table, key) {
      if (table !== 'ipban') return;
      const holder = `${node} ${key}`;
      const subject = subjects.get(holder) ?? key;
      subjects.delete(holder);
      const holding = holders.get(subject);
      holding?.delete(holder);
      if (holding !== undefined && holding.size > 0) return;
      holders.delete(subject);
      if (ledger.ban(subject)?.origin !== 'foreign') return;
      effects.push(ledger.remove(`ban ${subject}`, 'expired'), { by: 'companion', node });
    },
  };
};
