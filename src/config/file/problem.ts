import { LineCounter, isAlias, isMap, isNode, isPair, isScalar, isSeq } from 'yaml';
import type { Document, Node } from 'yaml';

/** Way to a value inside the file: `['nodes', 0, 'rpc']`. */
export type ConfigPath = readonly PropertyKey[];

/** One thing that is wrong. `offset`: characters from the start of the text. */
export interface Problem {
  readonly offset: number;
  readonly path: ConfigPath;
  readonly message: string;
}

/** `nodes[0].rpc`; the whole file is `(file)`. */
export const formatPath = (path: ConfigPath): string => {
  if (path.length === 0) return '(file)';
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index > 0 ? '.' : ''}${String(part)}`))
    .join('');
};

/** Sorted by position: `companion.yaml:3:5 nodes[0].rpc must be …`, one a line. */
export const formatProblems = (problems: readonly Problem[], file: string, lines: LineCounter): string[] =>
  [...problems]
    .sort((a, b) => a.offset - b.offset)
    .map(({ offset, path, message }) => {
      const { line, col } = lines.linePos(offset);
      return `${file}:${Math.max(1, line)}:${Math.max(1, col)} ${formatPath(path)} ${message}`;
    });

/**
 * Where a path stands in the text: at the key (`key`), or at the value. A value that is not there has the place of
 * the nearest thing above it that is.
 */
export const offsetOf = (document: Document, path: ConfigPath, at: 'key' | 'value'): number => {
  let node: unknown = document.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  for (const [index, part] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document) as Node | undefined;
    let next: unknown;
    let nextOffset: number | undefined;
    if (isMap(node)) {
      const pair = node.items.find(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(part),
      );
      const key = isNode(pair?.key) ? pair.key.range?.[0] : undefined;
      const value = isNode(pair?.value) ? pair.value.range?.[0] : undefined;
      next = pair?.value;
      nextOffset = index === path.length - 1 && at === 'value' ? (value ?? key) : key;
    } else if (isSeq(node) && typeof part === 'number') {
      next = node.items[part];
      nextOffset = isNode(next) ? next.range?.[0] : undefined;
    }
    if (nextOffset === undefined) return offset;
    offset = nextOffset;
    node = next;
  }
  return offset;
};
