import { z } from 'zod';
import { ENOUGH_POINTS } from '../../model/index.ts';
import type { Severity, Violation } from '../../model/index.ts';
import { NO_FINDINGS, type DetectorKind } from '../base/detector.ts';
import { durationSetting } from '../base/duration-setting.ts';
import { isExempt, provedItself } from '../base/exempt.ts';
import { createOnce } from '../base/once.ts';

/** Never enough by itself: one malformed message, by whatever rule, bans and quarantines nobody. */
const points = z
  .int()
  .min(0)
  .max(ENOUGH_POINTS - 1);

const configSchema = z.strictObject({
  enabled: z.boolean().default(true).describe('switch the detector off; messages are refused all the same'),
  critical_points: points.default(30).describe('two readers see two messages: NUL, line without colon, two lengths'),
  high_points: points.default(15).describe('the standard forbids it: a missing From, a CSeq of another method'),
  medium_points: points.default(5).describe('a value against its grammar'),
  repeat: durationSetting('1h').describe('a source is accused once in this time for each rule'),
  max_sources: z.int().min(1).max(1_000_000).default(50_000).describe('pairs of source and rule remembered'),
});

interface Weight {
  readonly rule: string;
  readonly points: 'critical_points' | 'high_points' | 'medium_points';
}

const WEIGHTS: Readonly<Record<Severity, Weight>> = {
  critical: { rule: 'validation.critical', points: 'critical_points' },
  high: { rule: 'validation.high', points: 'high_points' },
  medium: { rule: 'validation.medium', points: 'medium_points' },
};

type Counted = Violation & { readonly points: number };

/**
 * The message breaks rules of the standard that the operator's policy counts (see `validation`). A broken phone breaks
 * the same rules again and again: the worst of them is counted once an hour, however many there are. Somebody who
 * probes a parser breaks others each time.
 */
export const malformed: DetectorKind<typeof configSchema> = {
  id: 'malformed',
  configSchema,
  create(config) {
    const accused = createOnce(config.max_sources, config.repeat);
    return {
      id: 'malformed',
      detect(event, facts) {
        if (event.kind !== 'request' || facts.validity === undefined || facts.validity.hits.length === 0)
          return NO_FINDINGS;
        if (isExempt(facts) || provedItself(event)) return NO_FINDINGS;
        let worst: Counted | undefined;
        for (const hit of facts.validity.hits) {
          const points = config[WEIGHTS[hit.severity].points];
          if (hit.action === 'log' || hit.action === 'off' || points === 0) continue;
          // every rule of the message is taken as said, the worst of them counts
          const isNew = accused.due(`${event.source.identity} ${hit.rule}`, event.at);
          if (isNew && (worst === undefined || points > worst.points)) worst = { ...hit, points };
        }
        if (worst === undefined) return NO_FINDINGS;
        return [
          {
            rule: WEIGHTS[worst.severity].rule,
            family: 'garbage',
            accused: { kind: 'source' },
            tier: event.tier,
            points: worst.points,
            evidence: `${worst.rule} at byte ${worst.offset} of ${event.sizeBytes}`,
          },
        ];
      },
      tables: () => ({ 'malformed.accused': accused.stats }),
    };
  },
};
