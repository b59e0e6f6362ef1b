import type { VersionRange } from './patch.ts';

/** Numbers of a version; what follows them (`-rc1`, `(x86_64/linux)`) is left out. Empty for anything else. */
const numbersOf = (version: string): readonly number[] =>
  (/\d{1,6}(?:\.\d{1,6}){0,3}/.exec(version.slice(0, 100))?.[0] ?? '').split('.').filter(Boolean).map(Number);

/** Below, equal or above zero as `a` is older than, the same as or newer than `b`. */
export const compareVersions = (a: string, b: string): number => {
  const left = numbersOf(a);
  const right = numbersOf(b);
  for (let part = 0; part < Math.max(left.length, right.length); part += 1) {
    const difference = (left[part] ?? 0) - (right[part] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
};

/** True for text that holds a version at all. */
export const isVersion = (version: string): boolean => numbersOf(version).length > 1;

export const isInRange = (version: string, { from, fixed, last }: VersionRange): boolean =>
  (from === undefined || compareVersions(version, from) >= 0) &&
  (fixed === undefined || compareVersions(version, fixed) < 0) &&
  (last === undefined || compareVersions(version, last) <= 0);

const rangeText = ({ from, fixed, last }: VersionRange): string => {
  const end = fixed === undefined ? (last === undefined ? undefined : `to ${last}`) : `before ${fixed}`;
  if (from === undefined) return end ?? 'all versions';
  return end === undefined ? `from ${from}` : `${from} ${end}`;
};

/** `5.1 before 5.1.2, 5.0 before 5.0.6`, for people. */
export const versionsText = (affected: readonly VersionRange[] | 'unknown'): string =>
  affected === 'unknown' ? 'unknown versions' : affected.map(rangeText).join(', ');
