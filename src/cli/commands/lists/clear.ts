import { createInterface } from 'node:readline/promises';
import { CompanionError } from '../../../model/index.ts';
import type { StatusReport } from '../../../model/index.ts';
import { ask } from '../../ask.ts';
import { author } from '../../author.ts';
import { EXIT } from '../../exit-codes.ts';
import type { CommonOptions } from '../../options.ts';
import { printJson, printLines } from '../../output/print.ts';

export interface ClearOptions extends CommonOptions {
  readonly yes?: true | undefined;
}

const confirmed = async (question: string): Promise<boolean> => {
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new CompanionError('REQUEST_INVALID', 'This lifts every ban. Say --yes where nobody can be asked.');
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(?:es)?$/i.test((await reader.question(`${question} [y/N] `)).trim());
  } finally {
    reader.close();
  }
};

/** `companion ban clear`: lifts every ban, quarantine and throttle, after a question. */
export const banClear = async (options: ClearOptions): Promise<number> => {
  if (options.yes !== true) {
    const { counts } = await ask(options, (client) => client.call<StatusReport>('status', {}));
    const many = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;
    const question = `Lift ${many(counts.bans, 'ban')}, ${many(counts.quarantined, 'quarantine')} and ${many(counts.throttled, 'throttle')}?`;
    if (!(await confirmed(question))) {
      printLines(['Nothing was changed.']);
      return EXIT.failed;
    }
  }
  const result = await ask(options, (client) => client.call<{ removed: number }>('ban.clear', { author: author() }));
  if (options.json) printJson(result);
  else printLines([`Lifted ${result.removed}.`]);
  return EXIT.ok;
};
