import type { Facts, SipView } from '../../model/index.ts';
import { Features, readLengths, TEXT_FEATURES, textOf, type TextFeature } from './features.ts';
import { firstValue, isHeader } from './headers.ts';
import { lengthsOf, type Lengths } from './lengths.ts';
import { compileLike } from './like.ts';
import type { MatchConditions, PackEntry, PlainTest, TextTest, ToolPack } from './pack-schema.ts';
import { MIN_SIPVICIOUS_CHARS } from './sipvicious-tag.ts';

type Condition = (features: Features) => boolean;
type ToolMark = NonNullable<Facts['fingerprint']>;

/** Finds the entry that a message matches, the one with the lowest risk of a false alarm first; null when none does. */
export type ToolMatcher = (sip: SipView) => ToolMark | null;

const COOKIE = /^z9hG4bK-*/;
const RISKS = ['low', 'medium', 'high'] as const;

type TextCheck = (value: string) => boolean;

const both =
  (one: TextCheck, other: TextCheck): TextCheck =>
  (value) =>
    one(value) && other(value);

/** Capitals in a pattern of any case: what is folded never has one. */
const foldedLike = (pattern: string): TextCheck => compileLike(pattern.toLowerCase());

const compilePlain = (test: PlainTest): TextCheck => {
  const folded = test.any_case;
  const fold = (text: string): string => (folded ? text.toLowerCase() : text);
  const checks: TextCheck[] = [];
  const { is, one_of: oneOf, starts, ends, contains, like } = test;
  if (is !== undefined) {
    const wanted = fold(is);
    // the length first: nothing is copied for the many that differ
    checks.push((value) => value.length === wanted.length && fold(value) === wanted);
  }
  if (oneOf !== undefined) {
    const wanted = new Set(oneOf.map(fold));
    checks.push((value) => wanted.has(fold(value)));
  }
  if (starts !== undefined) {
    const wanted = fold(starts);
    checks.push(
      folded ? (value) => fold(value.slice(0, wanted.length)) === wanted : (value) => value.startsWith(wanted),
    );
  }
  if (ends !== undefined) {
    const wanted = fold(ends);
    checks.push((value) => value.length >= wanted.length && fold(value.slice(-wanted.length)) === wanted);
  }
  if (contains !== undefined) {
    const wanted = fold(contains);
    checks.push((value) => value.length >= wanted.length && fold(value).includes(wanted));
  }
  if (like !== undefined) {
    const check = folded ? foldedLike(like) : compileLike(like);
    checks.push(folded ? (value) => check(value.toLowerCase()) : check);
  }
  return checks.length === 0 ? () => true : checks.reduce(both);
};

const compileText = (test: TextTest): TextCheck => {
  const holds = compilePlain(test);
  if (!('not' in test) || test.not === undefined) return holds;
  const fails = compilePlain(test.not);
  return (value) => holds(value) && !fails(value);
};

const comparableOf = (name: TextFeature | 'branch_value'): ((features: Features) => string) =>
  name === 'branch_value' ? ({ sip }) => sip.viaBranch.replace(COOKIE, '') : textOf(name);

const hasHeader = ({ headers }: SipView, full: string): boolean => headers.some(({ name }) => isHeader(name, full));

const inOrder = ({ headers }: SipView, names: readonly string[]): boolean => {
  let next = 0;
  for (const { name } of headers) {
    if (isHeader(name, names[next] ?? '')) next += 1;
    if (next === names.length) return true;
  }
  return false;
};

/** One comparison, or a walk over the value. */
const costOf = (test: TextTest | undefined): number =>
  test?.is !== undefined && !('not' in test && test.not !== undefined) ? 0 : 1;

/** The conditions, cheap ones first: most messages fail the first one. */
const compileMatch = (match: MatchConditions): readonly Condition[] => {
  const { header, has, lacks, order, cseq, same, sipvicious_tag: tags, tricks, wire, ...texts } = match;
  const conditions: Condition[] = [];
  if (cseq !== undefined) conditions.push(({ sip }) => sip.cseq >= cseq.min && sip.cseq <= cseq.max);
  if (tricks !== undefined) conditions.push(({ sip }) => tricks.every((trick) => sip.tricks.includes(trick)));
  const tests = Object.entries(texts) as [TextFeature, TextTest | undefined][];
  for (const [name, test] of tests.toSorted(([, a], [, b]) => costOf(a) - costOf(b))) {
    if (test === undefined) continue;
    const [read, holds] = [textOf(name), compileText(test)];
    conditions.push((features) => holds(read(features)));
  }
  if (tags !== undefined) conditions.push((features) => tags.includes(features.sipvicious));
  for (const [one, other] of same ?? []) {
    const [left, right] = [comparableOf(one), comparableOf(other)];
    conditions.push((features) => {
      const value = left(features);
      return value !== '' && value === right(features);
    });
  }
  for (const [name, test] of Object.entries(header ?? {})) {
    const holds = compileText(test);
    conditions.push(({ sip }) => holds(firstValue(sip.headers, name)));
  }
  if (has !== undefined) conditions.push(({ sip }) => has.every((name) => hasHeader(sip, name)));
  if (lacks !== undefined) conditions.push(({ sip }) => !lacks.some((name) => hasHeader(sip, name)));
  if (order !== undefined) conditions.push(({ sip }) => inOrder(sip, order));
  if (wire !== undefined) conditions.push((features) => wire.includes(features.wire));
  return conditions;
};

/** Entries in force: a later pack replaces one by its name, or switches it off. */
export const entriesOf = (packs: readonly ToolPack[]): readonly PackEntry[] => {
  const entries = new Map<string, PackEntry>();
  for (const { off, entries: own } of packs) {
    for (const name of off) entries.delete(name);
    for (const entry of own) entries.set(entry.name, entry);
  }
  return [...entries.values()];
};

const isBound = (own: Lengths | undefined): own is Lengths =>
  own !== undefined && (own.least > 0 || own.most < Number.POSITIVE_INFINITY);

/** Entries that one number stands for, a bit each. */
const BITS = 32;

/** Of a text, for each length that it may have, the entries that are left: `words` numbers a length. Whatever is longer stands last. */
interface Row {
  readonly text: number;
  readonly masks: Int32Array;
  readonly longest: number;
}

const rowOf = (name: TextFeature, bounds: readonly (Lengths | undefined)[], words: number): Row => {
  const ends = bounds.flatMap((own) => (own === undefined ? [] : [own.least, own.most])).filter(Number.isFinite);
  const longest = Math.max(...ends) + 1;
  const masks = new Int32Array((longest + 1) * words).fill(-1);
  for (const [entry, own] of bounds.entries()) {
    if (own === undefined) continue;
    for (let length = 0; length <= longest; length += 1)
      if (length < own.least || length > own.most)
        masks[length * words + (entry >> 5)]! &= ~(1 << (entry & (BITS - 1)));
  }
  return { text: TEXT_FEATURES.indexOf(name), masks, longest };
};

/** How long a text has to be. The tags of sipvicious are found in tags of some length only. */
const boundOf = (match: MatchConditions, name: TextFeature): Lengths | undefined => {
  const test = match[name];
  const bound = test === undefined ? undefined : lengthsOf(test);
  const { sipvicious_tag: tags } = match;
  if (name !== 'from_tag' || tags === undefined || tags.includes('none')) return bound;
  return { least: Math.max(bound?.least ?? 0, MIN_SIPVICIOUS_CHARS), most: bound?.most ?? Number.POSITIVE_INFINITY };
};

/**
 * Which entries a message may match by the lengths of its texts: a few numbers for each text, where every entry's
 * conditions would be some hundred calls, and its bounds one by one took as long as all else.
 */
const compileLengths = (matches: readonly MatchConditions[]): ((features: Features) => Int32Array) => {
  const words = Math.ceil(matches.length / BITS);
  const rows = TEXT_FEATURES.flatMap((name) => {
    const bounds = matches.map((match) => boundOf(match, name)).map((own) => (isBound(own) ? own : undefined));
    return bounds.every((own) => own === undefined) ? [] : [rowOf(name, bounds, words)];
  });
  const lengths = new Int32Array(TEXT_FEATURES.length);
  const left = new Int32Array(words);
  return (features) => {
    readLengths(features, lengths);
    left.fill(-1);
    for (let index = 0; index < rows.length; index += 1) {
      const { text, masks, longest } = rows[index]!;
      const at = Math.min(lengths[text]!, longest) * words;
      for (let word = 0; word < words; word += 1) left[word]! &= masks[at + word]!;
    }
    return left;
  };
};

const holdAll = (conditions: readonly Condition[], features: Features): boolean => {
  for (let index = 0; index < conditions.length; index += 1) if (!conditions[index]!(features)) return false;
  return true;
};

/** Compiles packs once; what comes out only compares. */
export const compileTools = (packs: readonly ToolPack[]): ToolMatcher => {
  const entries = entriesOf(packs).toSorted((a, b) => RISKS.indexOf(a.risk) - RISKS.indexOf(b.risk));
  const compiled = entries.map(({ name, tool, detail, risk, match }) => ({
    mark: Object.freeze({ entry: name, tool, detail, risk }),
    conditions: compileMatch(match),
  }));
  const mayMatch = compileLengths(entries.map(({ match }) => match));
  return (sip) => {
    const features = new Features(sip);
    const left = mayMatch(features);
    for (let word = 0; word < left.length; word += 1) {
      // the lowest bit first: entries stand in the order of their risk
      for (let bits = left[word]!; bits !== 0; bits &= bits - 1) {
        const entry = word * BITS + (BITS - 1 - Math.clz32(bits & -bits));
        if (entry >= compiled.length) break;
        const { mark, conditions } = compiled[entry]!;
        if (holdAll(conditions, features)) return mark;
      }
    }
    return null;
  };
};
