/**
 * A message as an operator may keep and show it: no secret in it, at most 2 KB. Written for messages that are wrong on
 * purpose, so it trusts no grammar: it works on lines, and leaves out whatever it does not know to be harmless.
 */

/** Of the redacted text, which is UTF-8. */
export const MAX_SAMPLE_BYTES = 2_048;
/** Read of the message; what is behind it would not fit anyway. */
const MAX_READ_BYTES = 16_384;
const MAX_LINE_CHARS = 400;
const GONE = '<redacted>';

/** Headers whose value is a credential, or may be: also misspelt ones, and those that vendors make up. */
const SECRET_NAME = /auth|credential|passw|secret|token|cookie|api-?key/i;
/** Of Digest, what helps to understand an attack and opens nothing. */
const HARMLESS_PARAMETER = new Set([
  'username',
  'realm',
  'uri',
  'algorithm',
  'qop',
  'nc',
  'stale',
  'domain',
  'userhash',
]);
const SCHEME = /^(?:Digest|Basic|Bearer|NTLM|Negotiate|Kerberos|TLS-DSK)(?=[ \t])/i;
/** `name=value` or `name="value"`, as far as somebody wrote it well. */
const PARAMETER = /^\s{0,8}([A-Za-z*-]{1,32})\s{0,8}=\s{0,8}("[^"\\]*"|[^\s",\\]+)\s{0,8}$/;
/** Wherever it stands: the last net below the others. */
const NAMED_SECRET =
  /\b(response|cnonce|nextnonce|nonce|opaque|rspauth|password|passwd|pwd|secret|token|sd|sess|key)\s{0,8}=\s{0,8}(<redacted>|"[^"]*"?|[^\s,;>]*)/gi;
/** sipvicious keeps `user:password` in the From tag as hex: payload, byte 01, digits (see svcrack). */
const HEX_RUN = /[0-9a-f]{8,}/gi;
// oxlint-disable-next-line no-control-regex -- byte 01 is the mark
const TOOL_MEMORY = /[\x20-\x7e]\u0001\d/;
const SECRET_SDP = /^a\s{0,8}=\s{0,8}(crypto|key-mgmt|ice-pwd)|inline:/i;
const REQUEST_LINE = /\sSIP\/2\.0\s*$/i;
const SDP_LINE = /^[a-z]=/;

const URI_SCHEME = /(?:^|[^a-z0-9])sips?:/i;

/** At the commas outside of quotes; a quote that is never closed reaches to the end. */
const parametersOf = (text: string): string[] => {
  const parts: string[] = [];
  let from = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === '"') quoted = !quoted;
    if (char !== ',' || quoted) continue;
    parts.push(text.slice(from, at));
    from = at + 1;
  }
  parts.push(text.slice(from));
  return parts;
};

const credentials = (value: string): string => {
  const scheme = SCHEME.exec(value)?.[0];
  if (scheme === undefined) return GONE;
  if (scheme.toLowerCase() !== 'digest') return `${scheme} ${GONE}`;
  const kept = parametersOf(value.slice(scheme.length)).map((part) => {
    const [, name, given] = PARAMETER.exec(part) ?? [];
    if (name === undefined || given === undefined) return GONE;
    return HARMLESS_PARAMETER.has(name.toLowerCase())
      ? `${name}=${given}`
      : `${/^[a-z]+$/i.test(name) ? name : '?'}=${GONE}`;
  });
  return `${scheme} ${kept.join(', ')}`;
};

/** `user:password@host`: what follows the first colon of a user part goes, whatever stands before and behind it. */
const withoutPasswords = (text: string): string =>
  text.replace(/[^\s<>"]+/g, (word) => {
    const end = word.lastIndexOf('@');
    if (end < 0) return word;
    const scheme = URI_SCHEME.exec(word.slice(0, end));
    const from = word.indexOf(':', scheme === null ? 0 : scheme.index + scheme[0].length);
    return from < 0 || from > end ? word : `${word.slice(0, from)}:${GONE}${word.slice(end)}`;
  });

const withoutToolMemory = (text: string): string =>
  text.replace(HEX_RUN, (run) => {
    // an attacker may put a digit before it, so that the pairs are others
    const reads = [run, run.slice(1)].map((hex) => Buffer.from(hex, 'hex').toString('latin1'));
    return reads.some((read) => TOOL_MEMORY.test(read)) ? GONE : run;
  });

const cleaned = (text: string): string =>
  withoutToolMemory(withoutPasswords(text)).replace(NAMED_SECRET, (_, name: string) => `${name}=${GONE}`);

const headerLine = (line: string): string => {
  const colon = line.indexOf(':');
  if (colon < 0) return SECRET_NAME.test(line) ? GONE : cleaned(line);
  const name = line.slice(0, colon);
  const value = line.slice(colon + 1).trim();
  const shown = cleaned(name);
  if (SECRET_NAME.test(name)) return `${shown}: ${cleaned(credentials(value))}`;
  // a second header in the line, behind a NUL or what else a reader may take for an end
  return SECRET_NAME.test(value) && /digest|basic|bearer/i.test(value)
    ? `${shown}: ${GONE}`
    : `${shown}: ${cleaned(value)}`;
};

const bodyLines = (lines: readonly string[]): string[] => {
  let left = 0;
  const kept = lines.flatMap((line) => {
    if (line === '') return [];
    if (!SDP_LINE.test(line)) {
      left += 1;
      return [];
    }
    if (line.startsWith('k=')) return [`k=${GONE}`];
    const secret = SECRET_SDP.exec(line);
    return [secret === null ? cleaned(line) : `a=${secret[1] ?? 'key'}:${GONE}`];
  });
  return left === 0 ? kept : [...kept, `(${left} line${left === 1 ? '' : 's'} of the body left out)`];
};

/** Folded lines belong to the one before: a secret may stand in any of them. */
const unfolded = (lines: readonly string[]): string[] => {
  const whole: string[] = [];
  for (const line of lines) {
    if (/^[ \t]/.test(line) && whole.length > 0) whole[whole.length - 1] += ` ${line.trim()}`;
    else whole.push(line);
  }
  return whole;
};

/** Bytes of UTF-8, cut between two characters. */
const bounded = (text: string): string => {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= MAX_SAMPLE_BYTES) return text;
  const mark = '\n...';
  let end = MAX_SAMPLE_BYTES - Buffer.byteLength(mark);
  while ((bytes[end]! & 0xc0) === 0x80) end -= 1;
  return `${bytes.toString('utf8', 0, end)}${mark}`;
};

/**
 * Of credentials stay scheme, username, realm, uri, algorithm, qop and nc; of a body stay SDP lines without keys; passwords
 * in URIs and the guessed password in a tag of sipvicious go. Lines are separated by LF, folds undone. Attacker's text: to
 * be escaped where it is shown. Never throws.
 */
export const redactMessage = (message: Buffer): string => {
  const cut = message.length > MAX_READ_BYTES;
  const lines = message.toString('latin1', 0, MAX_READ_BYTES).split(/\r\n|\n|\r/);
  // half a line may hold a secret that is not yet known for one; what ends a message well is an empty last line
  if (cut || !lines.slice(0, -1).includes('')) lines[lines.length - 1] = '(cut)';
  const blank = lines.indexOf('');
  const head = unfolded(blank < 0 ? lines : lines.slice(0, blank));
  const body = blank < 0 ? [] : bodyLines(lines.slice(blank + 1));
  const shown = head.map((line, at) =>
    at === 0 && REQUEST_LINE.test(line) && !SECRET_NAME.test(line.split(':', 1)[0] ?? '')
      ? cleaned(line)
      : headerLine(line),
  );
  if (body.length > 0) shown.push('', ...body);
  const text = shown
    .map((line) => (line.length > MAX_LINE_CHARS ? `${line.slice(0, MAX_LINE_CHARS)}...` : line))
    .join('\n');
  return bounded(Buffer.from(text, 'latin1').toString('utf8').toWellFormed());
};
