import { z } from 'zod';
import type { AuthOutcome, Finding, RegisteredOutcome } from '../../model/index.ts';
import { NO_FINDINGS, type DetectorKind } from '../base/detector.ts';
import { durationSetting } from '../base/duration-setting.ts';
import { isExempt } from '../base/exempt.ts';
import { SourceKey } from '../base/source-key.ts';
import { SourceTable } from '../base/source-table.ts';

/** Counted in a byte. */
const MAX_REFUSALS = 255;

const configSchema = z.strictObject({
  enabled: z.boolean().default(true).describe('switch the detector off'),
  failures: z
    .int()
    .min(1)
    .max(MAX_REFUSALS)
    .default(3)
    .describe('refusals in a row of a user that was accepted there before'),
  memory: durationSetting('30d').describe('how long an acceptance is remembered'),
  repeat: durationSetting('6h').describe('the operator is told of a device once in this time'),
  max_devices: z.int().min(1).max(1_000_000).default(100_000).describe('pairs of address and user remembered'),
});

const MAX_SHOWN_USER_CHARS = 40;
const DAY_MS = 86_400_000;

const REFUSED: ReadonlySet<string> = new Set(['wrong-password', 'unknown-user', 'user-mismatch']);

const agoText = (ms: number): string =>
  ms >= DAY_MS
    ? `${Math.round(ms / DAY_MS)} d`
    : ms >= 3_600_000
      ? `${Math.round(ms / 3_600_000)} h`
      : `${Math.ceil(ms / 60_000)} min`;

/**
 * A user that was accepted from this address, and is refused there now: its password was changed, or its extension
 * deleted, before anybody told the phone. Somebody should go there; nobody should be banned for it. Only what is proven
 * counts, so that nobody else can raise it.
 */
export const staleDevice: DetectorKind<typeof configSchema> = {
  id: 'stale-device',
  configSchema,
  create(config) {
    const key = new SourceKey();
    const devices = new SourceTable(config.max_devices);
    const acceptedAt = devices.numbers();
    const toldAt = devices.numbers();
    const refusals = devices.bytes();
    /** Refused often enough for the operator to be told, and the operator was. */
    const isTold = (slot: number): boolean => toldAt[slot] !== 0 && refusals[slot]! >= config.failures;

    const notice = (outcome: AuthOutcome | RegisteredOutcome, evidence: string, ends: boolean): Finding => ({
      rule: 'digest.stale-device',
      family: 'notice',
      accused: { kind: 'user', user: outcome.user, port: outcome.source.port },
      tier: outcome.tier,
      points: 1,
      evidence: `user '${outcome.user.slice(0, MAX_SHOWN_USER_CHARS)}' ${evidence}`,
      ...(ends ? { ends } : {}),
    });

    const onAccepted = (outcome: AuthOutcome | RegisteredOutcome): readonly Finding[] => {
      const slot = devices.take(key.read(`${outcome.source.identity} ${outcome.user}`));
      const told = isTold(slot);
      acceptedAt[slot] = outcome.at;
      refusals[slot] = 0;
      toldAt[slot] = 0;
      return told ? [notice(outcome, 'is accepted again', true)] : NO_FINDINGS;
    };

    const onRefused = (outcome: AuthOutcome): readonly Finding[] => {
      const slot = devices.find(key.read(`${outcome.source.identity} ${outcome.user}`));
      const ago = slot < 0 ? Infinity : outcome.at - acceptedAt[slot]!;
      if (ago > config.memory) return NO_FINDINGS;
      if (refusals[slot]! < MAX_REFUSALS) refusals[slot]! += 1;
      if (refusals[slot]! < config.failures) return NO_FINDINGS;
      if (toldAt[slot] !== 0 && outcome.at - toldAt[slot]! < config.repeat) return NO_FINDINGS;
      toldAt[slot] = outcome.at;
      const why = outcome.result === 'unknown-user' ? 'its extension is gone' : 'its password is no longer right';
      return [notice(outcome, `was accepted here ${agoText(ago)} ago, and is refused: ${why}`, false)];
    };

    return {
      id: 'stale-device',
      detect(event, facts) {
        if (event.kind !== 'outcome' || event.tier !== 'proven') return NO_FINDINGS;
        if (event.type === 'registered') return event.expiresSeconds === 0 ? NO_FINDINGS : onAccepted(event);
        if (event.type !== 'auth') return NO_FINDINGS;
        if (event.result === 'ok') return onAccepted(event);
        return REFUSED.has(event.result) && !isExempt(facts) ? onRefused(event) : NO_FINDINGS;
      },
      tables: () => ({ 'stale-device.devices': devices.stats }),
    };
  },
};
