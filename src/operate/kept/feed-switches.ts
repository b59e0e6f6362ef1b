import { z } from 'zod';
import type { FeedSwitch } from '../../model/index.ts';
import type { Keepsake } from './kept.ts';

/** It lasts until somebody says something else: the largest time that a Date can hold. */
const NEVER_MS = 8.64e15;

const shape = z.object({ on: z.boolean(), by: z.string().max(200), configured: z.boolean() });

/** Feeds that were switched by hand, by name. */
export const createFeedSwitches = (changed: (name: string) => void) => {
  const switches = new Map<string, FeedSwitch>();
  const keepsake: Keepsake = {
    kind: 'feed',
    memoOf(name) {
      const found = switches.get(name);
      if (found === undefined) return undefined;
      const { at, ...body } = found;
      return { at, until: NEVER_MS, body: JSON.stringify(body) };
    },
    restore({ key, at, body }) {
      if (!switches.has(key)) switches.set(key, { at, ...shape.parse(JSON.parse(body)) });
    },
  };
  return {
    keepsake,
    of: (name: string): FeedSwitch | undefined => switches.get(name),
    names: (): readonly string[] => [...switches.keys()],
    put(name: string, to: FeedSwitch): void {
      switches.set(name, to);
      changed(name);
    },
    drop(name: string): void {
      if (switches.delete(name)) changed(name);
    },
  };
};
