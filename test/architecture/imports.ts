import { posix } from 'node:path';

/** One import, export-from or dynamic import of a source file. */
export interface Import {
  readonly file: string;
  readonly line: number;
  readonly specifier: string;
  /** Path of the imported file, for relative imports. */
  readonly target: string | undefined;
}

/** Comments become blanks of the same shape, so that line numbers stay. Strings that hold `//` are left alone. */
export const withoutComments = (text: string): string =>
  text.replace(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\[\s\S])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (part) =>
    part.startsWith('//') || part.startsWith('/*') ? part.replace(/[^\n]/g, ' ') : part,
  );

/** Strings become empty ones of the same length. */
export const withoutStrings = (text: string): string =>
  text.replace(
    /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g,
    (part) => part[0] + ' '.repeat(part.length - 2) + part.at(-1),
  );

const IMPORTS = [
  /^[ \t]*(?:import|export)\b[^'"`;]*?\bfrom\s*(['"])([^'"\n]+)\1/gm,
  /^[ \t]*import\s*(['"])([^'"\n]+)\1/gm,
  /\b(?:import|require)\s*\(\s*(['"`])([^'"`\n]+)\1/g,
  /\bnew\s+URL\s*\(\s*(['"])(\.[^'"\n]+\.(?:ts|js))\1\s*,\s*import\.meta\.url/g,
];

export const importsOf = (file: string, text: string): Import[] => {
  const code = withoutComments(text);
  return IMPORTS.flatMap((pattern) =>
    [...code.matchAll(pattern)].map((match) => {
      const specifier = match[2] ?? '';
      const end = match.index + match[0].length;
      const target = specifier.startsWith('.') ? posix.join(posix.dirname(file), specifier) : undefined;
      return { file, line: code.slice(0, end).split('\n').length, specifier, target };
    }),
  ).toSorted((a, b) => a.line - b.line);
};

/** Every cycle is named once, as the path from a file back to itself. */
export const cyclesOf = (imports: readonly Import[]): string[][] => {
  const edges = Map.groupBy(
    imports.filter((each) => each.target !== undefined),
    (each) => each.file,
  );
  const done = new Set<string>();
  const cycles: string[][] = [];
  const visit = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start >= 0) {
      cycles.push([...path.slice(start), file]);
      return;
    }
    if (done.has(file)) return;
    for (const edge of edges.get(file) ?? []) visit(edge.target ?? '', [...path, file]);
    done.add(file);
  };
  for (const file of edges.keys()) visit(file, []);
  return cycles;
};
