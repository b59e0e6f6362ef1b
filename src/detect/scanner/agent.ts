import { z } from 'zod';
import { ENOUGH_POINTS } from '../../model/index.ts';
import { NO_FINDINGS, type DetectorKind } from '../base/detector.ts';
import { durationSetting } from '../base/duration-setting.ts';
import { isCustomer, isExempt, provedItself } from '../base/exempt.ts';
import { createOnce } from '../base/once.ts';

const points = z.int().min(0).max(ENOUGH_POINTS);

const configSchema = z.strictObject({
  enabled: z.boolean().default(true).describe('switch the detector off'),
  low_risk_points: points.default(ENOUGH_POINTS).describe('names of attack tools'),
  medium_risk_points: points.default(40).describe('names of tools that operators use too'),
  high_risk_points: points.default(15).describe('names of honest clients that attackers like'),
  repeat: durationSetting('10m').describe('a doubtful source is accused once in this time'),
  max_sources: z.int().min(1).max(1_000_000).default(20_000).describe('doubtful sources remembered'),
});

/**
 * The User-Agent names a scanner. Tools (low risk) are reported with each
 * request. Doubtful names (medium, high risk) count once in a while, so that they never add up, and are not held against
 * a sender who has just answered a challenge.
 */
export const scannerAgent: DetectorKind<typeof configSchema> = {
  id: 'scanner-agent',
  configSchema,
  create(config) {
    const pointsOf = { low: config.low_risk_points, medium: config.medium_risk_points, high: config.high_risk_points };
    const doubtful = createOnce(config.max_sources, config.repeat);
    return {
      id: 'scanner-agent',
      detect(event, facts) {
        if (event.kind !== 'request' || facts.agent === null || isExempt(facts)) return NO_FINDINGS;
        const { pattern, risk } = facts.agent;
        if (isCustomer(event) || (risk !== 'low' && provedItself(event)) || pointsOf[risk] === 0) return NO_FINDINGS;
        if (risk !== 'low' && !doubtful.due(event.source.identity, event.at)) return NO_FINDINGS;
        return [
          {
            rule: 'scanner.user-agent',
            family: 'tool',
            accused: { kind: 'source' },
            tier: event.tier,
            points: pointsOf[risk],
            evidence: `User-Agent contains '${pattern}' (${risk} risk of a false alarm)`,
          },
        ];
      },
      tables: () => ({ 'scanner-agent.doubtful': doubtful.stats }),
    };
  },
};
