import { LRUCache } from 'lru-cache';
import { wireIdOf, type ToolMatcher } from '../../enrich/index.ts';
import type { EpochMs, Outcome, Request, ShapeSeen } from '../../model/index.ts';

/** Strangers whose shapes are remembered, and how many of each: a tool has one for each kind of request. */
const MAX_SOURCES = 20_000;
const MAX_SHAPES = 4;
const MAX_METHOD_CHARS = 20;

/** A source's first messages are looked at, then one in this time. */
const FIRST_LOOKS = 4;
const LOOK_EVERY_MS = 1_000;

/** Messages of all sources that are looked at in a second: a flood from random sources is not worth more. */
const MAX_LOOKS_PER_SECOND = 500;

interface Seen {
  looks: number;
  nextAt: EpochMs;
  readonly shapes: ShapeSeen[];
}

/** How the messages of strangers were built, for `why`. */
export interface LastShapes {
  see(event: Request | Outcome): void;
  /** Newest last. */
  of(identity: string): readonly ShapeSeen[];
  /** Shapes of before a restart; those that came since stay. */
  restore(identity: string, shapes: readonly ShapeSeen[]): void;
}

export const createLastShapes = (toolOf: ToolMatcher): LastShapes => {
  const sources = new LRUCache<string, Seen>({ max: MAX_SOURCES });
  let second = -1;
  let looks = 0;
  const mayLook = (at: EpochMs): boolean => {
    const now = Math.floor(at / 1_000);
    if (now !== second) {
      second = now;
      looks = 0;
    }
    looks += 1;
    return looks <= MAX_LOOKS_PER_SECOND;
  };
  return {
    see(event) {
      if (event.kind !== 'request' || event.standing === 'good' || event.standing === 'in-dialog') return;
      const { at, sip } = event;
      const known = sources.get(event.source.identity);
      if ((known !== undefined && known.looks >= FIRST_LOOKS && at < known.nextAt) || !mayLook(at)) return;
      const seen = known ?? { looks: 0, nextAt: 0, shapes: [] };
      if (known === undefined) sources.set(event.source.identity, seen);
      seen.looks += 1;
      seen.nextAt = at + LOOK_EVERY_MS;
      const id = wireIdOf(sip);
      const index = seen.shapes.findIndex((shape) => shape.id === id);
      if (index >= 0) seen.shapes.splice(index, 1);
      else if (seen.shapes.length >= MAX_SHAPES) seen.shapes.shift();
      const tool = toolOf(sip);
      const method = sip.method.slice(0, MAX_METHOD_CHARS);
      seen.shapes.push({ id, method, tool: tool?.tool ?? '', entry: tool?.entry ?? '', at });
    },
    of: (identity) => sources.peek(identity)?.shapes ?? [],
    restore(identity, shapes) {
      if (!sources.has(identity)) sources.set(identity, { looks: 0, nextAt: 0, shapes: shapes.slice(-MAX_SHAPES) });
    },
  };
};
