/** Longest pattern, and how many parts it may have: a pattern is a shape, not a program. */
const MAX_PATTERN_CHARS = 128;
const MAX_PARTS = 32;
/** Longest run that a count may ask for: values are cut at 1,024 characters (see protocol/sip). */
const MAX_COUNT = 1_024;

const ASCII = 128;

interface Part {
  /** 1 for each ASCII character that belongs to it; others never do. */
  readonly chars: Uint8Array;
  readonly least: number;
  readonly most: number;
}

interface Like {
  readonly parts: readonly Part[];
  /** The pattern ends in `*`: whatever follows is right. */
  readonly open: boolean;
}

const only = (code: number): Uint8Array => {
  const chars = new Uint8Array(ASCII);
  chars[code] = 1;
  return chars;
};

/** Reads `[0-9a-f_]` or `[^…]` from behind its bracket. @returns undefined when it does not end, or a range runs backwards */
const readClass = (text: string, start: number): { readonly chars: Uint8Array; readonly end: number } | undefined => {
  const negated = text[start] === '^';
  const chars = new Uint8Array(ASCII);
  let at = negated ? start + 1 : start;
  const first = at;
  while (at < text.length && (text[at] !== ']' || at === first)) {
    if (text[at] === '\\') at += 1;
    const low = text.charCodeAt(at);
    if (text[at + 1] === '-' && at + 2 < text.length && text[at + 2] !== ']') {
      const high = text.charCodeAt(at + 2);
      if (high < low) return undefined;
      chars.fill(1, low, high + 1);
      at += 3;
    } else {
      chars[low] = 1;
      at += 1;
    }
  }
  if (text[at] !== ']') return undefined;
  if (negated) for (let code = 0; code < ASCII; code += 1) chars[code] = chars[code] === 1 ? 0 : 1;
  return { chars, end: at + 1 };
};

const COUNT = /^\{(\d{1,4})(?:,(\d{1,4}))?\}/;

/** @returns the pattern, or a sentence that says what is wrong with it */
const parse = (text: string): Like | string => {
  if (text.length === 0 || text.length > MAX_PATTERN_CHARS || !/^[ -~]+$/.test(text))
    return `must be 1 to ${MAX_PATTERN_CHARS} printable ASCII characters`;
  const parts: Part[] = [];
  let at = 0;
  while (at < text.length) {
    if (text[at] === '*') {
      if (at === text.length - 1) return { parts, open: true };
      return "may have '*' only as its last character";
    }
    let chars: Uint8Array;
    if (text[at] === '[') {
      const read = readClass(text, at + 1);
      if (read === undefined) return "has a '[' without its ']', or a range that runs backwards";
      ({ chars } = read);
      at = read.end;
    } else {
      if (text[at] === '\\') at += 1;
      if (at >= text.length) return "ends in '\\'";
      chars = only(text.charCodeAt(at));
      at += 1;
    }
    let least = 1;
    let most = 1;
    if (text[at] === '{') {
      const count = COUNT.exec(text.slice(at));
      if (count === null) return "has a '{' that is no count; write {8} or {1,10}";
      least = Number(count[1]);
      most = Number(count[2] ?? count[1]);
      if (most < least || most > MAX_COUNT) return `has a count beyond ${MAX_COUNT}, or one that runs backwards`;
      at += count[0].length;
    }
    parts.push({ chars, least, most });
    if (parts.length > MAX_PARTS) return `has more than ${MAX_PARTS} parts`;
  }
  return { parts, open: false };
};

/** What is wrong with a pattern, or undefined. */
export const likeProblem = (text: string): string | undefined => {
  const read = parse(text);
  return typeof read === 'string' ? read : undefined;
};

/** @throws RangeError for a pattern that `likeProblem` complains of */
const parsed = (text: string): Like => {
  const read = parse(text);
  if (typeof read === 'string') throw new RangeError(`The pattern ${read}.`);
  return read;
};

const lengthsOf = ({ parts, open }: Like): { readonly least: number; readonly most: number } => ({
  least: parts.reduce((sum, { least }) => sum + least, 0),
  most: open ? Number.POSITIVE_INFINITY : parts.reduce((sum, { most }) => sum + most, 0),
});

/** The lengths of values that a pattern may match. @throws RangeError as compileLike */
export const likeLengths = (text: string): { readonly least: number; readonly most: number } => lengthsOf(parsed(text));

/**
 * Compiles a pattern for a whole value: characters stand for themselves, `[a-f0-9]` for one of them, `{n}` or `{n,m}`
 * repeats what is before it, `\` takes the next character as it is, `*` at the end takes the rest. A part takes all it
 * can and never gives back: time is linear in the value whatever an attacker sends, which no regular expression promises.
 * @throws RangeError for a pattern that `likeProblem` complains of
 */
export const compileLike = (text: string): ((value: string) => boolean) => {
  const like = parsed(text);
  const { parts, open } = like;
  const { least: shortest, most: longest } = lengthsOf(like);
  return (value) => {
    if (value.length < shortest || value.length > longest) return false;
    let at = 0;
    for (const { chars, least, most } of parts) {
      const start = at;
      const end = Math.min(value.length, start + most);
      while (at < end) {
        const code = value.charCodeAt(at);
        if (code >= ASCII || chars[code] !== 1) break;
        at += 1;
      }
      if (at - start < least) return false;
    }
    return open || at === value.length;
  };
};
