import { CompanionError, canonicalIp, entryKey, identityOf, isHostName, parseCidr, subjectOf } from '../model/index.ts';
import type {
  Change,
  Cidr,
  Clock,
  DecisionEvent,
  Enforcer,
  Entry,
  EpochMs,
  FeedRow,
  Figures,
  GeoReport,
  GoodEntry,
  ListEntry,
  MessageSample,
  Operations,
  Records,
  ReloadReport,
  ShapeSeen,
  StatusReport,
  TuneReport,
  UsedBy,
} from '../model/index.ts';
import type { Judge, JudgeReport } from '../decide/index.ts';
import { shadowReport } from './advice/shadow-report.ts';
import type { AddressLists } from './lists/address-lists.ts';
import { banHurdles, goodWithin } from './lists/ban-hurdles.ts';
import { createBulk } from './lists/bulk.ts';
import { banByHand, listedByHand } from './lists/by-hand.ts';
import { addName, nameRows } from './lists/names-by-hand.ts';
import type { NamesByHand } from './lists/names-by-hand.ts';
import type { Effects } from './effects.ts';
import { attackReport } from './insight/attack-report.ts';
import { completions } from './insight/completion.ts';
import { createGeoOperations, placeOfSubject, withPlaces } from './insight/places.ts';
import type { BackgroundOf } from './insight/places.ts';
import type { Traces } from './insight/traces.ts';
import { createWhy } from './insight/why.ts';
import { createPublished } from './publish.ts';
import { HELD_KINDS, banRow, listRow, listSubject } from './rows.ts';

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
  /** The message that decided, or the last one worth a look. */
  readonly sampleOf: (identity: string) => MessageSample | undefined;
  /** Sources that used a Call-ID or a user name lately. */
  readonly usedBy: (text: string) => readonly UsedBy[];
  /** Told when an address is forgiven, besides the judge. */
  readonly forgive?: (identity: string, at: number) => void;
  /** What rules in shadow would hold against an address. */
  readonly rehearsedOf?: (identity: string, now: EpochMs) => readonly Entry[];
  /** Servers that answer nobody who is not on the allow list. */
  readonly closedNodes?: readonly string[];
  readonly tune: (spanMs: number) => TuneReport;
  readonly figures: () => Figures;
  readonly enumerationSources: () => number;
  readonly reload: () => ReloadReport;
  /** Country and network of an address, and what stands against it for them. */
  readonly background: BackgroundOf;
  readonly geo: { report(): GeoReport; update(): GeoReport };
  /** Names that operators put on the allow list by hand. */
  readonly names: NamesByHand;
  readonly feeds: {
    rows(): readonly FeedRow[];
    update(name: string | undefined): void;
    switch(name: string, on: boolean, by: string): void;
  };
}

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

  const { why, used } = createWhy(parts);

  return {
    ...createBulk({ ...parts, revoke }),
    ...createGeoOperations(parts.geo, background),
    publishedBans: createPublished(ledger, parts.subscribe).publishedBans,
    feedList: async () => parts.feeds.rows(),
    async feedUpdate(name) {
      parts.feeds.update(name);
      return parts.feeds.rows();
    },
    async feedSwitch(name, on, by) {
      parts.feeds.switch(name, on, by);
      records.audit({ at: now(), actor: by, action: `feed.${on ? 'on' : 'off'}`, subject: name, detail: '' });
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
      const until = endOf(durationMs === undefined ? parts.banTimeMs() : durationMs);
      const entry = banByHand({ subject, reason, until }, now());
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
      parts.forgive?.(subject, now());
      if (removed.length === 0)
        throw new CompanionError(
          'NOT_FOUND',
          `There is no ban, quarantine or throttle of ${subject}. 'companion ban list --all' shows them, 'companion why ${subject}' what holds.`,
        );
      return { removed };
    },

    async listAdd(request) {
      const { list, subject: text, note, author, durationMs, force } = request;
      if (isHostName(text)) return addName(parts.names, request);
      // an allow entry behind it is no hurdle: allow wins over deny, so a network can be denied around it
      const goods = list === 'deny' ? goodsOf(subjectOf(text)) : [];
      const hurdles = banHurdles(subjectOf(text), goods, [], []);
      if (hurdles.length > 0 && force !== true) {
        throw new CompanionError(
          'BAN_REFUSED',
          `Not denying ${subjectOf(text)}: it would hit ${hurdles.join('; ')}. Use --force if that is what you want.`,
        );
      }
      const listed = { kind: list, subject: listSubject(text), note, author, until: endOf(durationMs ?? null) };
      const entry = listedByHand(listed, now());
      effects.push([...revoke(goods), ...ledger.put(entry)], { by: 'operator', author });
      return listRow(entry);
    },

    listAll: async (list) => [
      ...(list === 'deny' ? [] : nameRows(parts.names)),
      ...(await withPlaces(
        [...ledger.entries(list)].map((entry) => listRow(entry as ListEntry)),
        background,
      )),
    ],

    async listRemove(list, { subject: text, author }) {
      if (list === 'allow' && isHostName(text) && parts.names.remove(text)) return { removed: ['allow'] };
      const subject = listSubject(text);
      const standing = ledger.get(`${list} ${subject}`) as ListEntry | undefined;
      const removed = lift([`${list} ${subject}`], author);
      if (removed.length === 0)
        throw new CompanionError(
          'NOT_FOUND',
          `There is no ${list} entry ${subject}. 'companion ${list} list' shows them.`,
        );
      const comesBack = standing !== undefined && /^(?:file:|name:|configuration$)/.test(standing.author);
      return comesBack ? { removed, standsIn: standing.author } : { removed };
    },

    async check(text) {
      const ip = oneAddress(text);
      const identity = identityOf(ip);
      const { state, reason, until } = standingOf(ip);
      const result = state === 'allowed' ? 'allowed' : state === 'banned' || state === 'denied' ? 'blocked' : 'clear';
      const shadow = parts.status().mode === 'shadow' ? { shadow: true as const } : {};
      return { ip, identity, result, state, reason, until, ...shadow, ...placeOfSubject(ip, background) };
    },

    async why(text) {
      const ip = oneAddress(text);
      return why(ip, standingOf(ip));
    },
    used,
    tune: async (spanMs) => parts.tune(spanMs),
    shadowReport: (spanMs) => shadowReport(records, judge, clock, parts.status().mode, spanMs),

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
