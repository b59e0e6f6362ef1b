import { Judge, ShadowJudge, createPeerGate, stopExploit } from '../decide/index.ts';
import type { PeerPolicy } from '../decide/index.ts';
import { createDetectors } from '../detect/index.ts';
import {
  compileTools,
  createBackgrounds,
  createEnricher,
  createGeoRules,
  createPrivateRange,
  shippedPack,
} from '../enrich/index.ts';
import type { Backgrounds, GeoDatabase, ToolMatcher } from '../enrich/index.ts';
import { isLoopbackRange } from '../model/index.ts';
import type { Barred, Entry, EpochMs, Finding, Outcome, Request, Verdict } from '../model/index.ts';
import { AddressLists, createLiveDetectors } from '../operate/index.ts';
import { createAdmission } from './admission.ts';
import { createExploitOf } from './patches.ts';
import type { CompanionConfig } from './schema.ts';
import { createValidityOf } from './validation.ts';

type Detectors = ReturnType<typeof createLiveDetectors<CompanionConfig['detect']>>;

/** Settings that are swapped while the service runs; the first that covers a path counts. */
interface Swap {
  readonly covers: RegExp;
  readonly apply: (next: CompanionConfig) => void;
}

/** What is known of addresses from elsewhere. Left out where nothing is: a replay, a benchmark. */
export interface Elsewhere {
  readonly databases: () => readonly GeoDatabase[];
  /** What feeds say of an address. */
  readonly listed: (ip: string) => Barred | undefined;
  /** Whether feeds know a called number from attackers. */
  readonly hasNumber?: ((number: string) => boolean) | undefined;
  /** Version of a server; empty while it is not known. */
  readonly versionOf?: (node: string) => string;
}

export interface Judging {
  readonly judge: Judge;
  readonly lists: AddressLists;
  /** Addresses of the server and of this machine. */
  readonly own: ReadonlySet<string>;
  /** As they are now: a reload writes into them. */
  readonly decideSettings: Readonly<CompanionConfig['decide']>;
  readonly swaps: readonly Swap[];
  /** Country and network of addresses, and what stands against them for it. */
  readonly backgrounds: Backgrounds;
  /** Peers of the configuration as they are from now on. */
  setPeers(peers: readonly PeerPolicy[]): void;
  /** Enriches, detects and decides. The caller carries `changes` on, to `lists` first of all. */
  judged(event: Request | Outcome): Verdict;
  /** The tool that builds messages like this one, by the packs in force. */
  toolOf: ToolMatcher;
  /** Sizes and evictions of the detectors' tables. */
  tables: Detectors['tables'];
  /** As they are now. */
  detectSettings(): CompanionConfig['detect'];
  /** What rules in shadow would hold against an address beyond what stands. */
  rehearsedOf(identity: string, now: EpochMs): readonly Entry[];
  /** An operator forgave the address: what is rehearsed forgets it as well. */
  forgive(identity: string, at: number): void;
}

/** Without those of rules that are only rehearsed. */
const enforcedOf = (findings: readonly Finding[]): readonly Finding[] =>
  findings.some(({ shadow }) => shadow === true) ? findings.filter(({ shadow }) => shadow !== true) : findings;

/** @param ownAddresses besides those of the configuration; loopback ones count only where the configuration names them */
export const createJudging = (
  config: CompanionConfig,
  ownAddresses: Iterable<string>,
  elsewhere: Elsewhere = { databases: () => [], listed: () => undefined },
): Judging => {
  const own = new Set([...config.own_addresses, ...ownAddresses]);
  const lists = new AddressLists();
  const rulesOf = (settings: CompanionConfig) =>
    createGeoRules({
      blockedCountries: settings.blocked_countries,
      allowedCountries: settings.allowed_countries,
      blockedAsns: settings.blocked_asns,
      blockUnknown: settings.geo.block_unknown,
    });
  let rules = rulesOf(config);
  const isOwn = (ip: string): boolean => own.has(ip) && (!isLoopbackRange(ip) || config.own_addresses.includes(ip));
  const isPrivate = createPrivateRange();
  const backgrounds = createBackgrounds({
    ...elsewhere,
    rules: (place) => rules(place),
    isHome: (ip) => isOwn(ip) || isPrivate(ip),
  });
  const toolsOf = ({ packs }: CompanionConfig): ToolMatcher =>
    compileTools([shippedPack(), ...packs.map(({ pack }) => pack)]);
  let tools = toolsOf(config);
  let validityOf = createValidityOf(config.validation);
  const exploitOfFor = ({ patches }: CompanionConfig) =>
    createExploitOf(patches, (node) => elsewhere.versionOf?.(node) ?? '');
  let exploitOf = exploitOfFor(config);
  const enricherOf = ({ agents }: CompanionConfig) =>
    createEnricher({
      extraAgents: agents.extra.map((pattern) => ({ pattern, risk: 'low' as const })),
      lists: (ip) => lists.verdict(ip),
      background: (ip) => backgrounds.of(ip),
      ...(elsewhere.hasNumber === undefined ? {} : { listedNumber: elsewhere.hasNumber }),
      tools: (sip) => tools(sip),
      validity: (request) => validityOf(request),
      exploit: (request) => exploitOf(request),
      isOwn,
    });
  let enrich = enricherOf(config);
  let { detect } = config;
  const detectors: Detectors = createLiveDetectors(config.detect, createDetectors, config.rules);
  let gate = createPeerGate(config.peers);
  // read at each use
  const decideSettings = { ...config.decide };
  const judge = new Judge(decideSettings);
  const shadow = new ShadowJudge(decideSettings, judge.ledger);
  const admit = createAdmission(config.nodes, judge);
  return {
    judge,
    lists,
    own,
    decideSettings,
    backgrounds,
    swaps: [
      { covers: /^decide\.(?!max_|score_decay)/, apply: (next) => void Object.assign(decideSettings, next.decide) },
      {
        covers: /^(?:detect|rules)\b/,
        apply: (next) => {
          detect = next.detect;
          detectors.swap(next.detect, next.rules);
        },
      },
      { covers: /^(?:profile|simple|per_minute)\b/, apply: () => undefined }, // they stand for other settings
      {
        covers: /^(?:blocked_countries|allowed_countries|blocked_asns|geo\.block_unknown)$/,
        apply: (next) => {
          rules = rulesOf(next);
          backgrounds.forget();
        },
      },
      { covers: /^packs\b/, apply: (next) => void (tools = toolsOf(next)) },
      { covers: /^validation\b/, apply: (next) => void (validityOf = createValidityOf(next.validation)) },
      { covers: /^patches\b/, apply: (next) => void (exploitOf = exploitOfFor(next)) },
      { covers: /^agents\./, apply: (next) => void (enrich = enricherOf(next)) },
    ],
    judged(event) {
      const facts = enrich(event);
      const peer = facts.list === 'allow' ? lists.peer(event.source.ip) : undefined;
      if (peer === undefined) {
        const found = detectors.detect(event, facts);
        const verdict = judge.judge(event, facts, enforcedOf(found));
        const rehearsed = shadow.rehearse(event, facts, found);
        const told = rehearsed === undefined ? verdict : { ...verdict, shadow: rehearsed };
        return stopExploit(admit(event, told), facts.exploit);
      }
      // detectors look away from the allow list
      const findings = gate.looksAt(peer) ? enforcedOf(detectors.detect(event, { ...facts, list: 'none' })) : [];
      return stopExploit(
        gate.pass(peer, event, findings, judge.judge(event, facts, []), facts.validity),
        facts.exploit,
      );
    },
    setPeers: (peers) => void (gate = createPeerGate(peers)),
    toolOf: (sip) => tools(sip),
    tables: () => ({ ...detectors.tables(), ...shadow.tables(), 'decide.false-alarms': judge.falseAlarms }),
    detectSettings: () => detect,
    rehearsedOf: (identity, now) => shadow.holds(identity, now),
    forgive: (identity, at) => shadow.forgive(identity, at),
  };
};
