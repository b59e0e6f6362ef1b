import { CompanionError } from '../model/index.ts';
import type { ErrorCode } from '../model/index.ts';
import { jsonLine } from '../protocol/index.ts';
import { EXIT } from './exit-codes.ts';
import { shown } from './output/text.ts';

const NOT_ASKED: ReadonlySet<ErrorCode> = new Set([
  'SERVICE_UNREACHABLE',
  'REQUEST_INVALID',
  'ADDRESS_INVALID',
  'DURATION_INVALID',
  'NODE_TOO_OLD',
]);

/** Anything that was thrown, as an error with a code. */
export const typed = (error: unknown): CompanionError => {
  if (error instanceof CompanionError) return error;
  const what = error instanceof Error ? error.message : String(error);
  return new CompanionError('INTERNAL', `A bug in companion: ${what}.`, { cause: error });
};

/**
 * Tells the user: `companion: CODE sentence` on stderr, or with `json` `{"error":{code,message}}` on stdout.
 * @returns the exit code
 */
export const reportFailure = (error: unknown, json: boolean): number => {
  const { code, message } = typed(error);
  if (json) process.stdout.write(`${jsonLine({ error: { code, message } })}\n`);
  else {
    // A list of configuration problems is one problem a line; everything else is one line.
    const lines = code === 'CONFIG_INVALID' ? message.split('\n') : [message];
    process.stderr.write(`companion: ${code} ${lines.map(shown).join('\n')}\n`);
  }
  return NOT_ASKED.has(code) ? EXIT.notAsked : EXIT.failed;
};

/** Commander's complaint (`error: unknown option '--x'`) as a sentence of ours. */
export const usageError = (complaint: string): CompanionError => {
  const [first = '', ...more] = complaint.replace(/^error: /, '').split('\n');
  const sentence = [`${first.charAt(0).toUpperCase()}${first.slice(1)}`, ...more].join(' ').trim().replace(/\.?$/, '.');
  return new CompanionError('REQUEST_INVALID', `${sentence} See companion --help.`);
};
