import type { Facts, SipView } from '../../model/index.ts';
import { Features, TEXT_FEATURES, textOf, type TextFeature } from './features.ts';
import { firstValue, isHeader } from './headers.ts';
import { lengthsOf } from './lengths.ts';
import { compileLike } from './like.ts';
import type { MatchConditions, PackEntry, PlainTest, TextTest, ToolPack } from './pack-schema.ts';

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
    checks.push((value) => fold(value.slice(0, wanted.length)) === wanted);
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

/** Tests of a text in a condition, by the name of the text. */
const textTestsOf = (match: MatchConditions): readonly (readonly [TextFeature, TextTest])[] =>
  TEXT_FEATURES.flatMap((name) => {
    const test = match[name];
    return test === undefined ? [] : [[name, test] as const];
  });

/**
 * Which entries a message may match by the lengths of its texts: numbers in a row, where every entry's conditions would be
 * some hundred calls. Each entry has its own `[text, least, most]`, of those texts that have a bound.
 */
const compileLengths = (matches: readonly MatchConditions[]) => {
  const bounded = matches.map((match) =>
    textTestsOf(match)
      .map(([name, test]) => ({ name, ...lengthsOf(test) }))
      .filter(({ least, most }) => least > 0 || most < Number.POSITIVE_INFINITY),
  );
  const names = [...new Set(bounded.flat().map(({ name }) => name))];
  const readers = names.map(textOf);
  const lengths = new Float64Array(names.length);
  const bounds = bounded.map((own) =>
    Float64Array.from(own.flatMap(({ name, least, most }) => [names.indexOf(name), least, most])),
  );
  return {
    read: (features: Features): void => {
      for (let text = 0; text < readers.length; text += 1) lengths[text] = readers[text]!(features).length;
    },
    mayMatch: (entry: number): boolean => {
      const own = bounds[entry]!;
      for (let at = 0; at < own.length; at += 3) {
        const length = lengths[own[at]!]!;
        if (length < own[at + 1]! || length > own[at + 2]!) return false;
      }
      return true;
    },
  };
};

/** Compiles packs once; what comes out only compares. */
export const compileTools = (packs: readonly ToolPack[]): ToolMatcher => {
  const entries = entriesOf(packs).toSorted((a, b) => RISKS.indexOf(a.risk) - RISKS.indexOf(b.risk));
  const compiled = entries.map(({ name, tool, detail, risk, match }) => ({
    mark: Object.freeze({ entry: name, tool, detail, risk }),
    conditions: compileMatch(match),
  }));
  const lengths = compileLengths(entries.map(({ match }) => match));
  return (sip) => {
    const features = new Features(sip);
    lengths.read(features);
    for (let entry = 0; entry < compiled.length; entry += 1) {
      if (!lengths.mayMatch(entry)) continue;
      const { mark, conditions } = compiled[entry]!;
      let holds = true;
      for (const condition of conditions) {
        if (condition(features)) continue;
        holds = false;
        break;
      }
      if (holds) return mark;
    }
    return null;
  };
};
