import type { CaseResult } from '../../../cases/index.ts';
import { CompanionError } from '../../../model/index.ts';
import { reportFailure } from '../../failure.ts';
import { printJson, printLines } from '../../output/print.ts';
import { paint, shown } from '../../output/text.ts';
import { loadPolicy } from './load-policy.ts';

export interface RulesTestOptions {
  readonly config?: string | undefined;
  readonly failed?: true | undefined;
  readonly json?: true | undefined;
}

/** For the pipeline of an operator. Usage errors are 3, as everywhere. */
const EXIT = { passed: 0, failed: 1, unreadable: 2 } as const;

const line = ({ ok, name, disguise, problems }: CaseResult): string => {
  const what = `${shown(name)}${disguise === '' ? '' : ` (${disguise})`}`;
  return ok
    ? `${paint('green', 'ok  ')} ${what}`
    : `${paint('red', 'FAIL')} ${what}: ${problems.map(shown).join('; ')}`;
};

/** `companion rules test FILE…`: exit 1 when a case fails, 2 when a file cannot be read or is wrong. */
export const rulesTest = async (files: readonly string[], options: RulesTestOptions): Promise<number> => {
  try {
    const [policy, { runFile }] = await Promise.all([loadPolicy(options.config), import('../../../cases/index.ts')]);
    const counts = { passed: 0, failed: 0 };
    const each = (result: CaseResult): void => {
      counts[result.ok ? 'passed' : 'failed'] += 1;
      if (result.ok && options.failed === true) return;
      if (options.json) printJson(result);
      else printLines([line(result)]);
    };
    for (const file of files) runFile(file, { policy, each });
    if (!options.json) printLines([`${counts.passed} passed, ${counts.failed} failed`]);
    return counts.failed === 0 ? EXIT.passed : EXIT.failed;
  } catch (error) {
    const code = reportFailure(error, options.json === true);
    return error instanceof CompanionError && error.code !== 'INTERNAL' && code === 1 ? EXIT.unreadable : code;
  }
};
