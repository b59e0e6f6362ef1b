import { z } from 'zod';
import { CompanionError, parseDuration } from '../model/index.ts';

const HOW = 'write a duration with its unit, for example 90s, 15m, 4h or 7d';

/** YAML text such as `90s`, `1h30m` or `permanent` → milliseconds, or null for `permanent`. */
export const durationMs = z
  .string({ error: `must be a duration: ${HOW}, or permanent` })
  .transform((text, ctx): number | null => {
    try {
      return parseDuration(text);
    } catch (error) {
      if (!(error instanceof CompanionError)) throw error;
      ctx.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  });

/** As `durationMs`, for times that must end: `permanent` is refused. → milliseconds. */
export const spanMs = durationMs.transform((ms, ctx): number => {
  if (ms !== null) return ms;
  ctx.addIssue({ code: 'custom', message: `'permanent' makes no sense here: ${HOW}` });
  return z.NEVER;
});
