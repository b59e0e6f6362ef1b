import { CompanionError } from './errors.ts';

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** Ten years. A larger number is more likely a slip than a wish; `permanent` says it plainly. */
const MAX_DURATION_MS = 3_650 * UNIT_MS.d;

/**
 * Reads `90s`, `15m`, `4h`, `7d`, `2w`, combinations like `1h30m`, or `permanent`.
 * @returns milliseconds, or null for `permanent`.
 * @throws CompanionError DURATION_INVALID
 */
export const parseDuration = (text: string): number | null => {
  if (text === 'permanent') return null;
  const invalid = (): CompanionError =>
    new CompanionError(
      'DURATION_INVALID',
      `Cannot read the duration '${text.slice(0, 40)}'. Write for example 90s, 15m, 4h, 7d or permanent.`,
    );
  if (text.length > 40 || !/^(\d{1,9}[smhdw])+$/.test(text)) throw invalid();
  let total = 0;
  for (const [, digits, unit] of text.matchAll(/(\d+)([smhdw])/g)) {
    total += Number(digits) * UNIT_MS[unit as keyof typeof UNIT_MS];
  }
  if (total <= 0 || total > MAX_DURATION_MS) throw invalid();
  return total;
};

/** Milliseconds as `4h`, `1h30m`, `45s` (two largest units, rounded down to whole seconds); null as `permanent`. */
export const formatDuration = (ms: number | null): string => {
  if (ms === null) return 'permanent';
  let rest = Math.max(0, Math.floor(ms / 1_000));
  const parts: string[] = [];
  for (const [unit, seconds] of [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
    ['s', 1],
  ] as const) {
    const count = Math.floor(rest / seconds);
    if (count > 0 && parts.length < 2) parts.push(`${count}${unit}`);
    rest -= count * seconds;
  }
  return parts.length > 0 ? parts.join('') : '0s';
};
