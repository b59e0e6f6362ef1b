import type { ConfigPath } from './file/problem.ts';

/** A part of the configuration, as it would stand in the file. */
export type Settings = Readonly<Record<string, unknown>>;

/** One value that comes from the environment. */
export interface Override {
  readonly name: string;
  readonly path: ConfigPath;
  readonly value: unknown;
}

export const isSection = (value: unknown): value is Settings =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The upper settings on the lower ones: sections are merged, everything else is replaced. */
export const layered = (lower: unknown, upper: unknown): unknown => {
  if (upper === undefined) return lower;
  if (!isSection(lower) || !isSection(upper)) return upper;
  const merged = new Map(Object.entries(lower));
  for (const [key, value] of Object.entries(upper)) merged.set(key, layered(merged.get(key), value));
  return Object.fromEntries(merged); // which makes __proto__ a key like any other
};

/** `['http', 'listen']` and a value → `{http: {listen: value}}`. */
export const nested = (path: ConfigPath, value: unknown): unknown =>
  path.reduceRight((inner: unknown, key) => ({ [key]: inner }), value);

export const valueAt = (settings: unknown, path: ConfigPath): unknown =>
  path.reduce((value: unknown, key) => {
    if (Array.isArray(value)) return value[Number(key)] as unknown;
    return isSection(value) ? value[String(key)] : undefined;
  }, settings);
