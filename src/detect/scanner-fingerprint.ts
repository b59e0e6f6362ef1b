import { z } from 'zod';
import { ENOUGH_POINTS } from '../model/index.ts';
import { NO_FINDINGS, type DetectorKind } from './detector.ts';
import { isCustomer, isExempt, provedItself } from './exempt.ts';

const points = z.int().min(0).max(ENOUGH_POINTS);

const configSchema = z.strictObject({
  enabled: z.boolean().default(true).describe('switch the detector off'),
  lowRiskPoints: points.default(ENOUGH_POINTS).describe('marks that only an attack tool leaves'),
  mediumRiskPoints: points.default(50).describe('marks that honest software might share'),
  highRiskPoints: points.default(10).describe('marks of tools that operators use too (SIPp)'),
});

/**
 * The message is built the way a known tool builds it, whatever it calls itself. Reported with each request; whoever
 * judges counts repetitions once. Doubtful marks are not held against a sender who has just answered a challenge.
 */
export const scannerFingerprint: DetectorKind<typeof configSchema> = {
  id: 'scanner-fingerprint',
  configSchema,
  create(config) {
    const pointsOf = { low: config.lowRiskPoints, medium: config.mediumRiskPoints, high: config.highRiskPoints };
    return {
      id: 'scanner-fingerprint',
      detect(event, facts) {
        if (event.kind !== 'request' || facts.fingerprint === null || isExempt(facts)) return NO_FINDINGS;
        const { tool, detail, risk } = facts.fingerprint;
        if (isCustomer(event) || (risk !== 'low' && provedItself(event)) || pointsOf[risk] === 0) return NO_FINDINGS;
        return [
          {
            rule: 'scanner.fingerprint',
            family: 'tool',
            accused: { kind: 'source' },
            tier: event.tier,
            points: pointsOf[risk],
            evidence: `built by ${tool}: ${detail}`,
          },
        ];
      },
      tables: () => ({}),
    };
  },
};
