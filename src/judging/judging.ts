import { Judge } from '../decide/index.ts';
import { createDetectors } from '../detect/index.ts';
import { createEnricher } from '../enrich/index.ts';
import { isLoopbackRange } from '../model/index.ts';
import type { Outcome, Request, Verdict } from '../model/index.ts';
import { AddressLists, createLiveDetectors } from '../operate/index.ts';
import type { CompanionConfig } from './schema.ts';

type Detectors = ReturnType<typeof createLiveDetectors<CompanionConfig['detect']>>;

/** Settings that are swapped while the service runs; the first that covers a path counts. */
interface Swap {
  readonly covers: RegExp;
  readonly apply: (next: CompanionConfig) => void;
}

export interface Judging {
  readonly judge: Judge;
  readonly lists: AddressLists;
  /** Addresses of the server and of this machine. */
  readonly own: ReadonlySet<string>;
  /** As they are now: a reload writes into them. */
  readonly decideSettings: Readonly<CompanionConfig['decide']>;
  readonly swaps: readonly Swap[];
  /** Enriches, detects and decides. The caller carries `changes` on, to `lists` first of all. */
  judged(event: Request | Outcome): Verdict;
  /** Sizes and evictions of the detectors' tables. */
  tables: Detectors['tables'];
}

/** @param ownAddresses besides those of the configuration; loopback ones count only where the configuration names them */
export const createJudging = (config: CompanionConfig, ownAddresses: Iterable<string>): Judging => {
  const own = new Set([...config.own_addresses, ...ownAddresses]);
  const lists = new AddressLists();
  const enricherOf = ({ agents }: CompanionConfig) =>
    createEnricher({
      extraAgents: agents.extra.map((pattern) => ({ pattern, risk: 'low' as const })),
      lists: (ip) => lists.verdict(ip),
      isOwn: (ip) => own.has(ip) && (!isLoopbackRange(ip) || config.own_addresses.includes(ip)),
    });
  let enrich = enricherOf(config);
  const detectors: Detectors = createLiveDetectors(config.detect, createDetectors, config.rules);
  // read at each use
  const decideSettings = { ...config.decide };
  const judge = new Judge(decideSettings);
  return {
    judge,
    lists,
    own,
    decideSettings,
    swaps: [
      { covers: /^decide\.(?!max_|score_decay)/, apply: (next) => void Object.assign(decideSettings, next.decide) },
      { covers: /^(?:detect|rules)\b/, apply: (next) => detectors.swap(next.detect, next.rules) },
      { covers: /^(?:profile|simple|per_minute)\b/, apply: () => undefined }, // they stand for other settings
      { covers: /^agents\./, apply: (next) => void (enrich = enricherOf(next)) },
    ],
    judged(event) {
      const facts = enrich(event);
      return judge.judge(event, facts, detectors.detect(event, facts));
    },
    tables: () => detectors.tables(),
  };
};
