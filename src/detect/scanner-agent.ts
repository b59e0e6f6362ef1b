import { z } from 'zod';
import { ENOUGH_POINTS } from '../model/index.ts';
import { NO_FINDINGS, type DetectorKind } from './detector.ts';
import { isExempt, isCustomer, provedItself } from './exempt.ts';

const points = z.int().min(0).max(ENOUGH_POINTS);

const configSchema = z.strictObject({
  enabled: z.boolean().default(true).describe('switch the detector off'),
  lowRiskPoints: points.default(ENOUGH_POINTS).describe('names of attack tools'),
  mediumRiskPoints: points.default(40).describe('names of tools that operators use too'),
  highRiskPoints: points.default(15).describe('names of honest clients that attackers like'),
});

/**
 * The User-Agent names a scanner. Reported with each request; whoever judges counts repetitions once. Doubtful names
 * (medium, high risk) are not held against a sender who has just answered a challenge.
 */
export const scannerAgent: DetectorKind<typeof configSchema> = {
  id: 'scanner-agent',
  configSchema,
  create(config) {
    const pointsOf = { low: config.lowRiskPoints, medium: config.mediumRiskPoints, high: config.highRiskPoints };
    return {
      id: 'scanner-agent',
      detect(event, facts) {
        if (event.kind !== 'request' || facts.agent === null || isExempt(facts)) return NO_FINDINGS;
        const { pattern, risk } = facts.agent;
        if (isCustomer(event) || (risk !== 'low' && provedItself(event)) || pointsOf[risk] === 0) return NO_FINDINGS;
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
      tables: () => ({}),
    };
  },
};
