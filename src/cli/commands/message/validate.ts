import { open } from 'node:fs/promises';
import { CompanionError, escapeText } from '../../../model/index.ts';
import type { ValidationMode, Validity } from '../../../model/index.ts';
import { createValidity, validateBytes, VALIDATION_RULES } from '../../../protocol/index.ts';
import type { Validated } from '../../../protocol/index.ts';
import { EXIT } from '../../exit-codes.ts';
import { printLines } from '../../output/print.ts';
import { paint, shown } from '../../output/text.ts';
import type { Style } from '../../output/text.ts';

export interface ValidateOptions {
  readonly mode: ValidationMode;
  readonly transport: 'udp' | 'tcp';
  readonly disable?: readonly string[];
  readonly exitCode?: boolean;
  readonly json?: boolean;
}

/** One more than a message may have: what is longer is oversized, however long. */
const READ_BYTES = 65_536;

const STYLES: Readonly<Record<Validity['verdict'], Style>> = { accept: 'green', reject: 'red', drop: 'yellow' };

const readStart = async (file: string): Promise<Buffer> => {
  const handle = file === '-' ? undefined : await open(file, 'r');
  const stream = handle?.createReadStream({ end: READ_BYTES - 1 }) ?? process.stdin;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= READ_BYTES) break;
  }
  return Buffer.concat(chunks).subarray(0, READ_BYTES);
};

const readMessage = async (file: string): Promise<Buffer | CompanionError> => {
  try {
    return await readStart(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return new CompanionError('REQUEST_INVALID', `Cannot read ${file}: ${code ?? message}.`, { cause: error });
  }
};

/** What is no message at all is dropped: keep-alives without a rule, the rest with one. */
const judge = (validated: Validated, validity: Validity): Validity =>
  validated.message === undefined && validity.verdict === 'accept' ? { ...validity, verdict: 'drop' } : validity;

const jsonOf = (file: string, { fault }: Validated, { verdict, code, hits }: Validity): string =>
  JSON.stringify({
    file,
    verdict,
    code,
    rules: hits,
    ...(fault === undefined ? {} : { fault: fault.fault }),
  });

const lineOf = (file: string, { fault }: Validated, { verdict, code, hits }: Validity): string => {
  const rules = hits.map(
    ({ rule, offset, action }) => `${rule}@${offset}${verdict === 'accept' ? '' : ` (${action})`}`,
  );
  const why = fault === undefined ? rules : [fault.fault, ...rules];
  const said = paint(STYLES[verdict], code === null ? verdict : `${verdict} ${code}`);
  return `${escapeText(file, 4_096)}: ${said}${why.length === 0 ? '' : `  ${shown(why.join(', '))}`}`;
};

const checkRuleNames = (names: readonly string[]): void => {
  for (const name of names) {
    if (VALIDATION_RULES.has(name)) continue;
    throw new CompanionError(
      'REQUEST_INVALID',
      `Cannot disable ${name}: there is no such rule. 'companion explain rules' lists them.`,
    );
  }
};

/**
 * `companion validate FILE…`. A file that cannot be read is said on stderr, the others are judged all the same.
 * @throws CompanionError REQUEST_INVALID for an unknown rule, or at the end for files that could not be read
 */
export const validate = async (files: readonly string[], options: ValidateOptions): Promise<number> => {
  const disabled = options.disable ?? [];
  checkRuleNames(disabled);
  const validityOf = createValidity({ mode: options.mode, disabled_rules: disabled, rules: {} });
  const arrival = { stream: options.transport === 'tcp', cut: false };
  let refused = false;
  let unread: CompanionError | undefined;
  for (const file of files) {
    const bytes = await readMessage(file);
    if (bytes instanceof CompanionError) {
      // the last one is reported with the exit code, those before it here
      if (unread !== undefined) process.stderr.write(`companion: ${shown(unread.message)}\n`);
      unread = bytes;
      continue;
    }
    const validated = validateBytes(bytes, arrival);
    const validity = judge(validated, validityOf(validated.violations, validated));
    refused ||= validity.verdict !== 'accept';
    printLines([options.json ? jsonOf(file, validated, validity) : lineOf(file, validated, validity)]);
  }
  if (unread !== undefined) throw unread;
  return refused && options.exitCode === true ? EXIT.failed : EXIT.ok;
};
