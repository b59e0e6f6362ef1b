import type { EpochMs, ProofTier } from '../../model/index.ts';
import { readDialled, type Dialled } from './dial-prefixes.ts';
import { Hunts } from './hunts.ts';
import { longestRun, readNumber, type NumberedName, type Run } from './number-runs.ts';

/**
 * What became of one target of one source:
 * asked: requested without credentials. tried: credentials were sent, no result yet (a phone, a slow server).
 * refused: does not exist. A target that authenticates or answers is forgotten.
 */
export type TargetState = 'asked' | 'tried' | 'refused';

export interface Target {
  readonly name: string;
  readonly number: NumberedName | undefined;
  readonly firstSeen: EpochMs;
  readonly call: boolean;
  /** Of a call: the number, and what stands before it. */
  readonly dialled: Dialled | undefined;
  state: TargetState;
  tier: ProofTier;
  /** Of the last request (see `callMark`); 0: none. */
  callMark: number;
}

/** What a request or outcome says about a target. */
export type Seen = Pick<Target, 'call' | 'state' | 'tier' | 'callMark'>;

export const newTarget = (name: string, firstSeen: EpochMs, seen: Seen): Target => ({
  name,
  number: readNumber(name),
  dialled: seen.call ? readDialled(name) : undefined,
  firstSeen,
  ...seen,
});

/** What is new about a target that was asked for before. */
export const seeAgain = (target: Pick<Target, 'state' | 'tier' | 'callMark'>, seen: Seen): void => {
  if (seen.state === 'refused' || (seen.state === 'tried' && target.state === 'asked')) target.state = seen.state;
  if (seen.tier === 'proven') target.tier = 'proven';
  target.callMark = seen.callMark;
};

/**
 * Stands for a Call-ID, which may be a thousand characters long: 53 bits of it, 0 for none. Compared among the requests of
 * one source only.
 */
export const callMark = (callId: string): number => {
  if (callId === '') return 0;
  let high = 0x811c_9dc5;
  let low = 0x5bd1_e995;
  for (let index = 0; index < callId.length; index += 1) {
    const code = callId.charCodeAt(index);
    high = Math.imul(high ^ code, 0x0100_0193);
    low = Math.imul(low ^ code, 0x85eb_ca6b) ^ (low >>> 13);
  }
  return (high >>> 11) * 2 ** 32 + (low >>> 0) || 1;
};

/** One source's targets, oldest first, and what it did with them. */
export interface SourceTargets {
  readonly targets: Map<string, Target>;
  /** Undefined until it dials a number. */
  hunts: Hunts | undefined;
  /** None of them was first seen before. */
  oldest: EpochMs;
  /** Findings are not repeated before this. */
  quietUntil: EpochMs;
  /** Events that come before it is looked at again. */
  unlooked: number;
  /** When somebody last authenticated from here. */
  lastAuthenticated: EpochMs;
  /** When a callee last answered, was busy or declined. */
  lastAnswered: EpochMs;
  /** Telephone numbers that did, and when: the youngest last. */
  answered: Map<string, EpochMs> | undefined;
  last: EpochMs;
}

export const newSource = (): SourceTargets => ({
  targets: new Map(),
  hunts: undefined,
  oldest: -Infinity,
  quietUntil: -Infinity,
  unlooked: 0,
  lastAuthenticated: -Infinity,
  lastAnswered: -Infinity,
  answered: undefined,
  last: -Infinity,
});

/** Adds a target; @returns by how much more is remembered. */
export const addTarget = (source: SourceTargets, target: Target): number => {
  source.targets.set(target.name, target);
  if (target.dialled === undefined) return 1;
  source.hunts ??= new Hunts();
  return 1 + source.hunts.note(target.dialled, target.firstSeen, target.tier);
};

/** Answered numbers kept of one source. */
const MAX_ANSWERED = 64;

/** A telephone number was answered; @returns by how much more is remembered. */
export const addAnswered = (source: SourceTargets, name: string): number => {
  const answered = (source.answered ??= new Map());
  const before = answered.size;
  answered.delete(name);
  answered.set(name, source.last);
  if (answered.size > MAX_ANSWERED) answered.delete(answered.keys().next().value!);
  return answered.size - before;
};

/** Everything that is remembered of a source. */
export const weightOf = ({ targets, hunts, answered }: SourceTargets): number =>
  targets.size + (hunts?.size ?? 0) + (answered?.size ?? 0);

/** What a source's unanswered targets look like at one moment. */
export interface Census {
  readonly unanswered: readonly Target[];
  readonly rapid: readonly Target[];
}

/** Chooses the targets that count as unanswered, and as rapid fire. */
export const takeCensus = (
  targets: Iterable<Target>,
  at: EpochMs,
  rule: {
    readonly graceOf: (target: Target) => number;
    readonly rapidGraceOf: (target: Target) => number;
    readonly rapidWindowMs: number;
  },
): Census => {
  const unanswered: Target[] = [];
  const rapid: Target[] = [];
  for (const target of targets) {
    if (target.state === 'tried') continue;
    const age = at - target.firstSeen;
    const refused = target.state === 'refused';
    if (refused || age >= rule.graceOf(target)) unanswered.push(target);
    if (age < rule.rapidWindowMs && (refused || age >= rule.rapidGraceOf(target))) rapid.push(target);
  }
  return { unanswered, rapid };
};

/** The longest run of numbers among the targets; numbers behind different texts do not mix. */
export const findRun = (targets: readonly Pick<Target, 'number'>[]): Run => {
  const stems = new Map<string, Set<number>>();
  for (const { number } of targets) {
    if (number === undefined) continue;
    const numbers = stems.get(number.stem);
    if (numbers === undefined) stems.set(number.stem, new Set([number.number]));
    else numbers.add(number.number);
  }
  let best: Run = { length: 0, step: 0 };
  for (const numbers of stems.values()) {
    if (numbers.size <= best.length) continue;
    const run = longestRun(numbers);
    if (run.length > best.length) best = run;
  }
  return best;
};
