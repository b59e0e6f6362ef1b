import { CompanionError, canonicalIp, entryKey, identityOf, parseCidr, subjectOf } from '../model/index.ts';
import type {
  BanEntry,
  Change,
  Cidr,
  Clock,
  DecisionEvent,
  Enforcer,
  Entry,
  FeedRow,
  Figures,
  GeoReport,
  GoodEntry,
  ListEntry,
  Operations,
  Records,
  ReloadReport,
  ShapeSeen,
  StatusReport,
  WhyReport,
} from '../model/index.ts';
import type { Judge, JudgeReport } from '../decide/index.ts';
import type { AddressLists } from './lists/address-lists.ts';
import { banHurdles, goodWithin } from './lists/ban-hurdles.ts';
import { createBulk } from './lists/bulk.ts';
import type { Effects } from './effects.ts';
import { attackReport } from './insight/attack-report.ts';
import { completions } from './insight/completion.ts';
import { createGeoOperations, placeOfSubject, withPlaces } from './insight/places.ts';
import type { BackgroundOf } from './insight/places.ts';
import type { Traces } from './insight/traces.ts';
import { createPublished } from './publish.ts';
import { HELD_KINDS, banRow, historyRow, listRow, listSubject } from './rows.ts';

export interface OperationsParts {
  readonly judge: Judge;
  readonly lists: AddressLists;
  readonly effects: Effects;
  readonly records: Records;
  readonly enforcers: readonly Enforcer[];
  readonly clock: Clock;
  /** Duration of a ban for which none was given (ms). */
  readonly banTimeMs: () => number;
  readonly ownAddresses: () => readonly string[];
  readonly status: () => StatusReport;
  readonly subscribe: (listener: (event: DecisionEvent) => void) => () => void;
  readonly traces: Traces;
  readonly shapesOf: (identity: string) => readonly ShapeSeen[];
  readonly figures: () => Figures;
  readonly enumerationSources: () => number;
  readonly reload: () => ReloadReport;
  /** Country and network of an address, and what stands against it for them. */
  readonly background: BackgroundOf;
  readonly geo: { report(): GeoReport; update(): GeoReport };
  readonly feeds: {
    rows(): readonly FeedRow[];
    update(name: string | undefined): void;
    switch(name: string, on: boolean): void;
  };
}

const HISTORY_ROWS = 20;

/** One address, or one IPv6 customer's /64; `why` and `check` are about those. @throws CompanionError ADDRESS_INVALID */
const oneAddress = (text: string): string => {
  const [address = '', prefix, extra] = text.split('/', 3);
  const ip = canonicalIp(address);
  const whole = ip?.includes(':') === true ? ['64', '128'] : ['32'];
  if (ip === undefined || extra !== undefined || (prefix !== undefined && !whole.includes(prefix)))
    throw new CompanionError(
      'ADDRESS_INVALID',
      `'${text.slice(0, 60)}' is not a single IP address. Write for example 203.0.113.7 or 2001:db8::5.`,
    );
  return ip;
};

/** True for what known-good phones are indexed by: one IPv4 address, one IPv6 /64. */
const isIdentity = ({ family, prefix }: Cidr): boolean => prefix === (family === 4 ? 32 : 64);

/** What operators can do, on the ledger and everything that follows it. */
export const createOperations = (parts: OperationsParts): Operations => {
  const { judge, lists, effects, records, clock, background } = parts;
  const { ledger } = judge;
  const now = (): number => clock.now();
  const endOf = (durationMs: number | null): number | null => (durationMs === null ? null : now() + durationMs);

  const lift = (keys: readonly string[], author: string): string[] => {
    const changes: Change[] = keys.flatMap((key) => ledger.remove(key, 'operator'));
    // an operator's word removes what somebody else had put into the server as well
    const told = changes.map((change): Change => ({ ...change, entry: { ...change.entry, origin: 'operator' } }));
    effects.push(told, { by: 'operator', author });
    return changes.map(({ entry }) => entry.kind);
  };

  const goodsOf = (subject: string): readonly GoodEntry[] => {
    const network = parseCidr(subject);
    return isIdentity(network) ? [...ledger.goodOf(subject)] : goodWithin(network, ledger.entries('good'));
  };

  /** Phones that an operator shuts out lose the privilege that would let them pass. */
  const revoke = (goods: readonly Pick<GoodEntry, 'ip' | 'port' | 'user'>[]): Change[] =>
    goods.flatMap(({ ip, port, user }) => ledger.remove(`good ${ip} ${port} ${user}`, 'revoked'));

  /** How an address stands, with the times of the entry that decides it. */
  const standingOf = (ip: string): JudgeReport => {
    const list = lists.verdict(ip);
    const report = judge.report(identityOf(ip), list, now(), background(ip).barred);
    const entry = list === 'none' ? undefined : lists.deciding(ip);
    return entry === undefined ? report : { ...report, since: entry.since, until: entry.until };
  };

  /** A server that cannot say what it holds must not keep the rest of the answer from the operator. */
  const holdsOf = async (enforcer: Enforcer, ip: string): Promise<WhyReport['enforced'][number]> => {
    const holds = await enforcer
      .holds(ip)
      .catch((error: unknown) => [`unknown: ${error instanceof Error ? error.message : String(error)}`]);
    return { enforcer: enforcer.name, holds };
  };

  const undoOf = (subject: string, entries: readonly Entry[]): string[] => {
    const held = HELD_KINDS.some((kind) => kind !== 'throttle-user' && ledger.get(`${kind} ${subject}`) !== undefined);
    const commands = held ? [`companion ban remove ${subject}`] : [];
    for (const entry of entries) {
      if (entry.kind === 'ban') commands.push(`companion ban remove ${entry.subject}`);
      if (entry.kind === 'deny' || entry.kind === 'allow')
        commands.push(`companion ${entry.kind} remove ${entry.subject}`);
    }
    return commands;
  };

  return {
    ...createBulk({ ...parts, revoke }),
    ...createGeoOperations(parts.geo, background),
    publishedBans: createPublished(ledger, parts.subscribe).publishedBans,
    feedList: async () => parts.feeds.rows(),
    async feedUpdate(name) {
      parts.feeds.update(name);
      return parts.feeds.rows();
    },
    async feedSwitch(name, on) {
      parts.feeds.switch(name, on);
      return parts.feeds.rows();
    },
    status: async () => parts.status(),

    async banAdd({ subject: text, durationMs, reason, author, force }) {
      const subject = subjectOf(text);
      const goods = goodsOf(subject);
      const hurdles = banHurdles(subject, goods, ledger.entries('allow'), parts.ownAddresses());
      if (hurdles.length > 0 && force !== true) {
        throw new CompanionError(
          'BAN_REFUSED',
          `Not banning ${subject}: it would hit ${hurdles.join('; ')}. Use --force if that is what you want.`,
        );
      }
      const entry: BanEntry = {
        kind: 'ban',
        subject,
        level: 0,
        rules: [],
        evidence: [],
        origin: 'operator',
        reason,
        since: now(),
        until: endOf(durationMs === undefined ? parts.banTimeMs() : durationMs),
      };
      effects.push([...revoke(goods), ...ledger.put(entry)], { by: 'operator', author });
      return banRow(entry);
    },

    banList: async () =>
      withPlaces(
        [...ledger.entries(...HELD_KINDS)].map((entry) => banRow(entry as Parameters<typeof banRow>[0])),
        background,
      ),

    async banRemove({ subject: text, author }) {
      const subject = subjectOf(text);
      const keys = [`ban ${subject}`, `quarantine ${subject}`, `throttle ${subject}`];
      for (const entry of ledger.entries('throttle-user')) {
        if (entry.kind === 'throttle-user' && entry.subject === subject) keys.push(entryKey(entry));
      }
      const removed = lift(keys, author);
      judge.forgive(subject, now());
      if (removed.length === 0)
        throw new CompanionError(
          'NOT_FOUND',
          `There is no ban, quarantine or throttle of ${subject}. 'companion ban list --all' shows them, 'companion why ${subject}' what holds.`,
        );
      return { removed };
    },

    async listAdd({ list, subject: text, note, author, durationMs }) {
      const entry: ListEntry = {
        kind: list,
        subject: listSubject(text),
        note,
        author,
        origin: 'operator',
        reason: note === '' ? `${list} list` : note,
        since: now(),
        until: endOf(durationMs ?? null),
      };
      const revoked = list === 'deny' ? revoke(goodsOf(subjectOf(text))) : [];
      effects.push([...revoked, ...ledger.put(entry)], { by: 'operator', author });
      return listRow(entry);
    },

    listAll: async (list) =>
      withPlaces(
        [...ledger.entries(list)].map((entry) => listRow(entry as ListEntry)),
        background,
      ),

    async listRemove(list, { subject: text, author }) {
      const subject = listSubject(text);
      const removed = lift([`${list} ${subject}`], author);
      if (removed.length === 0)
        throw new CompanionError(
          'NOT_FOUND',
          `There is no ${list} entry ${subject}. 'companion ${list} list' shows them.`,
        );
      return { removed };
    },

    async check(text) {
      const ip = oneAddress(text);
      const identity = identityOf(ip);
      const { state, reason, until } = standingOf(ip);
      const result = state === 'allowed' ? 'allowed' : state === 'banned' || state === 'denied' ? 'blocked' : 'clear';
      return { ip, identity, result, state, reason, until, ...placeOfSubject(ip, background) };
    },

    async why(text): Promise<WhyReport> {
      const ip = oneAddress(text);
      const identity = identityOf(ip);
      const report = standingOf(ip);
      const covering = lists.covering(ip);
      const network = lists.networkBan(ip);
      const [history, enforced] = await Promise.all([
        records.history(identity, HISTORY_ROWS).catch(() => []),
        Promise.all(parts.enforcers.map((enforcer) => holdsOf(enforcer, ip))),
      ]);
      const userBrakes = [...ledger.entries('throttle-user')].filter(
        (entry) => entry.kind === 'throttle-user' && entry.subject === identity,
      );
      return {
        ip,
        identity,
        ...report,
        ...placeOfSubject(ip, background),
        shapes: parts.shapesOf(identity),
        lists: covering.map(listRow),
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

    watch: (listener) => parts.subscribe(listener),
    trace: (text, listener) => parts.traces.open(oneAddress(text), listener),
    stats: async () => ({
      at: now(),
      startedAt: parts.status().startedAt,
      figures: parts.figures(),
      activeBans: ledger.count('ban'),
      enumerationSources: parts.enumerationSources(),
    }),
    report: (spanMs) => attackReport(records, clock, spanMs, background),
    complete: async (kind, prefix) => completions(ledger, kind, prefix),
    reload: async () => parts.reload(),
  };
};
