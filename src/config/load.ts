import type { z } from 'zod';
import { CompanionError } from '../model/index.ts';
import { complaintsOf } from './file/issues.ts';
import { overridesOf } from './environment.ts';
import { isSection, layered, nested } from './layers.ts';
import type { Override, Settings } from './layers.ts';
import { formatPath, formatProblems, offsetOf } from './file/problem.ts';
import type { ConfigPath, Problem } from './file/problem.ts';
import { profileSettings } from './profiles.ts';
import { DEFAULT_CONFIG_FILE, MAX_CONFIG_BYTES, readConfigFile } from './file/source.ts';
import { parseTree } from './file/tree.ts';
import type { ConfigTree } from './file/tree.ts';

/** Enough to repair a file in one go; a file with more is not a configuration. */
const MAX_LISTED = 100;

/** Complaints that are given a place in the file. Each costs a walk: a megabyte of unknown keys would take minutes. */
const MAX_PLACED = 1_000;

export interface LoadOptions<T> {
  /** File to read; it must exist. With `text`: only the name used in messages. */
  readonly file?: string | undefined;
  readonly text?: string | undefined;
  readonly schema: z.ZodType<T>;
  /** `COMPANION_CONFIG` names the file when `file` does not; overrides of single settings stand above the file. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Read when nothing else is named; may be missing. */
  readonly defaultFile?: string | undefined;
}

const deepFreeze = <V>(value: V): V => {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value) && !ArrayBuffer.isView(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
};

interface Source {
  readonly file: string;
  readonly text: string;
  /** Nobody named a file, and the usual one is not there. */
  readonly missing: boolean;
}

const sourceText = <T>(options: LoadOptions<T>): Source => {
  if (options.text !== undefined) {
    const file = options.file ?? 'companion.yaml';
    if (Buffer.byteLength(options.text) <= MAX_CONFIG_BYTES) return { file, text: options.text, missing: false };
    throw new CompanionError(
      'CONFIG_UNREADABLE',
      `Cannot read the configuration ${file}: it has more than ${MAX_CONFIG_BYTES} bytes.`,
    );
  }
  const named = options.file ?? (options.env?.['COMPANION_CONFIG'] || undefined);
  const file = named ?? options.defaultFile ?? DEFAULT_CONFIG_FILE;
  const text = readConfigFile(file, named === undefined);
  return { file, text: text ?? '', missing: text === undefined };
};

const invalid = (file: string, lines: readonly string[]): CompanionError => {
  const shown = lines.slice(0, MAX_LISTED);
  const rest = lines.length - shown.length;
  const head = `The configuration ${file} has ${lines.length === 1 ? 'a problem' : `${lines.length} problems`}:`;
  return new CompanionError('CONFIG_INVALID', [head, ...shown, ...(rest > 0 ? [`… and ${rest} more`] : [])].join('\n'));
};

/** What was read, with where each value came from: for `config explain`. */
export interface LoadedConfig<T> {
  readonly config: T;
  readonly file: string;
  /** Nobody named a file, and the usual one is not there. */
  readonly missing: boolean;
  readonly tree: ConfigTree;
  readonly profile: Settings;
  readonly overrides: readonly Override[];
}

const startsWith = (path: ConfigPath, head: ConfigPath): boolean => head.every((part, index) => path[index] === part);

/**
 * Reads, checks and freezes the configuration. Without file and text: COMPANION_CONFIG, then
 * `/etc/companion/companion.yaml`, and when that does not exist all defaults.
 * @throws CompanionError CONFIG_UNREADABLE; CONFIG_INVALID whose message lists every problem, one a line
 */
export const loadConfig = <T>(options: LoadOptions<T>): T => loadLayers(options).config;

/** As `loadConfig`, with the layers: profile, file, environment. */
export const loadLayers = <T>(options: LoadOptions<T>): LoadedConfig<T> => {
  const { file, text, missing } = sourceText(options);
  const tree = parseTree(text);
  const fail = (problems: readonly Problem[], environment: readonly string[] = []): CompanionError =>
    invalid(file, [...environment, ...formatProblems(problems, file, tree.lines)]);
  if (tree.syntaxBroken) throw fail(tree.problems);
  const overrides = overridesOf(options.env ?? {});
  const named = overrides.reduce((value, { path, value: over }) => layered(value, nested(path, over)), tree.value);
  const profile = isSection(named) ? profileSettings(named) : {};
  const parsed = options.schema.safeParse(layered(profile, named), { reportInput: true });
  if (parsed.success && tree.problems.length === 0)
    return { config: deepFreeze(parsed.data), file, missing, tree, profile, overrides };
  const complaints = parsed.success ? [] : complaintsOf(options.schema, parsed.error.issues, MAX_PLACED);
  const guilty = ({ path }: { readonly path: ConfigPath }): Override | undefined =>
    overrides.find((override) => startsWith(path, override.path));
  const environment = complaints.flatMap((complaint) => {
    const override = guilty(complaint);
    return override === undefined
      ? []
      : [`environment ${override.name} ${formatPath(complaint.path)} ${complaint.message}`];
  });
  const inFile = complaints.filter((complaint) => guilty(complaint) === undefined);
  throw fail(
    [
      ...tree.problems,
      ...inFile.map(({ path, at, message }) => ({ path, message, offset: offsetOf(tree.document, path, at) })),
    ],
    environment,
  );
};
