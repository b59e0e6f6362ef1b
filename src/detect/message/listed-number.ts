import { z } from 'zod';
import { ENOUGH_POINTS } from '../../model/index.ts';
import { NO_FINDINGS, type DetectorKind } from '../base/detector.ts';
import { durationSetting } from '../base/duration-setting.ts';
import { isExempt, provedItself } from '../base/exempt.ts';
import { createOnce } from '../base/once.ts';

const configSchema = z.strictObject({
  enabled: z.boolean().default(true).describe('calls to numbers that a feed knows from attackers (SentryPeer)'),
  points: z.int().min(1).max(ENOUGH_POINTS).default(40).describe('a stranger calls such a number'),
  repeat: durationSetting('10m').describe('a source is accused once in this time'),
  max_sources: z.int().min(1).max(1_000_000).default(20_000).describe('sources remembered'),
});

/**
 * A stranger calls a number that attackers elsewhere have tried: their own premium number, or the one that shows them
 * that calls get through. Customers may call whom they like.
 */
export const listedNumber: DetectorKind<typeof configSchema> = {
  id: 'listed-number',
  configSchema,
  create(config) {
    const accused = createOnce(config.max_sources, config.repeat);
    return {
      id: 'listed-number',
      detect(event, facts) {
        if (event.kind !== 'request' || facts.listedNumber !== true || isExempt(facts) || provedItself(event))
          return NO_FINDINGS;
        if (!accused.due(event.source.identity, event.at)) return NO_FINDINGS;
        return [
          {
            rule: 'feed.called-number',
            family: 'scan',
            accused: { kind: 'source' },
            tier: event.tier,
            points: config.points,
            evidence: `calls ${event.sip.requestUser.slice(0, 40)}, a number that attackers elsewhere have called`,
          },
        ];
      },
      tables: () => ({ 'listed-number.accused': accused.stats }),
    };
  },
};
