import { CompanionError, identityOf } from '../../model/index.ts';
import type {
  BanEntry,
  Clock,
  Enforcer,
  Entry,
  EpochMs,
  Evidence,
  GoodEntry,
  ListEntry,
  MessageSample,
  Records,
  ShapeSeen,
  UsedBy,
  UsedReport,
  UserThrottleEntry,
  WhyReport,
} from '../../model/index.ts';
import { mergeEvidence } from '../../decide/index.ts';
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
  readonly rehearsedOf?: ((identity: string, now: EpochMs) => readonly Entry[]) | undefined;
  /** Servers that answer nobody who is not on the allow list. */
  readonly closedNodes?: readonly string[] | undefined;
  readonly status: () => { readonly mode: 'shadow' | 'enforce' };
  readonly usedBy: (text: string) => readonly UsedBy[];
}

const HISTORY_ROWS = 20;
/** Lines of one answer, the newest: those of twenty bans are hundreds. */
const MAX_EVIDENCE = 60;
/** Sources of one answer. */
const MAX_USED_BY = 20;
const MAX_ASKED_CHARS = 128;

/** A server that cannot say what it holds must not keep the rest of the answer from the operator. */
const holdsOf = async (
  enforcer: Enforcer,
  ip: string,
  about: readonly Entry[],
): Promise<WhyReport['enforced'][number]> => {
  const holds = await enforcer
    .holds(ip, about)
    .catch((error: unknown) => [`unknown: ${error instanceof Error ? error.message : String(error)}`]);
  return { enforcer: enforcer.name, holds };
};

const proofOf = (evidence: readonly Evidence[]): WhyReport['proof'] => {
  if (evidence.some(({ tier }) => tier === 'proven')) return 'proven';
  return evidence.length > 0 ? 'spoofable' : 'none';
};

const wouldBe = (entry: Entry): string => {
  const rules = entry.kind === 'ban' || entry.kind === 'quarantine' ? entry.rules.join(' ') : entry.reason;
  const seen = entry.kind === 'ban' || entry.kind === 'quarantine' ? entry.evidence.at(-1)?.text : undefined;
  return `${entry.kind} by ${rules}${entry.until === null ? '' : ` until ${new Date(entry.until).toISOString().slice(0, 19)}Z`}${seen === undefined ? '' : `: ${seen}`}`;
};

const listSentence = ({ kind, subject, peer, note, author }: ListEntry): string =>
  `${peer === undefined ? `${kind} list` : `peer ${peer}`}: ${subject}${note === '' ? '' : `, ${note}`} (by ${author})`;

const brakeSentence = ({ user, port, intervalSeconds, until, reason }: UserThrottleEntry): string =>
  `user '${user}' is throttled there${port === undefined ? '' : ` (port ${port})`}: one try in ${intervalSeconds} s${until === null ? '' : ` until ${new Date(until).toISOString().slice(0, 19)}Z`}, ${reason}`;

/** Phones of one answer: an office has hundreds. */
const MAX_PHONES = 20;

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

  /** A source that nothing is held against, but from which somebody is registered, is no mere stranger. */
  const headOf = (
    report: JudgeReport,
    goods: readonly GoodEntry[],
    brakes: readonly UserThrottleEntry[],
  ): Pick<WhyReport, 'state' | 'reason'> => {
    if (report.state !== 'stranger') return report;
    const throttled = new Set(brakes.map(({ user }) => user)).size;
    const slowed =
      throttled === 1 ? `user '${brakes[0]!.user}' is throttled there` : `${throttled} users are throttled there`;
    if (goods.length === 0) return throttled === 0 ? report : { state: report.state, reason: slowed };
    const users = new Set(goods.map(({ user }) => user)).size;
    const who = users === 1 ? `user '${goods[0]!.user}'` : `${users} users`;
    return { state: 'good', reason: `${who} registered there; whoever else sends from it is a stranger` };
  };

  /** What no server's table holds: companion turns these away when it is asked about them. */
  const answered = (ip: string, state: WhyReport['state'], isKnown: boolean): WhyReport['enforced'] => {
    if (parts.status().mode === 'shadow') return [];
    const { barred } = background(ip);
    const closed = isKnown || state === 'allowed' ? [] : (parts.closedNodes ?? []);
    const does = state === 'quarantined' ? 'only challenged' : 'not answered';
    const holds = [
      ...(barred === undefined || barred.state !== state || isKnown
        ? []
        : [`${does} when a server asks about its requests: ${barred.reason}`]),
      ...closed.map((node) => `not answered at ${node}: it is not on the allow list (allowlist_only)`),
    ];
    return holds.length === 0 ? [] : [{ enforcer: 'companion', holds }];
  };

  return {
    /** @param ip canonical @param report how it stands */
    async why(ip: string, report: JudgeReport): Promise<WhyReport> {
      const identity = identityOf(ip);
      const goods = [...ledger.goodOf(identity)].sort((a, b) => b.since - a.since);
      const userBrakes = [...ledger.entries('throttle-user')].filter(
        (entry): entry is UserThrottleEntry => entry.kind === 'throttle-user' && entry.subject === identity,
      );
      const covering = lists.covering(ip);
      const network = lists.networkBan(ip);
      const [history, enforced] = await Promise.all([
        parts.records.history(identity, HISTORY_ROWS).catch(() => []),
        Promise.all(parts.enforcers.map((enforcer) => holdsOf(enforcer, ip, [...userBrakes, ...goods]))),
      ]);
      // memory is gone with the service, what bans were decided on is not
      const evidence = mergeEvidence(report.evidence, ...history.map((entry) => entry.evidence)).slice(-MAX_EVIDENCE);
      const byCompanion = answered(ip, report.state, goods.length > 0);
      const sample = parts.sampleOf(identity);
      const falseAlarm = judge.falseAlarms.of(identity, parts.clock.now());
      return {
        ip,
        identity,
        ...report,
        ...headOf(report, goods, userBrakes),
        ...(parts.status().mode === 'shadow' ? { shadow: true } : {}),
        ...placeOfSubject(ip, background),
        evidence,
        proof: proofOf(evidence),
        shapes: parts.shapesOf(identity),
        lists: covering.map(listRow),
        listed: [...listedOf(ip, covering, network), ...userBrakes.map(brakeSentence)],
        rehearsed: (parts.rehearsedOf?.(identity, parts.clock.now()) ?? []).map(wouldBe),
        ...(falseAlarm === undefined ? {} : { falseAlarm }),
        ...(sample === undefined ? {} : { sample }),
        history: history.map(historyRow),
        ...(goods.length === 0
          ? {}
          : {
              phones: goods
                .slice(0, MAX_PHONES)
                .map(({ user, ip: at, port, since, until }) => ({ user, ip: at, port, since, until })),
            }),
        enforced: [...enforced, ...byCompanion],
        undo: [
          ...new Set([
            ...undoOf(identity, [...covering, ...(network === undefined ? [] : [network])]),
            ...((background(ip).barred === undefined && byCompanion.length === 0) ||
            covering.some(({ kind }) => kind === 'allow')
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
