import { join } from 'node:path';
import { identityOf } from '../model/index.ts';
import type { AuditLine, BanEntry, Change, Clock, ListEntry, Outcome, Request, Verdict } from '../model/index.ts';
import { createFeedDesk, createGeoDesk, createListsKeeper, createResolver, openNameShelf } from '../feeds/index.ts';
import type { FeedDesk, FeedDeskParts, GeoDesk, NameResolver, NameShelf, Protected } from '../feeds/index.ts';
import type { CompanionConfig, Judging } from '../judging/index.ts';
import { applyConfiguredLists, createAuthoredLists, createPushedListings, isChecked } from '../operate/index.ts';
import type { Alarms, Effects } from '../operate/index.ts';
import { createTurnedAway } from './turned-away.ts';

export interface ElsewhereParts {
  readonly config: CompanionConfig;
  readonly stateDirectory: string;
  readonly clock: Clock;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  readonly judging: Judging;
  readonly effects: Effects;
  readonly alarms: Alarms;
  readonly onBug: (error: unknown) => void;
  readonly switches: FeedDeskParts['switches'];
  /** Told what the servers should hold besides the ledger; not in shadow mode. */
  readonly enforce: (changes: readonly Change[]) => void;
  readonly audit: (line: AuditLine) => void;
  /** Nothing is enforced: it is only said. */
  readonly shadow: boolean;
  readonly resolver?: NameResolver | undefined;
}

export interface Elsewhere {
  readonly geo: GeoDesk;
  readonly feeds: FeedDesk;
  /** Names that operators put on the allow list by hand. */
  readonly names: NameShelf;
  /** Listed addresses that the servers hold themselves. */
  pushed(): Iterable<BanEntry>;
  /** After each verdict: who is listed and came is pushed, strangers are looked up. */
  see(event: Request | Outcome, verdict: Verdict): void;
  /** Settings that are swapped while the service runs. */
  readonly swaps: readonly { readonly covers: RegExp; readonly apply: (next: CompanionConfig) => void }[];
  /** Gauges by group. */
  stats(): Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Requests that were dropped for their country, since the start. */
  turnedAwayByCountry(): Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

/** Names of the allow list and of peers. */
const wishesOf = ({ allow, peers }: CompanionConfig) => [
  ...allow.flatMap((entry) => ('name' in entry ? [entry] : [])),
  ...peers.flatMap((peer) =>
    peer.names.map((name) => ({
      name,
      note: peer.note,
      private: peer.private,
      peer: peer.name,
      checked: isChecked(peer),
    })),
  ),
];

/** Opens all of it; what cannot be had is an alarm and no failure. */
export const openElsewhere = async (parts: ElsewhereParts): Promise<Elsewhere> => {
  const { config, clock, log, judging, effects, alarms } = parts;
  const { ledger } = judging.judge;
  const geo = await createGeoDesk({
    files: config.geo.files,
    download: config.geo.download,
    directory: join(parts.stateDirectory, 'geo'),
    everyMs: config.geo.update_every,
    maxAgeMs: config.geo.max_age,
    clock,
    alarm: (name, problem) => alarms.set(name, problem),
    changed: () => judging.backgrounds.forget(),
  });
  const resolver = parts.resolver ?? createResolver();
  const authored = createAuthoredLists({ ledger, lists: judging.lists, effects, clock, onBug: parts.onBug });
  const pushed = createPushedListings(config.feed_policy.push, clock, parts.enforce);
  /** Whether a server may hold the address for what feeds or long deny lists say. */
  const isHeld = (identity: string): boolean => {
    const ip = identity.split('/', 1)[0] ?? '';
    const list = judging.lists.verdict(ip);
    return list === 'none'
      ? feeds.listing(ip)?.state === 'banned'
      : list === 'deny' && judging.lists.tabled(ip) !== undefined;
  };
  const keeper = createListsKeeper({
    resolver,
    clock,
    apply: authored.apply,
    async denyTable(author, table, note) {
      await authored.denyTable(author, table, note);
      pushed.review(isHeld);
    },
    authors: authored.authors,
    alarm: (name, problem) => alarms.set(name, problem),
  });
  let configured = config;
  const names = openNameShelf(
    join(parts.stateDirectory, 'names.json'),
    clock,
    () => {
      keep(configured).catch(parts.onBug);
    },
    (problem) => alarms.set('names.json', problem),
  );
  /** One after the other: names and files are swapped in several steps. */
  let kept: Promise<void> = Promise.resolve();
  const keep = (from: CompanionConfig): Promise<void> => {
    configured = from;
    const byHand = names.rows().map(({ name, note }) => ({ name, note, private: false }));
    kept = kept
      .catch(() => undefined)
      .then(() => keeper.keep({ lists: from.lists, names: [...byHand, ...wishesOf(from)] }));
    return kept;
  };
  await keep(config);
  const protectedNow = (customers: boolean): Protected[] => {
    const found: Protected[] = [...judging.own].map((ip) => ({ subject: ip, what: 'this server' }));
    for (const entry of ledger.entries('allow')) {
      const { subject, peer, note } = entry as ListEntry;
      found.push({
        subject,
        what: peer === undefined ? `allow list${note === '' ? '' : `: ${note}`}` : `peer ${peer}`,
      });
    }
    if (!customers) return found;
    const seen = new Set<string>();
    for (const entry of ledger.entries('good')) if (entry.kind === 'good') seen.add(identityOf(entry.ip));
    for (const subject of seen) found.push({ subject, what: 'a registered phone' });
    return found;
  };
  const turnedAway = createTurnedAway({ clock, log, audit: parts.audit, shadow: parts.shadow });
  const feeds = createFeedDesk({
    clock,
    resolver,
    directory: join(parts.stateDirectory, 'feeds'),
    protectedNow,
    switches: parts.switches,
    isCustomer: (ip) => ledger.hasGood(identityOf(ip)),
    alarm: (name, problem) => alarms.set(name, problem),
    changed: () => {
      judging.backgrounds.forget();
      pushed.review(isHeld);
    },
  });
  feeds.use(config.feeds, config.feed_policy);
  log.info({ event: 'elsewhere', ...keeper.stats() }, 'names, files and feeds are followed');

  return {
    geo,
    feeds,
    names,
    pushed: () => pushed.entries(),
    see(event, verdict) {
      if (event.kind !== 'request' || event.standing !== 'stranger') return;
      const { ip, identity } = event.source;
      if (verdict.state === 'stranger') feeds.see(ip);
      if (verdict.state !== 'banned' && verdict.state !== 'denied') return;
      const tabled = verdict.state === 'denied' ? judging.lists.tabled(ip) : undefined;
      if (tabled !== undefined && judging.lists.verdict(ip) === 'deny') {
        pushed.push(identity, `deny list ${tabled.author}`, null);
        return;
      }
      const { barred, place } = judging.backgrounds.of(ip);
      if (barred === undefined || barred.reason !== verdict.reason) return;
      turnedAway.tell(ip, identity, barred, place);
      if (barred.state !== 'banned') return;
      const listing = feeds.listing(ip);
      if (listing?.state === 'banned') pushed.push(identity, listing.reason, listing.until);
    },
    swaps: [
      { covers: /^(?:feeds|feed_policy\.(?!push))/, apply: (next) => feeds.use(next.feeds, next.feed_policy) },
      {
        covers: /^(?:allow|deny|peers|lists)$/,
        apply: (next) => {
          const changes = applyConfiguredLists(ledger, next, clock.now());
          effects.push(changes, { by: 'operator', author: 'configuration' });
          judging.setPeers(next.peers);
          keep(next).catch(parts.onBug);
        },
      },
    ],
    stats: () => ({
      geo: geo.stats(),
      kept_lists: keeper.stats(),
      feeds: { ...feeds.stats(), pushed: pushed.size },
      turned_away: { ...turnedAway.counts },
    }),
    turnedAwayByCountry: () => turnedAway.countries,
    async stop() {
      keeper.stop();
      await Promise.all([geo.stop(), feeds.stop()]);
    },
  };
};
