import { z } from 'zod';
import { ENOUGH_POINTS } from '../../model/index.ts';
import { NO_FINDINGS, type DetectorKind } from '../base/detector.ts';
import { durationSetting } from '../base/duration-setting.ts';
import { isExempt, provedItself } from '../base/exempt.ts';
import { createOnce } from '../base/once.ts';

/** Never enough by itself: a broken phone is not an attack. */
const points = z
  .int()
  .min(0)
  .max(ENOUGH_POINTS - 1);

const configSchema = z.strictObject({
  enabled: z.boolean().default(true).describe('switch the detector off'),
  duplicate_points: points.default(40).describe('From, To, Call-ID, CSeq … twice: RFC 3261 7.3.1 forbids it'),
  folded_points: points.default(20).describe('a header over two lines that no phone writes so; legal, and obsolete'),
  spelling_points: points.default(5).describe('blanks before a colon, letters percent-encoded, line ends without CR'),
  repeat: durationSetting('10m').describe('a source is accused once in this time'),
  max_sources: z.int().min(1).max(1_000_000).default(20_000).describe('sources remembered'),
});

type Weight = 'duplicate_points' | 'folded_points' | 'spelling_points';

const weightOf = (trick: string): Weight =>
  trick.startsWith('duplicate-')
    ? 'duplicate_points'
    : trick.startsWith('folded-')
      ? 'folded_points'
      : 'spelling_points';

/**
 * The message is written so that two readers read different things (see `SipView.tricks`): what a filter sees is not what
 * the server acts on. The other rules judge the canonical form, so nothing hides behind a trick; this one says that it was
 * tried. The heaviest trick counts, once in a while: a broken phone that repeats itself never adds up to anything.
 */
export const scannerTrick: DetectorKind<typeof configSchema> = {
  id: 'scanner-trick',
  configSchema,
  create(config) {
    const accused = createOnce(config.max_sources, config.repeat);
    return {
      id: 'scanner-trick',
      detect(event, facts) {
        if (event.kind !== 'request' || event.sip.tricks.length === 0) return NO_FINDINGS;
        if (isExempt(facts) || provedItself(event)) return NO_FINDINGS;
        const { tricks } = event.sip;
        const weight = Math.max(...tricks.map((trick) => config[weightOf(trick)]));
        if (weight === 0 || !accused.due(event.source.identity, event.at)) return NO_FINDINGS;
        return [
          {
            rule: 'scanner.trick',
            family: 'tool',
            accused: { kind: 'source' },
            tier: event.tier,
            points: weight,
            evidence: `written to be read differently: ${tricks.join(', ')}`,
          },
        ];
      },
      tables: () => ({ 'scanner-trick.accused': accused.stats }),
    };
  },
};
