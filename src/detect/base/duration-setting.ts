import { z } from 'zod';
import { parseDuration } from '../../model/index.ts';

/** A setting like `90s` or `5m`, read into milliseconds. */
export const durationSetting = (preset: string) =>
  z
    .string()
    .transform((text, context): number => {
      try {
        const ms = parseDuration(text);
        if (ms !== null) return ms;
      } catch {
        // reported below, with the position in the file
      }
      const message = `'${text.slice(0, 40)}' is not a duration; write for example 90s, 15m, 4h, 7d`;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    })
    .prefault(preset);
