import { z } from 'zod';
import { isSection } from './layers.ts';
import type { Settings } from './layers.ts';
import { spanMs } from './duration.ts';

/** Few knobs, for who knows them from elsewhere. What they set can be set one by one as well, which then counts. */
export const PROFILES = ['standard', 'simple', 'per-minute', 'responsive'] as const;

const failures = z.int().min(2).max(30);
const spanText = z.string().refine((text) => spanMs.safeParse(text).success, {
  message: 'must be a duration: write for example 90s, 15m, 4h or 7d',
});

/** `max_failures` failures of a source within `find_time` ban it for `ban_time`. */
export const simpleSchema = z.strictObject({
  max_failures: failures.default(5).describe('failed passwords within find_time, nobody there ever authenticated'),
  find_time: spanText.default('10m').describe('in what time they are counted'),
  ban_time: spanText.default('1h').describe('the first ban; each further one doubles it'),
});

/** As sipPROT's blocking rule: so many unauthorised REGISTER a minute. */
export const perMinuteSchema = z.strictObject({
  registers: failures
    .default(10)
    .describe('failed passwords of one user at one source within a minute; who has no credentials yet is no failure'),
  ban_time: spanText.default('10m').describe('the first ban; each further one doubles it'),
});

/** As the responsive firewall of FreePBX: strangers get a small admission, whoever registers is free of it. */
const RESPONSIVE: Settings = {
  decide: { ban_time: '24h', quarantine_time: '1m' },
  detect: {
    density: { requests: 10, window: '1m' },
    enumeration: { distinct: 10, sequence: 5 },
    digest_guessing: { guess_failures: 10, guess_window: '1m' },
  },
};

const partOf = <T>(schema: z.ZodType<T>, value: unknown): T | undefined => {
  const parsed = schema.safeParse(isSection(value) ? value : {});
  return parsed.success ? parsed.data : undefined; // what is wrong is told by the schema of the whole file
};

/** The settings that a profile stands for, below those that the file names. */
export const profileSettings = (settings: Settings): Settings => {
  switch (settings['profile']) {
    case 'simple': {
      const part = partOf(simpleSchema, settings['simple']);
      if (part === undefined) return {};
      const guessing = {
        guess_failures: part.max_failures,
        guess_window: part.find_time,
        spray_users: part.max_failures,
        spray_window: part.find_time,
      };
      return { decide: { ban_time: part.ban_time }, detect: { digest_guessing: guessing } };
    }
    case 'per-minute': {
      const part = partOf(perMinuteSchema, settings['per_minute']);
      if (part === undefined) return {};
      return {
        decide: { ban_time: part.ban_time },
        detect: { digest_guessing: { guess_failures: part.registers, guess_window: '1m' } },
      };
    }
    case 'responsive':
      return RESPONSIVE;
    default:
      return {};
  }
};
