import {
  ALPHA,
  CLASSES,
  DIGIT,
  EQUALS,
  HASH,
  HEX,
  HNV,
  PARAM,
  PASSWORD,
  PLUS,
  SEMI,
  skipEscaped,
  STAR,
} from './chars.ts';
import { scanHost } from './host.ts';

const PNAME = ALPHA | DIGIT;
/** uric without the `;` that ends it, and without `@`. */
const ISUB = HNV | PASSWORD;

const isVisualSeparator = (code: number): boolean => code === 0x2d || code === 0x2e || code === 0x28 || code === 0x29;

/** `*phonedigit DIGIT *phonedigit`, in a local number with HEXDIG, `*` and `#`. Separators alone are no number. */
const scanNumber = (text: string, at: number, end: number, local: boolean): number => {
  let next = at;
  let digits = 0;
  for (; next < end; next += 1) {
    const code = text.charCodeAt(next);
    const isDigit = (CLASSES[code]! & (local ? HEX : DIGIT)) !== 0 || (local && (code === STAR || code === HASH));
    if (isDigit) digits += 1;
    else if (!isVisualSeparator(code)) break;
  }
  return digits === 0 ? ~next : next;
};

/** descriptor: a domain name, or `+` and digits. */
const scanContext = (text: string, at: number, end: number): number =>
  at < end && text.charCodeAt(at) === PLUS ? scanNumber(text, at + 1, end, false) : scanHost(text, at, end);

const isNamed = (text: string, from: number, to: number, name: string): boolean =>
  to - from === name.length && text.slice(from, to).toLowerCase() === name;

/**
 * tel URI (RFC 3966), `tel:` with it. A number without `+` needs `phone-context`. This is stricter than RFC 3261, for
 * which any tel URI is an absoluteURI: dial plans send `tel:911`, so its failure is a finding of its own.
 */
export const scanTelUri = (text: string, at: number, end: number, needsContext = true): number => {
  if (at + 4 > end || !isNamed(text, at, at + 4, 'tel:')) return ~at;
  const local = text.charCodeAt(at + 4) !== PLUS;
  let next = scanNumber(text, local ? at + 4 : at + 5, end, local);
  if (next < 0) return next;
  let hasContext = false;
  while (next < end && text.charCodeAt(next) === SEMI) {
    const name = next + 1;
    let equals = name;
    while (equals < end && ((CLASSES[text.charCodeAt(equals)]! & PNAME) !== 0 || text.charCodeAt(equals) === 0x2d)) {
      equals += 1;
    }
    if (equals === name) return ~name;
    const value = equals + 1;
    if (equals < end && text.charCodeAt(equals) === EQUALS) {
      if (isNamed(text, name, equals, 'phone-context')) {
        hasContext = true;
        next = scanContext(text, value, end);
      } else if (isNamed(text, name, equals, 'ext')) next = scanNumber(text, value, end, false);
      else next = skipEscaped(text, value, end, isNamed(text, name, equals, 'isub') ? ISUB : PARAM);
      if (next < 0) return next;
      if (next === value) return ~value;
    } else next = equals;
  }
  return local && needsContext && !hasContext ? ~next : next;
};
