import { LineCounter, isMap, isPair, isScalar, parseDocument, visit } from 'yaml';
import type { Document, Pair } from 'yaml';
import type { ConfigPath, Problem } from './problem.ts';

/** More than a hand-written file uses; far fewer than an alias bomb needs. */
const MAX_ALIASES = 100;

/** YAML text, read. `value` is only to be trusted when `problems` is empty. */
export interface ConfigTree {
  readonly document: Document;
  readonly lines: LineCounter;
  readonly value: unknown;
  /** Nothing below the syntax can be judged when it is broken. */
  readonly syntaxBroken: boolean;
  readonly problems: readonly Problem[];
}

/** A section whose lines are all commented out reads as null: the same as if it were not there. */
const withoutNulls = (value: unknown, depth: number): unknown => {
  if (depth > 32) throw new RangeError('nested too deeply');
  if (Array.isArray(value)) return value.map((item) => withoutNulls(item, depth + 1));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== null);
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutNulls(item, depth + 1)]));
};

const pathOf = (ancestors: readonly unknown[], key: string): ConfigPath => [
  ...ancestors.flatMap((node) => (isPair(node) && isScalar(node.key) ? [String(node.key.value)] : [])),
  key,
];

/** Duplicate keys, in linear time (the library compares each key with each: minutes for a hostile megabyte). */
const keyProblems = (document: Document): Problem[] => {
  const problems: Problem[] = [];
  visit(document, {
    Map: (_key, map, ancestors) => {
      const seen = new Set<string>();
      for (const pair of map.items as Pair[]) {
        const offset = isScalar(pair.key) || isMap(pair.key) ? (pair.key.range?.[0] ?? 0) : (map.range?.[0] ?? 0);
        const name = isScalar(pair.key) ? String(pair.key.value) : undefined;
        if (name === undefined) problems.push({ offset, path: pathOf(ancestors, '?'), message: 'is not a plain key' });
        else if (seen.has(name))
          problems.push({ offset, path: pathOf(ancestors, name), message: 'is written twice; keep one of them' });
        else seen.add(name);
      }
    },
  });
  return problems;
};

/** Reads YAML 1.2 text, never throwing: what is wrong is in `problems`. */
export const parseTree = (text: string): ConfigTree => {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
    stringKeys: false,
  });
  const broken = (problems: readonly Problem[]): ConfigTree => ({
    document,
    lines,
    value: {},
    syntaxBroken: true,
    problems,
  });
  const syntax = document.errors.map((error): Problem => ({
    offset: error.pos[0],
    path: [],
    message:
      error.code === 'MULTIPLE_DOCS'
        ? "holds several documents; remove the line '---'"
        : `is not valid YAML: ${error.message}`,
  }));
  const deep = document.errors.find((error) => error.code === 'RESOURCE_EXHAUSTION');
  if (deep !== undefined) return broken([{ offset: deep.pos[0], path: [], message: 'is nested too deeply' }]);
  if (syntax.length > 0) return broken(syntax);
  try {
    const warnings = document.warnings.map((warning): Problem => ({
      offset: warning.pos[0],
      path: [],
      message: warning.message,
    }));
    const raw: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    return {
      document,
      lines,
      value: withoutNulls(raw ?? {}, 0),
      syntaxBroken: false,
      problems: [...keyProblems(document), ...warnings],
    };
  } catch (error) {
    return broken([{ offset: 0, path: [], message: error instanceof Error ? error.message : 'cannot be read' }]);
  }
};
