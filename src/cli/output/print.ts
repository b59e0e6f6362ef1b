import { jsonLine } from '../../protocol/index.ts';

/** Writes finished, safe lines. */
export const printLines = (lines: readonly string[]): void => {
  process.stdout.write(`${lines.join('\n')}\n`);
};

/** Writes one JSON value on one line: exact for programs, harmless for terminals. */
export const printJson = (value: unknown): void => {
  process.stdout.write(`${jsonLine(value)}\n`);
};
