import { z } from 'zod';
import { ENOUGH_POINTS, type EpochMs } from '../../model/index.ts';
import { NO_FINDINGS, type DetectorKind } from '../base/detector.ts';
import { durationSetting } from '../base/duration-setting.ts';
import { isExempt } from '../base/exempt.ts';
import { Memory } from '../base/memory.ts';
import { callMark } from '../enumeration/targets.ts';

/** Calls of one source that are told apart; the oldest make room. */
const MAX_CALLS = 64;

const configSchema = z.strictObject({
  enabled: z.boolean().default(true).describe('switch the detector off'),
  calls: z
    .int()
    .min(3)
    .max(MAX_CALLS)
    .default(8)
    .describe('calls of a source within window whose challenge or refusal it did not acknowledge in 32 s'),
  window: durationSetting('10m'),
  acked_share: z
    .number()
    .min(0)
    .max(0.5)
    .default(0.05)
    .describe('who acknowledges more than this share of its calls is spared'),
  max_sources: z.int().min(1).max(1_000_000).default(20_000).describe('sources remembered'),
});

/** The calls of one source that were not acknowledged, oldest first. */
interface Unacknowledged {
  readonly calls: { readonly mark: number; readonly at: EpochMs }[];
}

/**
 * Who dials only to read the answer: no client may leave a final answer to its INVITE without an ACK (RFC 3261 17.1.1.3),
 * and a program that sends one datagram a number saves itself the trouble. One lost ACK is nothing; it takes several calls,
 * and next to none that was acknowledged. A closed way back looks the same, and anybody can call in another's name: a
 * habit, no proof; so it never bans. Evidence is what the server has counted: a frame that is lost is in the accused's
 * favour.
 */
export const scannerNeverAcks: DetectorKind<typeof configSchema> = {
  id: 'scanner-never-acks',
  configSchema,
  create(config) {
    const sources = new Memory<Unacknowledged>(config.max_sources);
    return {
      id: 'scanner-never-acks',
      detect(event, facts) {
        if (event.kind !== 'outcome' || event.type !== 'unacknowledged' || isExempt(facts)) return NO_FINDINGS;
        const { at, acked, callId } = event;
        const { calls } = sources.take(event.source.identity, () => ({ calls: [] }));
        const mark = callMark(callId);
        // the same call again is one call: a phone that goes on trying keeps its Call-ID
        const known = calls.findIndex((call) => call.mark === mark);
        if (known >= 0) calls.splice(known, 1);
        calls.push({ mark, at });
        const since = at - config.window;
        while (calls.length > MAX_CALLS || calls[0]!.at < since) calls.shift();
        const unacked = calls.length;
        if (unacked < config.calls || acked > config.acked_share * (acked + unacked)) return NO_FINDINGS;
        calls.length = 0;
        return [
          {
            rule: 'scanner.never-acks',
            family: 'scan',
            accused: { kind: 'source' },
            tier: 'spoofable',
            points: ENOUGH_POINTS,
            evidence: `${unacked} calls within ${config.window / 60_000} min whose answer was not acknowledged in 32 s, ${acked} acknowledged`,
          },
        ];
      },
      tables: () => ({ 'scanner-never-acks.sources': sources.stats }),
    };
  },
};
