import { z } from 'zod';
import { ENOUGH_POINTS, provenTransport } from '../../model/index.ts';
import { NO_FINDINGS, type DetectorKind } from '../base/detector.ts';
import { durationSetting } from '../base/duration-setting.ts';
import { isExempt } from '../base/exempt.ts';
import { createOnce } from '../base/once.ts';

const points = z
  .int()
  .min(0)
  .max(ENOUGH_POINTS - 1);

const configSchema = z.strictObject({
  enabled: z.boolean().default(true).describe('switch the detector off'),
  datagram_points: points.default(5).describe('a datagram that is no SIP'),
  stream_points: points.default(20).describe('bytes on TCP, TLS or WS that are no SIP'),
  malformed_points: points.default(2).describe('SIP with a mistake: broken phones exist'),
  malformed_repeat: durationSetting('30s').describe('a source is accused of broken SIP once in this time'),
  max_sources: z.int().min(1).max(1_000_000).default(20_000).describe('sources of broken SIP remembered'),
});

/** Phones and NATs send these to keep a binding open (`jaK`, CRLF, NUL); nothing that short is SIP. */
const MAX_SHORT_BYTES = 4;

/** How far a message is searched for the version that every SIP start line carries. */
const START_LINE_BYTES = 1_024;

/** RFC 8489 section 5, at offset 4 of every STUN message. */
const STUN_MAGIC_COOKIE = Buffer.from([0x21, 0x12, 0xa4, 0x42]);

const isBlank = (byte: number): boolean => byte === 0 || byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);

/** The doors leave keep-alives out already; this room believes nobody where a customer could be hurt. */
const isKeepAlive = (bytes: Buffer): boolean =>
  bytes.length <= MAX_SHORT_BYTES ||
  (bytes.length >= 20 && bytes.subarray(4, 8).equals(STUN_MAGIC_COOKIE)) ||
  bytes.every(isBlank);

/**
 * Bytes that the server could not read as SIP. One such message is never enough, and a broken phone that repeats its
 * mistake for ever never adds up to anything.
 */
export const garbage: DetectorKind<typeof configSchema> = {
  id: 'garbage',
  configSchema,
  create(config) {
    const malformed = createOnce(config.max_sources, config.malformed_repeat);
    return {
      id: 'garbage',
      detect(event, facts) {
        if (event.kind !== 'outcome' || event.type !== 'parse-error' || isExempt(facts)) return NO_FINDINGS;
        if (isKeepAlive(event.bytes)) return NO_FINDINGS;
        const stream = provenTransport(event.source.transport);
        const sip = event.bytes.subarray(0, START_LINE_BYTES).includes('SIP/2.0');
        const weight = sip ? config.malformed_points : stream ? config.stream_points : config.datagram_points;
        if (weight === 0 || (sip && !malformed.due(event.source.identity, event.at))) return NO_FINDINGS;
        return [
          {
            rule: sip ? 'garbage.malformed' : 'garbage.not-sip',
            family: 'garbage',
            accused: { kind: 'source' },
            tier: event.tier,
            points: weight,
            evidence: `${event.sizeBytes} bytes on ${event.source.transport} that ${sip ? 'are broken SIP' : 'are not SIP'}`,
          },
        ];
      },
      tables: () => ({ 'garbage.malformed': malformed.stats }),
    };
  },
};
