import { describe, expect, test } from 'vitest';
import {
  checkRequestUri,
  isIpv4Within,
  isNumberWithin,
  isQvalue,
  isStatusWithin,
  isVersion2,
  MAX_COMMENT_DEPTH,
  MAX_CSEQ,
  MAX_DELTA_SECONDS,
  numberOf,
  scanBareUri,
  scanComment,
  scanHost,
  scanHostPort,
  scanQuoted,
  scanRequestLine,
  scanStatusLine,
  scanTelUri,
  scanText,
  scanUri,
  scanUtf8,
  skipSws,
  type Scanner,
} from '../../../src/protocol/sip/grammar/index.ts';

/** 'ok', or the offset of the fault; what stops before the end is at fault where it stopped. */
const judge = (scan: Scanner, text: string): 'ok' | number => {
  // the range stands inside of a longer text, whose rest must not be looked at
  const padded = `xx${text}xx`;
  const end = padded.length - 2;
  const next = scan(padded, 2, end);
  if (next === end) return 'ok';
  return (next < 0 ? ~next : next) - 2;
};

const sound = (name: string, scan: Scanner, texts: readonly string[]): void => {
  test.each(texts.map((text) => [text]))(`${name}: %j`, (text) => {
    expect(judge(scan, text)).toBe('ok');
  });
};

const faulty = (name: string, scan: Scanner, texts: Readonly<Record<string, number>>): void => {
  test.each(Object.entries(texts))(`no ${name}: %j fails at %i`, (text, offset) => {
    expect(judge(scan, text)).toBe(offset);
  });
};

describe('host', () => {
  sound('host', scanHost, [
    'example.com',
    'example.com.',
    'a',
    'a.b-c.d1',
    '1.example',
    '3com.x',
    '192.0.2.1',
    '999.0.0.01',
    '[2001:db8::10]',
    '[::]',
    '[::1]',
    '[1::]',
    '[1:2:3:4:5:6:7:8]',
    '[1:2:3:4:5:6:7::]',
    '[::ffff:192.0.2.10]',
    '[::192.0.2.1]',
    '[1:2:3:4:5:6:192.0.2.1]',
    // RFC 5118 4.10
    '[2001:db8:::192.0.2.1]',
    '[2001:db8::192.0.2.1]',
  ]);
  faulty('host', scanHost, {
    '': 0,
    '.': 0,
    'a..b': 2,
    '.a': 0,
    '-a': 0,
    'a-': 2,
    'a-.b': 2,
    'a.-b': 2,
    a_b: 1,
    '1.2.3': 4,
    '1.2.3.4.5': 8,
    '1.2.3.4.': 6,
    '1234.1.1.1': 9,
    'a.1': 2,
    '5': 0,
    '[': 1,
    '[]': 1,
    '[::1': 4,
    '[1:2]': 4,
    '[1:2:3:4:5:6:7:8:9]': 17,
    '[1::2::3]': 5,
    '[12345::]': 5,
    '[:::]': 3,
    '[::g]': 3,
    '[1:2:3:4:5:6:7:8::]': 18,
    '[fe80::1%eth0]': 8,
    '2001:db8::10': 0,
  });
  sound('hostport', scanHostPort, ['a:1', '[::1]:5060', '1.2.3.4:05060']);
  faulty('hostport', scanHostPort, { 'a:': 2, 'a: 1': 2, 'a:x': 2, '[::1]:': 6 });

  test('the numbers of an IPv4 address are judged apart from its grammar', () => {
    expect(isIpv4Within('255.0.0.255', 0, 11)).toBe(true);
    expect(isIpv4Within('256.0.0.1', 0, 9)).toBe(false);
    expect(isIpv4Within('1.1.1.999', 0, 9)).toBe(false);
  });
});

describe('URIs', () => {
  sound('URI', scanUri, [
    'sip:example.com',
    'SIP:example.com',
    'sips:alice@example.com:5061',
    'sip:alice:@example.com',
    'sip:alice:s3cr(e)t,$@example.com',
    // RFC 4475: intmeth, esc01, escnull, semiuri, esc02
    "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com",
    'sip:sips%3Auser%40example.com@example.net;%6C%72',
    'sip:null-%00-null@example.com',
    'sip:user;par=u%40example.net@example.com',
    'sip:example.com;lr',
    'sip:+358-555-1234567;postd=pp22@foo.com;user=phone',
    'sip:a@b;maddr=[::1];x=[y]/:&+$',
    'sip:a@b;method=REG%49STER;transport=`%~',
    'sip:a@b?subject=&priority=a%20b?c',
    'sip:a@b;p?h=v',
    "sip:a'or'1'='1@example.com",
    'tel:+1-555-0100',
    'tel:911',
    'tel:*21#;phone-context=example.com',
    'http://user@[2001:db8::1]:80/path?q',
    'http://[::1]',
    'urn:service:sos',
    'soap.beep://192.0.2.103:3002',
    'isbn:2983792873',
    'cid:x@y',
    'x:/',
    'x://',
    'mailto:a%20b@c',
  ]);
  faulty('URI', scanUri, {
    '': 0,
    ':a': 0,
    '1a:b': 0,
    'sip:': 4,
    sip: 3,
    'sip:@a': 4,
    'sip::p@a': 4,
    'sip:a@': 6,
    'sip:a@b@c': 7,
    'sip:a b@c': 5,
    'sip:%zz@c': 4,
    'sip:a%4@c': 5,
    'sip:a@b:': 8,
    'sip:a@b;': 8,
    'sip:a@b;;lr': 8,
    'sip:a@b;x=': 10,
    'sip:a@b;=x': 8,
    'sip:a@b;x="y"': 10,
    'sip:a@b?': 8,
    'sip:a@b?h': 9,
    'sip:a@b?=v': 8,
    'sip:a@b?h=v&': 12,
    'sip:a@2001:db8::1': 6,
    'sip:a\u00e9@b': 5,
    'sip:a#b@c': 5,
    'sip:[a]@b': 6,
    'x:': 2,
    'x:a[b]': 3,
    'http://x[::1]': 8,
    'x:a b': 3,
    'x:%': 2,
    '<sip:a@b>': 0,
    ' sip:a@b': 0,
  });
  faulty('bare URI', scanBareUri, {
    'sip:a@b;tag=1': 7,
    'sip:a@b?x=y': 7,
    'sip:a,b@c': 5,
    'sip:a;b@c': 5,
    'tel:+1;x=y': 6,
    'http://a/,b': 9,
  });
  sound('tel URI', scanTelUri, [
    'tel:+1-201-555-0123',
    'TEL:+(1)2.3',
    'tel:7042;phone-context=example.com',
    'tel:863-1234;phone-context=+1-914-555',
    'tel:*21#;phone-context=a.b',
    'tel:+15;ext=22;isub=12/3;x-y=[a];z',
  ]);
  faulty('tel URI', scanTelUri, {
    'tel:': 4,
    'tel:+': 5,
    'tel:+-': 6,
    'tel:911': 7,
    'tel:+1a': 6,
    'tel:+1;': 7,
    'tel:+1;x=': 9,
    'tel:1;phone-context=': 20,
    'tel:1;phone-context=-': 20,
    'sip:+1': 0,
  });

  test('a Request-URI has neither headers nor a method', () => {
    expect(judge(checkRequestUri, 'sip:u?x;y@example.com;transport=udp')).toBe('ok');
    expect(judge(checkRequestUri, 'http://a?method=b')).toBe('ok');
    expect(judge(checkRequestUri, 'sip:user@example.com?Route=%3Csip:example.com%3E')).toBe(20);
    expect(judge(checkRequestUri, 'sip:a@b;lr;Method=INVITE')).toBe(11);
  });
});

describe('start-lines', () => {
  sound('request line', scanRequestLine, [
    'OPTIONS sip:bob@example.com SIP/2.0',
    'OPTIONS sip:bob@example.com sip/2.0',
    'OPTIONS sip:t.watson@example.org SIP/7.0',
    "!interesting-Method0123456789_*+`.%indeed'~ tel:+15550100 SIP/2.0",
    'OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0',
    'REGISTER sip:[2001:db8::10]:5070 SIP/2.0',
  ]);
  faulty('request line', scanRequestLine, {
    '': 0,
    'INVITE  sip:user@example.com SIP/2.0': 7,
    'INVITE sip:user@example.com; lr SIP/2.0': 28,
    'INVITE sip:user@example.com SIP/2.0  ': 35,
    'INVITE <sip:user@example.com> SIP/2.0': 7,
    'OPTIONS\tsip:a@b SIP/2.0': 7,
    'OPTIONS sip:a@b: SIP/2.0': 16,
    'OPTIONS sip:a@b SIP/2': 21,
    'OPTIONS sip:a@b SIP/.0': 20,
    'OPTIONS sip:a@b SIP/2.': 22,
    'OPTIONS sip:a@b SIP / 2.0': 16,
    'OPTIONS sip:a@b': 15,
    'OPT(ONS sip:a@b SIP/2.0': 3,
    'REGISTER sip:2001:db8::10 SIP/2.0': 13,
  });
  sound('status line', scanStatusLine, [
    'SIP/2.0 200 OK',
    'SIP/2.0 100 ',
    'SIP/2.0 000 x',
    'SIP/2.0 200 = 2**3 * 5**2 \u00d0\u00bd\u00d0\u00be \u0080',
    'SIP/2.0 404 Not%20Found\t!',
  ]);
  faulty('status line', scanStatusLine, {
    'SIP/2.0 200': 11,
    'SIP/2.0 4294967301 better not break the receiver': 11,
    'SIP/2.0 20 OK': 10,
    'SIP/2.0  200 OK': 8,
    'SIP/2.0 200 <OK>': 12,
    'SIP/2.0 200 100%': 15,
    'SIP/2.0 200 a\u00c3b': 14,
  });

  test('which version it is', () => {
    expect(isVersion2('SIP/2.0', 0, 7)).toBe(true);
    expect(isVersion2('sip/2.0', 0, 7)).toBe(true);
    expect(isVersion2('SIP/7.0', 0, 7)).toBe(false);
    expect(isVersion2('SIP/2.00', 0, 8)).toBe(false);
  });
});

describe('words', () => {
  sound('quoted string', scanQuoted, [
    '""',
    '"a"',
    '"\\""',
    '"\\\0\\\u0007\\\u007f"',
    '"a\r\n b"',
    '"\u00d1\u0080\u00fc\u0080\u0080\u0080\u0080\u0080"',
    '"\t<;>,"',
  ]);
  faulty('quoted string', scanQuoted, {
    a: 0,
    '"': 1,
    '"a': 2,
    '"a"b': 3,
    '"\\': 2,
    '"\\"': 3,
    '"\\\r"': 2,
    '"\0"': 1,
    '"\u007f"': 1,
    '"a\r\nb"': 2,
    '"\u0080"': 1,
    '"\u00d1"': 2,
    '"\\\u00e9"': 2,
    '"\u00fe"': 1,
  });
  sound('comment', scanComment, ['(a)', ' ( a (b \\) "c) )  ', '()', '(\u00c3\u00a9\r\n x)']);
  faulty('comment', scanComment, { '(': 1, '(a': 2, '(a))': 3, a: 0, '(\\': 2, '(\0)': 1 });
  sound('text', scanText, [
    '',
    ' ',
    ';;,,;;,;',
    'a\r\n b\r\n\t\r\n c',
    '\u0080\u00bf',
    '\u00ef\u00bb\u00bf\u00e5\u00a4\u00a7',
  ]);
  faulty('text', scanText, { 'a\0': 1, '\u007f': 0, 'a\r\nb': 1, '\u00c3': 1, '\u00ff': 0 });
  faulty('UTF-8 character', scanUtf8, { a: 0, '\u0080': 0, '\u00e0\u0080': 2, '\u00c3\u00a9\u00c3\u00a9': 2 });

  test('comments nest to a depth that no recursion sets', () => {
    const nested = (depth: number): string => `${'('.repeat(depth)}${')'.repeat(depth)}`;
    expect(judge(scanComment, nested(MAX_COMMENT_DEPTH))).toBe('ok');
    expect(judge(scanComment, nested(MAX_COMMENT_DEPTH + 1))).toBe(MAX_COMMENT_DEPTH);
    expect(judge(scanComment, '('.repeat(60_000))).toBe(MAX_COMMENT_DEPTH);
  });

  test('one fold is white space, an empty line in between is not', () => {
    expect(skipSws(' \t\r\n  x', 0, 7)).toBe(6);
    expect(skipSws('\n x', 0, 3)).toBe(2);
    expect(skipSws(' \r\nx', 0, 4)).toBe(1);
    expect(skipSws(' \r\n', 0, 3)).toBe(1);
    expect(skipSws(' \r x', 0, 4)).toBe(1);
    expect(skipSws('\r\n \r\n x', 0, 8)).toBe(3);
  });
});

describe('bounds', () => {
  const within = (digits: string, most: number): boolean => isNumberWithin(digits, 0, digits.length, most);

  test('the last number that fits and the first that does not', () => {
    expect(within('2147483647', MAX_CSEQ)).toBe(true);
    expect(within('2147483648', MAX_CSEQ)).toBe(false);
    expect(within('0000000000000000000000000009', MAX_CSEQ)).toBe(true);
    expect(within('4294967295', MAX_DELTA_SECONDS)).toBe(true);
    expect(within('36893488147419103232', MAX_DELTA_SECONDS)).toBe(false);
  });

  test('numbers of any length', () => {
    expect(numberOf('9007199254740991', 0, 16)).toBe(Number.MAX_SAFE_INTEGER);
    expect(numberOf('9007199254740992', 0, 16)).toBe(Infinity);
    expect(numberOf('9'.repeat(60_000), 0, 60_000)).toBe(Infinity);
  });

  test('status codes and q-values', () => {
    expect(['100', '699'].every((code) => isStatusWithin(code, 0, 3))).toBe(true);
    expect(['099', '700', '999'].some((code) => isStatusWithin(code, 0, 3))).toBe(false);
    expect(['0', '1', '0.', '0.333', '1.000'].every((q) => isQvalue(q, 0, q.length))).toBe(true);
    expect(['', '2', '1.1', '0.3333', '.5', '-1', '0,5'].some((q) => isQvalue(q, 0, q.length))).toBe(false);
  });
});
