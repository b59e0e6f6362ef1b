import { QUOTE, SEMI, COMMA, SP, scanQuoted, scanToken, skipEquals, skipSws } from '../grammar/index.ts';

/** `;name`, `;name=value` or `;name="value"`. A quoted value is held without quotes and escapes. */
export interface Parameter {
  readonly name: string;
  readonly value: string | undefined;
  readonly quoted: boolean;
}

const BACKSLASH = 0x5c;
const CR = 0x0d;
const LF = 0x0a;
const HTAB = 0x09;
const DEL = 0x7f;

const skipFold = (text: string, at: number, end: number): number => {
  let next = at;
  while (next < end && text.charCodeAt(next) <= SP) next += 1;
  return next;
};

/** Content of the quoted string from its first quote at `from` to behind its last: escapes resolved, folds one blank. */
export const unquoteAt = (text: string, from: number, to: number): string => {
  const end = to - 1;
  const inner = text.slice(from + 1, end);
  if (!inner.includes('\\') && !inner.includes('\n')) return inner;
  const pieces: string[] = [];
  let kept = from + 1;
  let index = kept;
  while (index < end) {
    const code = text.charCodeAt(index);
    if (code === BACKSLASH) {
      pieces.push(text.slice(kept, index));
      kept = index + 1;
      index += 2;
    } else if (code === CR || code === LF) {
      pieces.push(text.slice(kept, index), ' ');
      index = skipFold(text, index, end);
      kept = index;
    } else index += 1;
  }
  pieces.push(text.slice(kept, end));
  return pieces.join('');
};

/** As a quoted string. CR and LF, which cannot be quoted, become blanks: a value never begins a header line. */
export const quote = (value: string): string => {
  let quoted = '"';
  for (let index = 0; index < value.length; index += 1) {
    const code = value.charCodeAt(index);
    if (code === CR || code === LF) quoted += ' ';
    else if (code === QUOTE || code === BACKSLASH || (code < SP && code !== HTAB) || code === DEL) {
      quoted += `\\${value[index]}`;
    } else quoted += value[index];
  }
  return `${quoted}"`;
};

/** Behind a value that is no quoted string: at the next separator or white space. */
const skipPlain = (text: string, at: number, end: number): number => {
  let next = at;
  for (; next < end; next += 1) {
    const code = text.charCodeAt(next);
    if (code <= SP || code === SEMI || code === COMMA) break;
  }
  return next;
};

/** One parameter of a range that a scanner has taken, and the position behind it. */
export const cutParameter = (text: string, at: number, end: number): readonly [Parameter, number] => {
  const nameEnd = scanToken(text, at, end);
  const name = text.slice(at, nameEnd);
  const value = skipEquals(text, nameEnd, end);
  if (value === nameEnd) return [{ name, value: undefined, quoted: false }, nameEnd];
  if (text.charCodeAt(value) === QUOTE) {
    const after = scanQuoted(text, value, end);
    return [{ name, value: unquoteAt(text, value, after), quoted: true }, after];
  }
  const after = skipPlain(text, value, end);
  return [{ name, value: text.slice(value, after), quoted: false }, after];
};

/** `*(SEMI parameter)` of a range that a scanner has taken. */
export const cutParameters = (text: string, at: number, end: number): Parameter[] => {
  const parameters: Parameter[] = [];
  let next = skipSws(text, at, end);
  while (next < end && text.charCodeAt(next) === SEMI) {
    const [parameter, after] = cutParameter(text, skipSws(text, next + 1, end), end);
    parameters.push(parameter);
    next = skipSws(text, after, end);
  }
  return parameters;
};

const written = ({ name, value, quoted }: Parameter): string => {
  if (value === undefined) return name;
  return `${name}=${quoted ? quote(value) : value}`;
};

export const writeParameters = (parameters: readonly Parameter[], separator: string): string =>
  parameters.map((parameter) => separator + written(parameter)).join('');

/** The first parameter of that name (in lower case), whatever its value. */
export const parameterNamed = (parameters: readonly Parameter[], name: string): Parameter | undefined =>
  parameters.find((parameter) => parameter.name.length === name.length && parameter.name.toLowerCase() === name);
