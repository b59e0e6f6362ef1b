import { z } from 'zod';
import { ENOUGH_POINTS, type SipView } from '../../model/index.ts';
import { NO_FINDINGS, type DetectorKind } from '../base/detector.ts';
import { durationSetting } from '../base/duration-setting.ts';
import { isExempt, provedItself } from '../base/exempt.ts';
import { bareHost, isLiteralHost } from '../base/literal-host.ts';
import { createOnce } from '../base/once.ts';

const configSchema = z.strictObject({
  enabled: z.boolean().default(true).describe('switch the detector off; without domains it does nothing'),
  domains: z
    .array(z.string().min(1).max(255))
    .max(1_000)
    .default([])
    .describe('how customers address this server: names, and addresses that are right to use'),
  points: z
    .int()
    .min(0)
    .max(ENOUGH_POINTS)
    .default(40)
    .describe('a request to an address instead of one of the domains'),
  repeat: durationSetting('10m').describe('a source is accused once in this time'),
  max_sources: z.int().min(1).max(1_000_000).default(20_000).describe('sources remembered'),
});

/** Carriers ping by address. */
const PINGS = new Set(['OPTIONS', 'ACK', 'CANCEL']);

/** REGISTER names its domain twice, others in their target only: To may be anything (RFC 3261 8.1.1.2). */
const hostsOf = (sip: SipView): readonly string[] =>
  sip.method === 'REGISTER' ? [sip.requestHost, sip.to.host] : [sip.requestHost];

/**
 * Scanners find addresses, customers are given a name: where the operator says which domains are served, a request to a
 * bare address is doubtful. Off until it is said, for many a small PBX is addressed by nothing else; never enough alone
 * by default, for carriers do it, too.
 */
export const ipDomain: DetectorKind<typeof configSchema> = {
  id: 'ip-domain',
  configSchema,
  create(config) {
    const own = new Set(config.domains.map(bareHost));
    const accused = createOnce(config.max_sources, config.repeat);
    const idle = own.size === 0 || config.points === 0;
    return {
      id: 'ip-domain',
      detect(event, facts) {
        if (idle || event.kind !== 'request' || PINGS.has(event.sip.method)) return NO_FINDINGS;
        if (isExempt(facts) || provedItself(event)) return NO_FINDINGS;
        const host = hostsOf(event.sip)
          .map(bareHost)
          .find((name) => isLiteralHost(name) && !own.has(name));
        if (host === undefined || !accused.due(event.source.identity, event.at)) return NO_FINDINGS;
        return [
          {
            rule: 'domain.ip-literal',
            family: 'scan',
            accused: { kind: 'source' },
            tier: event.tier,
            points: config.points,
            evidence: `addressed to ${host.slice(0, 64)}, which is none of the domains served here`,
          },
        ];
      },
      tables: () => ({ 'ip-domain.accused': accused.stats }),
    };
  },
};
