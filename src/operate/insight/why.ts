import { CompanionError, identityOf } from '../../model/index.ts';
import type {
  BanEntry,
  Clock,
  Enforcer,
  Entry,
  Evidence,
  ListEntry,
  MessageSample,
  Records,
  ShapeSeen,
  UsedBy,
  UsedReport,
  WhyReport,
} from '../../model/index.ts';
import type { Judge, JudgeReport } from '../../decide/index.ts';
import type { AddressLists } from '../lists/address-lists.ts';
import { HELD_KINDS, historyRow, listRow } from '../rows.ts';
import { placeOfSubject } from './places.ts';
import type { BackgroundOf } from './places.ts';

export interface WhyParts {
  readonly judge: Judge;
  readonly lists: AddressLists;
  readonly records: Records;
  readonly enforcers: readonly Enforcer[];
  readonly clock: Clock;
  readonly background: BackgroundOf;
  readonly shapesOf: (identity: string) => readonly ShapeSeen[];
  readonly sampleOf: (identity: string) => MessageSample | undefined;
  /** What rules in shadow would hold against an address. */
  readonly rehearsedOf?: ((identity: string) => readonly Entry[]) | undefined;
  readonly usedBy: (text: string) => readonly UsedBy[];
}

const HISTORY_ROWS = 20;
/** Sources of one answer. */
const MAX_USED_BY = 20;
const MAX_ASKED_CHARS = 128;

/** A server that cannot say what it holds must not keep the rest of the answer from the operator. */
const holdsOf = async (enforcer: Enforcer, ip: string): Promise<WhyReport['enforced'][number]> => {
  const holds = await enforcer
    .holds(ip)
    .catch((error: unknown) => [`unknown: ${error instanceof Error ? error.message : String(error)}`]);
  return { enforcer: enforcer.name, holds };
};

const proofOf = (evidence: readonly Evidence[]): WhyReport['proof'] => {
  if (evidence.some(({ tier }) => tier === 'proven')) return 'proven';
  return evidence.length > 0 ? 'spoofable' : 'none';
};

const wouldBe = (entry: Entry): string => {
  const rules = entry.kind === 'ban' || entry.kind === 'quarantine' ? entry.rules.join(' ') : entry.reason;
  return `${entry.kind} by ${rules}${entry.until === null ? '' : ` until ${new Date(entry.until).toISOString().slice(0, 19)}Z`}`;
};

const listSentence = ({ kind, subject, peer, note, author }: ListEntry): string =>
  `${peer === undefined ? `${kind} list` : `peer ${peer}`}: ${subject}${note === '' ? '' : `, ${note}`} (by ${author})`;

/** Everything that is known of an address, and who used a Call-ID or a user name. */
export const createWhy = (parts: WhyParts) => {
  const { judge, lists, background } = parts;
  const { ledger } = judge;

  const undoOf = (subject: string, entries: readonly Entry[]): string[] => {
    const held = HELD_KINDS.some((kind) => kind !== 'throttle-user' && ledger.get(`${kind} ${subject}`) !== undefined);
    const commands = held ? [`companion ban remove ${subject}`] : [];
    for (const entry of entries) {
      if (entry.kind === 'ban') commands.push(`companion ban remove ${entry.subject}`);
      // what stands in a table is in its file
      if (entry.kind === 'deny' && ledger.get(`deny ${entry.subject}`) === undefined)
        commands.push(`companion allow add ${subject}`);
      else if (entry.kind === 'deny' || entry.kind === 'allow')
        commands.push(`companion ${entry.kind} remove ${entry.subject}`);
    }
    return commands;
  };

  const listedOf = (ip: string, covering: readonly ListEntry[], network: Entry | undefined): string[] => {
    const barred = background(ip).barred;
    const ban = network as BanEntry | undefined;
    return [
      ...covering.map(listSentence),
      ...(ban === undefined ? [] : [`banned network: ${ban.subject}, ${ban.reason} (by ${ban.origin})`]),
      ...(barred === undefined ? [] : [barred.reason]),
    ];
  };

  return {
    /** @param ip canonical @param report how it stands */
    async why(ip: string, report: JudgeReport): Promise<WhyReport> {
      const identity = identityOf(ip);
      const covering = lists.covering(ip);
      const network = lists.networkBan(ip);
      const [history, enforced] = await Promise.all([
        parts.records.history(identity, HISTORY_ROWS).catch(() => []),
        Promise.all(parts.enforcers.map((enforcer) => holdsOf(enforcer, ip))),
      ]);
      const userBrakes = [...ledger.entries('throttle-user')].filter(
        (entry) => entry.kind === 'throttle-user' && entry.subject === identity,
      );
      const sample = parts.sampleOf(identity);
      const falseAlarm = judge.falseAlarms.of(identity, parts.clock.now());
      return {
        ip,
        identity,
        ...report,
        ...placeOfSubject(ip, background),
        proof: proofOf(report.evidence),
        shapes: parts.shapesOf(identity),
        lists: covering.map(listRow),
        listed: listedOf(ip, covering, network),
        rehearsed: (parts.rehearsedOf?.(identity) ?? []).map(wouldBe),
        ...(falseAlarm === undefined ? {} : { falseAlarm }),
        ...(sample === undefined ? {} : { sample }),
        history: history.map(historyRow),
        enforced,
        undo: [
          ...new Set([
            ...undoOf(identity, [...covering, ...(network === undefined ? [] : [network])]),
            ...(background(ip).barred === undefined || covering.some(({ kind }) => kind === 'allow')
              ? []
              : [`companion allow add ${ip}`]),
            ...userBrakes.map(() => `companion ban remove ${identity}`),
          ]),
        ],
      };
    },

    async used(text: string): Promise<UsedReport> {
      const by = [...parts.usedBy(text)];
      const seen = new Set(by.filter(({ as }) => as === 'user').map(({ ip }) => ip));
      // known-good since before the last start, or for longer than what is remembered of each message
      for (const entry of ledger.entries('good'))
        if (entry.kind === 'good' && entry.user === text && !seen.has(entry.ip)) {
          seen.add(entry.ip);
          by.push({ as: 'user', ip: entry.ip, first: entry.since, last: entry.since, events: 1 });
          if (by.length >= MAX_USED_BY) break;
        }
      if (by.length === 0)
        throw new CompanionError(
          'NOT_FOUND',
          'No source used that Call-ID or user name lately. What was seen last is remembered, in memory only: ask by the address, or look at companion watch while it happens.',
        );
      return { text: text.slice(0, MAX_ASKED_CHARS), by: by.slice(0, MAX_USED_BY) };
    },
  };
};
