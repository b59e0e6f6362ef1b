import { join } from 'node:path';
import type { Clock } from '../model/index.ts';
import { createGeoDesk, createListsKeeper, createResolver } from '../feeds/index.ts';
import type { GeoDesk, NameResolver } from '../feeds/index.ts';
import type { CompanionConfig, Judging } from '../judging/index.ts';
import { applyConfiguredLists, createAuthoredLists, isChecked } from '../operate/index.ts';
import type { Alarms, Effects } from '../operate/index.ts';

export interface ElsewhereParts {
  readonly config: CompanionConfig;
  readonly stateDirectory: string;
  readonly clock: Clock;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  readonly judging: Judging;
  readonly effects: Effects;
  readonly alarms: Alarms;
  readonly onBug: (error: unknown) => void;
  readonly resolver?: NameResolver | undefined;
}

export interface Elsewhere {
  readonly geo: GeoDesk;
  /** Settings that are swapped while the service runs. */
  readonly swaps: readonly { readonly covers: RegExp; readonly apply: (next: CompanionConfig) => void }[];
  /** Gauges by group. */
  stats(): Readonly<Record<string, Readonly<Record<string, number>>>>;
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
  const authored = createAuthoredLists({ ledger, lists: judging.lists, effects, clock, onBug: parts.onBug });
  const keeper = createListsKeeper({
    resolver: parts.resolver ?? createResolver(),
    clock,
    apply: authored.apply,
    authors: authored.authors,
    alarm: (name, problem) => alarms.set(name, problem),
  });
  const keep = (from: CompanionConfig): Promise<void> => keeper.keep({ lists: from.lists, names: wishesOf(from) });
  await keep(config);
  log.info({ event: 'elsewhere', ...keeper.stats() }, 'names and files of the lists are followed');

  return {
    geo,
    swaps: [
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
    stats: () => ({ geo: geo.stats(), kept_lists: keeper.stats() }),
    async stop() {
      keeper.stop();
      await geo.stop();
    },
  };
};
