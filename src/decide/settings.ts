import { z } from 'zod';
import { parseDuration } from '../model/index.ts';

/** `90s`, `15m`, `4h`, `7d` → milliseconds. */
const duration = z.string().transform((text, context): number => {
  try {
    const ms = parseDuration(text);
    if (ms !== null) return ms;
  } catch {
    // reported below, with the position in the file
  }
  context.addIssue({
    code: 'custom',
    message: `'${text.slice(0, 40)}' is not a duration; write for example 90s, 15m, 4h, 7d`,
  });
  return z.NEVER;
});

const MAX_BAN_TIMES = 100;

const banTimes = z
  .record(
    z
      .string()
      .regex(
        /^[a-z][a-z-]{0,31}(?:\.[a-z-]{1,32})?$/,
        "must be a rule or the part before its dot; 'companion explain rules' lists them",
      ),
    duration,
  )
  .refine((times) => Object.keys(times).length <= MAX_BAN_TIMES, `holds more than ${MAX_BAN_TIMES} rules`);

/** First rung where nobody set one. */
const DEFAULT_BAN_TIME = '1h';

/** Who tries names is back within the hour: two, as sipPROT and SIP Guardian have it. */
const DEFAULT_BAN_TIMES: Readonly<Record<string, number>> = { enumeration: 7_200_000 };

/** The first rung for a rule: its own, its family's, ours while `ban_time` is ours too, `ban_time`. */
export const firstBanOf = (
  rule: string,
  { ban_time, ban_times }: Pick<DecideSettings, 'ban_time' | 'ban_times'>,
): number => {
  const family = rule.split('.', 1)[0] ?? '';
  const ours = ban_time === parseDuration(DEFAULT_BAN_TIME) ? DEFAULT_BAN_TIMES[family] : undefined;
  return ban_times[rule] ?? ban_times[family] ?? ours ?? ban_time;
};

/** How hard to judge. Every default is meant to be left on. */
export const decideSchema = z.strictObject({
  /** First rung of the ladder; each further ban of the same source doubles it. */
  ban_time: duration.prefault(DEFAULT_BAN_TIME).describe('first rung of the ladder; each further ban doubles it'),
  /** First rung for bans by certain rules, `enumeration.distinct`, or families of them; `enumeration: 2h` while ban_time is 1h. */
  ban_times: banTimes
    .prefault({})
    .describe('first ban by a rule or a family of rules; enumeration: 2h while ban_time is 1h'),
  ban_time_max: duration.prefault('7d'),
  /** After this long without a ban a source starts at the first rung again. */
  ladder_decay: duration.prefault('14d').describe('after this long without a ban it starts at the first rung'),
  /** The N-th proven ban has no end (an entry of the deny list). 0: never. */
  permanent_after: z.int().min(0).max(100).prefault(0).describe('the N-th proven ban has no end; 0: never'),
  quarantine_time: duration.prefault('10m'),
  throttle_time: duration.prefault('10m'),
  /** Requests a second of a throttled (proven) source. */
  throttle_per_second: z.int().min(1).max(10_000).prefault(10),
  /** Time in which a full score (100 points) fades to nothing. */
  score_decay: duration.prefault('10m'),
  /** A source with more known-good users than this is quarantined instead of banned. */
  ban_with_good_users: z.int().min(0).max(1_000).prefault(0),
  /** Ban private addresses as well. Off: behind a load balancer, NAT gateway or container bridge they are everybody. */
  ban_private: z.boolean().prefault(false),
  /** An address that carries this share of all known-good users stands for a proxy: never banned. */
  proxy_share: z.number().min(0.01).max(1).prefault(0.3),
  /** What evidence counts at an address where a decision seems to have hit a customer, and for how long. 1: as all others. */
  false_alarm_weight: z
    .number()
    .min(0.1)
    .max(1)
    .prefault(0.5)
    .describe('what evidence counts where a decision seems to have hit a customer'),
  false_alarm_time: duration.prefault('7d').describe('for how long'),
  max_sources: z.int().min(1_000).max(10_000_000).prefault(100_000),
  max_bans: z.int().min(100).max(1_000_000).prefault(200_000),
  max_quarantined: z.int().min(100).max(1_000_000).prefault(50_000),
  max_throttled: z.int().min(100).max(1_000_000).prefault(50_000),
  max_good: z.int().min(100).max(1_000_000).prefault(100_000),
});

export type DecideSettings = z.output<typeof decideSchema>;
