import fc from 'fast-check';
import { expect, test } from 'vitest';
import { headerGrammar, scanRequestLine } from '../../src/protocol/sip/grammar/index.ts';
import { ABNF } from './sip-abnf.ts';

/** Values that reach far into their rules; mutations of them stand on both sides of the border. */
const SEEDS: Readonly<Record<string, readonly string[]>> = {
  'request-line': [
    'INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0',
    "!x%y sip:1_u.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,w!*pas$wo~d@[2001:db8::1]:5060;lr=x?a=b&c= SIP/2.0",
    'OPTIONS soap.beep://u@[::1]:80/x?y SIP/2.0',
  ],
  via: [
    ' SIP / 2.0\r\n /UDP\r\n 192.0.2.2 : 5060 ;branch = 390 , SIP/2.0/TCP a.b-c.d;received=2001:db8::9:255;rport;x="y,z"',
    'SIP/2.0/UDP [::ffff:192.0.2.10]:19823;received=[::1];maddr=224.2.0.1;ttl=16',
  ],
  from: [
    '"J \\"R\\" \xc3\xa9\\\0" <sip:a;b=c@d.e:5;lr;x=[y]?h=%20>;tag=1 ; y = "z"',
    'Mr. X<tel2:+1;x=y>;t',
    ' sips:a:b,$@[1::2]:5;tag=2',
  ],
  to: ['\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n', 'http://a/b;c'],
  contact: [' * ', '* <sip:a@b>;q=0.5, "z" <x:y>, sip:c@d;expires=1 , <sip:+1-2(3)@e;user=phone;method=%41`>'],
  route: ['\r\n <sip:services.example.com;lr;unknownwith=value;unknown-no-value>', '<sip:a;lr>,"b" <sip:c> ;d'],
  'record-route': ['<sip:a;lr>'],
  'call-id': ['intmeth.word%ZK-!.*_+\'@word`~)(><:\\/"][?}{'],
  cseq: [' 0009\r\n  INVITE'],
  'max-forwards': ['0068'],
  'content-length': [' 150'],
  authorization: ['Digest username="a\\"b", realm = "c" ,nc=00000001,uri="sip:d", response="e" '],
  'proxy-authorization': ["Scheme a*=UTF-8''%20, b=c"],
  'www-authenticate': ['Digest realm="a", qop="auth,auth-int", stale=FALSE'],
  'proxy-authenticate': ['X y=z'],
  allow: ['INVITE, ACK ,BYE', ''],
  supported: ['a'],
  require: ['a, b'],
  'content-type': ['multipart/mixed ; boundary="a b" ;x=y'],
  accept: ['text/html;q=0.5;level="1", */*', ''],
  'user-agent': ['a/b (c (d \\) ) \xc3\xa9) e / f', 'Softphone Beta1.5'],
  subject: ['Need more\r\n boxes \xe5\xa4\xa7'],
  'content-disposition': ['session;handling=optional'],
  'retry-after': ['120 (I am (in) x) ;duration=3'],
  warning: ['307 isi.edu:50 "x", 301 [::1]:5060  "y" , 399 me "z"'],
  timestamp: ['54.2 1.3'],
  event: ['a.b;id=1'],
};

const PIECES = [
  ...'"\\<>;,=:@[]()*/?&%#`|.-1a{ \t\0\x7f\x80\xff',
  '\r\n ',
  '\r\n',
  '%4',
  '%41',
  '..',
  '::',
  '; ',
  ' ,',
  '\xc3\xa9',
  'sip:',
  'SIP/2.0',
];

interface Edit {
  readonly where: number;
  readonly removed: number;
  readonly piece: string;
}

const edit: fc.Arbitrary<Edit> = fc.record({
  where: fc.nat(),
  removed: fc.constantFrom(0, 0, 1, 2),
  piece: fc.oneof(fc.constantFrom(...PIECES), fc.constant('')),
});

const apply = (text: string, { where, removed, piece }: Edit): string => {
  const at = where % (text.length + 1);
  return text.slice(0, at) + piece + text.slice(at + removed);
};

test.each(Object.entries(SEEDS))('%s: the scanner and the ABNF agree on mutations of sound values', (name, seeds) => {
  const scan = name === 'request-line' ? scanRequestLine : headerGrammar(name)!;
  const rule = ABNF.get(name)!;
  for (const seed of seeds) expect([seed, rule.test(seed)]).toEqual([seed, true]);
  fc.assert(
    fc.property(fc.constantFrom(...seeds), fc.array(edit, { maxLength: 3 }), (seed, edits) => {
      const text = edits.reduce(apply, seed);
      // LF alone folds as CRLF does: that a message has such is for another rule
      expect(scan(text, 0, text.length) === text.length).toBe(rule.test(text.replaceAll(/(?<!\r)\n/g, '\r\n')));
    }),
    { numRuns: 1_000 },
  );
});
