import { inThread } from '../thread.ts';
import type { Protected } from './protection.ts';
import { sift } from './sift.ts';
import type { Sifted } from './sift.ts';
import type { SiftTask } from './sift-thread.ts';

/**
 * Leaves out of a feed what it must not hit, before it enters. In: lines of a list, what is protected. Out: a table of the
 * rest, and what was left out. Long lists are sifted in a thread.
 */
export { coveredBy, excessOf, leapOf, sizeOf } from './coverage.ts';
export type { Covered } from './coverage.ts';
export { createProtection, isWide } from './protection.ts';
export type { Protected, Protection } from './protection.ts';
export { MAX_NAMED_HITS } from './sift.ts';
export type { Sifted } from './sift.ts';

/** Shorter lists take less than some ten milliseconds. */
const SHORT_BYTES = 100_000;
const SHORT_SUBJECTS = 5_000;

const lineOf = ({ subject, what }: Protected): string => `${subject}\t${what.replaceAll(/[\t\n]/g, ' ')}`;

const threadUrl = (): URL =>
  new URL(import.meta.url.endsWith('.ts') ? './sift-thread.ts' : './sift-thread.js', import.meta.url);

/** As `sift`, elsewhere when it is long. Rejects with an Error in a few words. */
export const siftList = async (name: string, bytes: Uint8Array, subjects: readonly Protected[]): Promise<Sifted> => {
  if (bytes.length <= SHORT_BYTES && subjects.length <= SHORT_SUBJECTS) return sift(name, bytes, subjects);
  const task: SiftTask = { name, bytes, subjects: subjects.map(lineOf).join('\n') };
  return inThread<Sifted>(threadUrl(), task);
};
