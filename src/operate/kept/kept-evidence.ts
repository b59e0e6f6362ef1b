import { z } from 'zod';
import type { LastShapes } from '../insight/last-shapes.ts';
import type { RecentUse } from '../insight/recent-use.ts';
import type { Samples } from '../insight/samples.ts';
import type { Keepsake } from './kept.ts';

/** Messages quote people's names and addresses: they are not kept for ever. */
const EVIDENCE_MS = 30 * 86_400_000;

const name = z.string().max(128);
const shape = z.object({
  node: z.string().max(200),
  text: z.string().max(4_096),
  ip: z.string().max(45),
  callId: name,
  users: z.array(name).max(4),
  shapes: z
    .array(
      z.object({
        id: z.string().max(40),
        method: name,
        tool: z.string().max(200),
        entry: z.string().max(200),
        at: z.number(),
      }),
    )
    .max(8),
});

/** The message by which an address was decided against, how its messages were built, and whom it said to be. */
export const keptEvidence = (
  parts: { readonly samples: Samples; readonly shapes: LastShapes; readonly recent: RecentUse },
  changed: (identity: string) => void,
): Keepsake => {
  const { samples, shapes, recent } = parts;
  samples.watch(changed);
  return {
    kind: 'evidence',
    memoOf(key) {
      const sample = samples.decidedOf(key);
      if (sample === undefined) return undefined;
      const { at, node, text, ip, callId, users } = sample;
      return {
        at,
        until: at + EVIDENCE_MS,
        body: JSON.stringify({ node, text, ip, callId, users, shapes: shapes.of(key) }),
      };
    },
    restore({ key, at, body }) {
      const { shapes: seen, ...sample } = shape.parse(JSON.parse(body));
      samples.restore(key, { at, decided: true, ...sample });
      shapes.restore(key, seen);
      recent.restore({ at, ...sample });
    },
  };
};
