/** Settings that can be changed while the service runs. */
export interface Swap<C> {
  /** Path of the settings that it covers, e.g. `log` or `decide.ban_time`; the first that fits counts. */
  readonly covers: RegExp;
  /** Takes the new settings over. May throw only before it has changed anything. */
  readonly apply: (next: C) => void;
}

export interface ReloadResult {
  readonly changed: readonly string[];
  readonly needRestart: readonly string[];
}

const isSection = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every setting by its path: `decide.ban_time` → JSON. Lists are one setting. */
const flatten = (value: unknown, path = '', into = new Map<string, string>()): Map<string, string> => {
  if (isSection(value)) {
    for (const [key, inner] of Object.entries(value)) flatten(inner, path === '' ? key : `${path}.${key}`, into);
  } else into.set(path, JSON.stringify(value) ?? '');
  return into;
};

/**
 * Reads the configuration again and swaps what can be swapped. Nothing is touched when the new one is wrong.
 * @param read reads and checks the whole configuration; what it throws is thrown on
 * @returns the function that does it; it names what changed, and what differs from the running service and needs a restart
 */
export const createReload = <C>(current: C, read: () => C, swaps: readonly Swap<C>[]): (() => ReloadResult) => {
  const running = flatten(current);
  return () => {
    const next = read();
    const wanted = flatten(next);
    const differing = [...new Set([...running.keys(), ...wanted.keys()])].filter(
      (path) => running.get(path) !== wanted.get(path),
    );
    const due = new Set<Swap<C>>();
    const changed: string[] = [];
    const needRestart: string[] = [];
    for (const path of differing) {
      const swap = swaps.find(({ covers }) => covers.test(path));
      if (swap === undefined) needRestart.push(path);
      else {
        due.add(swap);
        changed.push(path);
      }
    }
    for (const swap of swaps) if (due.has(swap)) swap.apply(next);
    for (const path of changed) {
      const value = wanted.get(path);
      if (value === undefined) running.delete(path);
      else running.set(path, value);
    }
    return { changed, needRestart };
  };
};
