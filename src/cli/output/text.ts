import { stripVTControlCharacters, styleText } from 'node:util';
import { escapeText, formatDuration } from '../../model/index.ts';
import type { EpochMs, Until } from '../../model/index.ts';

/** A sentence of the service may quote several values of 200 characters. */
const MAX_SENTENCE = 2_000;

/** The only way from the service to a terminal: control characters escaped, length bounded. Quotes harm log lines only. */
export const shown = (text: unknown): string =>
  escapeText(String(text), MAX_SENTENCE).replaceAll(String.raw`\x22`, '"');

export type Style = 'red' | 'green' | 'yellow' | 'cyan' | 'bold' | 'dim';

/** Colour only for a human at a terminal that has some, who did not refuse it (https://no-color.org). */
export const coloured = (): boolean =>
  process.stdout.isTTY && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';

/** Styles text that is already safe. */
export const paint = (style: Style, safe: string): string =>
  coloured() ? styleText(style, safe, { validateStream: false }) : safe;

/** Columns of the terminal; without one nothing is cut, since a program or a file reads. */
export const terminalWidth = (): number =>
  process.stdout.isTTY ? Math.max(40, process.stdout.columns || 80) : Number.POSITIVE_INFINITY;

/** `2026-11-20 08:52:59Z`, always UTC: the same as in logs and on the servers. */
export const formatTime = (at: EpochMs): string => {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? '?' : `${date.toISOString().slice(0, 19).replace('T', ' ')}Z`;
};

/** `3h58m left`, `ended`, `permanent`. */
export const formatLeft = (until: Until, now: EpochMs): string => {
  if (until === null) return 'permanent';
  return until <= now ? 'ended' : `${formatDuration(until - now)} left`;
};

const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\uff01-\uff60]/u;

/** Columns that a text takes: two for East Asian characters and emoji, none for combining marks. */
export const displayWidth = (text: string): number => {
  let width = 0;
  for (const char of stripVTControlCharacters(text)) width += /\p{M}/u.test(char) ? 0 : WIDE.test(char) ? 2 : 1;
  return width;
};

/** Cuts to a number of columns, the last of which is `…`. */
export const fit = (text: string, width: number): string => {
  if (displayWidth(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const char of text) {
    used += displayWidth(char);
    if (used > width - 1) break;
    kept += char;
  }
  return `${kept}…`;
};
