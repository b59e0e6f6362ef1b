import { escapeText } from '../../model/index.ts';

const STYLES = { bold: '1', dim: '2', red: '31', green: '32', yellow: '33', cyan: '36' } as const;
type Style = keyof typeof STYLES;

/** Colours only for eyes: on a terminal, and not where NO_COLOR asks for none (no-color.org). */
const coloured = (): boolean => process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '';

export const paint = (style: Style, text: string): string =>
  coloured() ? `\u001b[${STYLES[style]}m${text}\u001b[0m` : text;

/** Text that an attacker may have had a hand in. */
export const quoted = (text: string, most = 90): string => escapeText(text, most);

export const say = (text = ''): void => {
  process.stdout.write(`${text}\n`);
};

/** Milliseconds for reading: 0.4 ms, 12 ms, 3.1 s. */
export const span = (ms: number): string => {
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(1)} s`;
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
};
