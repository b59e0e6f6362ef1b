import type { SipMessage } from '../../message/index.ts';
import type { Report } from '../report.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SEMICOLON = 0x3b;
const COMMA = 0x2c;
const EQUALS = 0x3d;

/** Parameters compared with each other; more in one value are legal and not looked at. */
const MAX_COMPARED = 16;

/** Offset of the first `;` that belongs to the header itself, not to a URI in `<>` or a display name; `to` if none. */
const startOfParameters = (text: string, from: number, to: number): number => {
  let angle = false;
  for (let at = from; at < to; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at += 1;
      while (at < to && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
    } else if (code === 0x3c) angle = true;
    else if (code === 0x3e) angle = false;
    else if (!angle && (code === SEMICOLON || code === COMMA)) return at;
  }
  return to;
};

/** Names of the parameters of the first value, in lower case; only called for values that have more than one `;`. */
const namesOf = (
  text: string,
  first: number,
  to: number,
): readonly { readonly name: string; readonly at: number }[] => {
  const names: { readonly name: string; readonly at: number }[] = [];
  let at = first;
  while (at < to && text.charCodeAt(at) === SEMICOLON && names.length < MAX_COMPARED) {
    const from = at + 1;
    let end = from;
    let name = -1;
    for (; end < to; end += 1) {
      const code = text.charCodeAt(end);
      if (code === QUOTE) {
        end += 1;
        while (end < to && text.charCodeAt(end) !== QUOTE) end += text.charCodeAt(end) === BACKSLASH ? 2 : 1;
      } else if (code === EQUALS && name < 0) name = end;
      else if (code === SEMICOLON || code === COMMA) break;
    }
    names.push({
      name: text
        .slice(from, name < 0 ? end : name)
        .trim()
        .toLowerCase(),
      at: from,
    });
    at = end;
  }
  return names;
};

/**
 * RFC 3261 7.3.1: a parameter MUST NOT come twice. A second tag crashed servers (CVE-2018-14767), and which branch or
 * tag counts is what readers disagree about.
 */
export const checkParameters = (message: SipMessage, line: number, report: Report): void => {
  const { text } = message;
  const to = message.valueEnd(line);
  const first = startOfParameters(text, message.valueStart(line), to);
  // most values have one parameter or none
  const second = text.indexOf(';', first + 1);
  if (second < 0 || second >= to) return;
  const seen = new Set<string>();
  for (const { name, at } of namesOf(text, first, to)) {
    if (seen.has(name)) report.hit(name === 'tag' ? 'duplicate_tag' : 'duplicate_parameter', at);
    seen.add(name);
  }
};
