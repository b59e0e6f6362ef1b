import type { SipMessage } from '../message/index.ts';
import { PATCHES } from './catalogue/index.ts';
import { compile, hasBodyToRead, looksAtBody } from './conditions/index.ts';
import type { Condition, Finder } from './conditions/index.ts';
import type { Patch } from './patch.ts';
import { stateOfPatch } from './state.ts';
import type { Server } from './state.ts';

/** A message that some software would stumble over. */
export interface PatchHit {
  readonly patch: Patch;
  /** Byte of the message at which it was seen. */
  readonly offset: number;
}

interface Test {
  readonly find: Finder;
  readonly needsBody: boolean;
  /** Patches with the same condition share one look. */
  readonly patches: readonly Patch[];
}

const testsOf = (patches: readonly Patch[]): readonly Test[] => {
  const byCondition = new Map<string, { condition: Condition; patches: Patch[] }>();
  for (const patch of patches) {
    const key = JSON.stringify(patch.condition);
    const same = byCondition.get(key);
    if (same === undefined) byCondition.set(key, { condition: patch.condition, patches: [patch] });
    else same.patches.push(patch);
  }
  return [...byCondition.values()].map(({ condition, patches: its }) => ({
    find: compile(condition),
    needsBody: looksAtBody(condition),
    patches: its,
  }));
};

const NONE: readonly PatchHit[] = [];

export interface Whole {
  /** The door handed over the first part of the message only: what is missing proves nothing. */
  readonly cut?: boolean;
}

/** A function that names the patches whose condition a message fits; most messages fit none, and allocate nothing. */
export const createPatchFinder = (
  patches: readonly Patch[],
): ((message: SipMessage, whole?: Whole) => readonly PatchHit[]) => {
  const tests = testsOf(patches);
  const looksAtBodies = tests.some(({ needsBody }) => needsBody);
  return (message, whole) => {
    const cut = whole?.cut === true;
    // the last line may be cut as well
    if (cut && !message.complete) return NONE;
    const noBody = cut || (looksAtBodies && !hasBodyToRead(message));
    let hits: PatchHit[] | undefined;
    for (let index = 0; index < tests.length; index += 1) {
      const test = tests[index]!;
      if (noBody && test.needsBody) continue;
      const offset = test.find(message);
      if (offset < 0) continue;
      hits ??= [];
      for (const patch of test.patches) hits.push({ patch, offset });
    }
    return hits ?? NONE;
  };
};

const findAny = createPatchFinder(PATCHES);

/** @returns the patches that a message fits, and that are on by themselves for this server; without one, all that fit */
export const findPatches = (message: SipMessage, server?: Server, whole?: Whole): readonly PatchHit[] => {
  const hits = findAny(message, whole);
  return hits.length === 0 || server === undefined ? hits : hits.filter(({ patch }) => stateOfPatch(patch, server).on);
};
