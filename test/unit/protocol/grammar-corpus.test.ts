import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  headerGrammar,
  scanAnyValue,
  scanRequestLine,
  scanStatusLine,
} from '../../../src/protocol/sip/grammar/index.ts';

const SIP_DATA = new URL('../../../../shared/data/sip/', import.meta.url);

const COMPACT: Readonly<Record<string, string>> = {
  a: 'accept-contact',
  b: 'referred-by',
  c: 'content-type',
  e: 'content-encoding',
  f: 'from',
  i: 'call-id',
  k: 'supported',
  l: 'content-length',
  m: 'contact',
  o: 'event',
  r: 'refer-to',
  s: 'subject',
  t: 'to',
  u: 'allow-events',
  v: 'via',
  x: 'session-expires',
};

/** One fault a line: `name at offset: value`. Splits by the letter of RFC 3261 7.3.1, with CRLF alone. */
const faultsOf = (message: string): string[] => {
  const start = message.search(/[^\r\n]/);
  const head = message.slice(start, message.indexOf('\r\n\r\n', start));
  const [first = '', ...lines] = head.split(/\r\n(?![ \t])/);
  const faults: string[] = [];
  const scanFirst = /^sip\//i.test(first) ? scanStatusLine : scanRequestLine;
  if (scanFirst(first, 0, first.length) !== first.length) faults.push(`start-line: ${first}`);
  for (const line of lines) {
    const [, written = '', value = ''] = /^([^:\s]+)[ \t]*:([^]*)$/.exec(line) ?? [];
    const name = COMPACT[written.toLowerCase()] ?? written.toLowerCase();
    const scanned = (headerGrammar(name) ?? scanAnyValue)(value, 0, value.length);
    if (scanned !== value.length) faults.push(`${name} at ${~scanned}: ${value}`);
  }
  return faults;
};

const rows = readFileSync(new URL('verdicts.csv', SIP_DATA), 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => line.replaceAll(/"[^"]*"/g, '').split(','));

const judged = (isWanted: (oracle: string) => boolean): string[] =>
  rows.filter((row) => isWanted(row[5] ?? '')).map((row) => row[0] ?? '');

const textOf = (file: string): string => readFileSync(new URL(file, SIP_DATA), 'latin1');

describe('messages of the corpus that the oracle calls valid', () => {
  test('there are some', () => {
    expect(judged((oracle) => oracle === 'valid').length).toBeGreaterThan(200);
  });

  test.each(judged((oracle) => oracle === 'valid'))('%s has a sound start-line and sound headers', (file) => {
    expect(faultsOf(textOf(file))).toEqual([]);
  });
});

describe('messages that are wrong in one line fail there', () => {
  test.each([
    ['rfc4475/badinv01.dat', ['via', 'contact']],
    ['rfc4475/quotbal.dat', ['to']],
    ['rfc4475/lwsruri.dat', ['start-line']],
    ['rfc4475/lwsstart.dat', ['start-line']],
    ['rfc4475/trws.dat', ['start-line']],
    ['rfc4475/baddate.dat', ['date']],
    ['rfc4475/badaspec.dat', ['to']],
    ['rfc4475/baddn-terminated.dat', ['from', 'to']],
    ['rfc4475/bigcode.dat', ['start-line']],
    ['rfc3665/rfc3665-003-REGISTER.sip', ['authorization']],
    ['edge/r05-tab.bin', ['start-line']],
    ['edge/r08-noport.bin', ['start-line']],
    ['edge/r15-space-user.bin', ['start-line']],
    ['edge/r17-angle.bin', ['start-line']],
    ['edge/a03-xss-ua.bin', ['user-agent']],
    ['edge/a16-maxfwd-neg.bin', ['max-forwards']],
    ['sipvicious/svmap_register-00000.in.sip', ['contact']],
  ])('%s', (file, names) => {
    expect(faultsOf(textOf(file)).map((fault) => fault.split(/ at |:/)[0])).toEqual(names);
  });
});

test('headers and start-lines of all other messages are at fault only where the verdicts say so', () => {
  const other = judged((oracle) => oracle !== 'valid' && oracle !== 'keepalive');
  const faulty = other.filter((file) => file.startsWith('rfc3665/') && faultsOf(textOf(file)).length > 0);
  expect(faulty).toEqual(['rfc3665/rfc3665-003-REGISTER.sip', 'rfc3665/rfc3665-159-INVITE.sip']);
});
