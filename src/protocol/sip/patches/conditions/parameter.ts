import { behindQuoted } from './quotes.ts';

const isLws = (code: number): boolean => code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a;

const isName = (text: string, from: number, end: number, name: string): boolean => {
  if (end - from !== name.length) return false;
  for (let at = 0; at < name.length; at += 1) {
    const code = text.charCodeAt(from + at);
    if ((code >= 0x41 && code <= 0x5a ? code | 0x20 : code) !== name.charCodeAt(at)) return false;
  }
  return true;
};

/**
 * Length of the value of a `;name=value` parameter behind any `<…>`, up to the next value of the line: 0 when it has
 * none, -1 when there is no such parameter. One pass, whatever else is wrong with the line.
 */
export const parameterBytes = (text: string, from: number, end: number, name: string): number => {
  let at = from;
  let inAddress = false;
  while (at < end) {
    const char = text[at];
    if (char === '"') {
      at = behindQuoted(text, at, end);
      continue;
    }
    if (char === '<') inAddress = true;
    else if (char === '>') inAddress = false;
    else if (!inAddress && char === ',') return -1;
    else if (!inAddress && char === ';') {
      at += 1;
      while (at < end && isLws(text.charCodeAt(at))) at += 1;
      const start = at;
      while (at < end && !isLws(text.charCodeAt(at)) && !'=;,<"'.includes(text[at]!)) at += 1;
      const found = isName(text, start, at, name);
      while (at < end && isLws(text.charCodeAt(at))) at += 1;
      if (text[at] !== '=' || at >= end) {
        if (found) return 0;
        continue;
      }
      at += 1;
      while (at < end && isLws(text.charCodeAt(at))) at += 1;
      const value = at;
      if (text[at] === '"') at = behindQuoted(text, at, end);
      while (at < end && !isLws(text.charCodeAt(at)) && text[at] !== ';' && text[at] !== ',') at += 1;
      if (found) return at - value;
      continue;
    }
    at += 1;
  }
  return -1;
};
