import type { Judge } from '../../../src/decide/index.ts';
import { companionSchema, createJudging } from '../../../src/judging/index.ts';
import { identityOf } from '../../../src/model/index.ts';
import type { BanEntry, Verdict } from '../../../src/model/index.ts';
import type { AddressLists } from '../../../src/operate/index.ts';
import { isSipFault, readSip } from '../../../src/protocol/index.ts';
import type { Arriving } from './messages.ts';

/** The flow of `app.ts` from bytes to verdict, without its sockets. */
export interface Engine {
  readonly judge: Judge;
  readonly lists: AddressLists;
  /** Reads, enriches, detects and decides. */
  decide(message: Arriving, at: number): Verdict;
  tables(): Readonly<Record<string, { readonly size: number; readonly evicted: number }>>;
}

/** @param maxSources cap of every table that is kept by source */
export const createEngine = (maxSources: number): Engine => {
  const cap = { max_sources: maxSources };
  const config = companionSchema.parse({
    detect: {
      enumeration: { ...cap, max_targets: 5 * maxSources > 5e6 ? 5e6 : 5 * maxSources },
      density: cap,
      method_bucket: cap,
    },
    decide: cap,
  });
  const judging = createJudging(config, ['192.0.2.1']);
  const { judge, lists } = judging;
  return {
    judge,
    lists,
    decide({ ip, port, credentials, standing, raw }, at) {
      const sip = readSip(raw);
      if (isSipFault(sip)) throw new Error(sip.detail);
      const request = {
        kind: 'request' as const,
        at,
        node: 'bench',
        source: { ip, identity: identityOf(ip), port, transport: 'udp' as const },
        tier: credentials === 'bound' ? ('proven' as const) : ('spoofable' as const),
        credentials,
        standing,
        sip,
        sizeBytes: raw.length,
        cut: false,
      };
      return judging.judged(request);
    },
    tables: () => judging.tables(),
  };
};

/** A ban as detectors make them. */
export const banOf = (subject: string, now: number, until = now + 3_600_000): BanEntry => ({
  kind: 'ban',
  subject,
  since: now,
  until,
  origin: 'detector',
  reason: 'digest.guessing',
  level: 1,
  rules: ['digest.guessing', 'digest.wrong-password'],
  evidence: Array.from({ length: 5 }, (_, line) => ({
    at: now - 5_000 + line * 1_000,
    rule: line === 4 ? 'digest.guessing' : 'digest.wrong-password',
    tier: 'proven',
    points: line === 4 ? 100 : 20,
    text: `10 failed attempts for user '100${line}' within 30 s, no success`,
  })),
});

/** A banned address for each number, apart from those of `addressOf`. */
export const bannedOf = (n: number): string => `100.${128 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`;
