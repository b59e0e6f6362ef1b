import { z } from 'zod';
import { loadConfig } from '../config/index.ts';
import { compileTools, packSchema, shippedPack, type PackEntry, type ToolPack } from '../enrich/index.ts';
import type { CompanionConfig } from '../judging/index.ts';
import { isSipFault, readSip } from '../protocol/index.ts';
import { casesSchema } from './case-schema.ts';
import type { Disguise } from './disguise.ts';
import { messageBytes } from './message-bytes.ts';
import { findingsOf, problemsOf, type Found } from './run-case.ts';

/** One case, or one test of a pack's entry. */
export interface CaseResult {
  readonly file: string;
  readonly name: string;
  readonly disguise: Disguise | '';
  readonly ok: boolean;
  /** What is not as expected. May quote what a case says. */
  readonly problems: readonly string[];
  /** Empty for the tests of a pack. */
  readonly found: readonly Found[];
}

export interface RunOptions {
  readonly policy: CompanionConfig;
  /** Told of each result as it is there. */
  readonly each: (result: CaseResult) => void;
}

/** What a file is, by its first look. */
const eitherSchema = z.looseObject({ pack: z.unknown().optional() });

const testEntry = (entry: PackEntry, file: string, each: RunOptions['each']): void => {
  const tools = compileTools([{ pack: 'one', off: [], entries: [entry] }]);
  const report = (name: string, problems: readonly string[]): void =>
    each({ file, name: `${entry.name}: ${name}`, disguise: '', ok: problems.length === 0, problems, found: [] });
  if (entry.tests === undefined) return report('has a test', ['it has none']);
  for (const kind of ['matches', 'spares'] as const) {
    for (const [index, source] of entry.tests[kind].entries()) {
      const sip = readSip(messageBytes(source, file));
      const name = `${kind} ${source.file !== undefined ? source.file : `message ${index + 1}`}`;
      if (isSipFault(sip)) report(name, [`it is no request: ${sip.detail}`]);
      else if ((tools(sip) !== null) === (kind === 'matches')) report(name, []);
      else report(name, [kind === 'matches' ? 'it does not' : 'it does not spare it']);
    }
  }
};

const testCases = (file: string, { policy, each }: RunOptions): void => {
  const packs: readonly ToolPack[] = [shippedPack(), ...policy.packs.map(({ pack }) => pack)];
  const toolOf = compileTools(packs);
  for (const test of loadConfig({ file, schema: casesSchema }).cases) {
    for (const disguise of [undefined, ...test.disguise]) {
      const found = findingsOf(test, file, disguise, policy, toolOf);
      const problems = problemsOf(test, found);
      each({ file, name: test.name, disguise: disguise ?? '', ok: problems.length === 0, problems, found });
    }
  }
};

/**
 * Runs the tests of a file, which holds cases or is a pack of tools.
 * @throws CompanionError CONFIG_INVALID, CONFIG_UNREADABLE: the file, or one that it names, is not as it should be
 */
export const runFile = (file: string, options: RunOptions): void => {
  const isPack = loadConfig({ file, schema: eitherSchema }).pack !== undefined;
  if (!isPack) return testCases(file, options);
  for (const entry of loadConfig({ file, schema: packSchema }).entries) testEntry(entry, file, options.each);
};
