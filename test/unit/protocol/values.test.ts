import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  canonicalHost,
  canonicalUser,
  isSameUri,
  isValueFault,
  MAX_ADDRESSES,
  MAX_VIAS,
  parameterNamed,
  readContacts,
  readCSeq,
  readNameAddr,
  readNameAddrs,
  readSipUri,
  readTelUri,
  readUri,
  readVia,
  readVias,
  uriKey,
  viaRoute,
  writeContacts,
  writeCSeq,
  writeNameAddr,
  writeUri,
  writeVia,
  writeVias,
  type Uri,
  type ValueFault,
} from '../../../src/protocol/sip/values/index.ts';

const sound = <T>(read: T | ValueFault): T => {
  if (isValueFault(read)) throw new Error(`${read.fault} at ${read.offset}`);
  return read;
};
const uri = (text: string): Uri => sound(readUri(text));

describe('URIs', () => {
  test('a SIP URI, field by field', () => {
    expect(readSipUri('sip:alice:s%65cret@[2001:db8::1]:5070;transport=tcp;lr?subject=a%20b&x=')).toEqual({
      kind: 'sip',
      scheme: 'sip',
      user: 'alice',
      password: 's%65cret',
      host: '[2001:db8::1]',
      hostKind: 'ipv6',
      port: 5070,
      params: [
        { name: 'transport', value: 'tcp' },
        { name: 'lr', value: undefined },
      ],
      headers: [
        { name: 'subject', value: 'a%20b' },
        { name: 'x', value: '' },
      ],
    });
  });

  test('RFC 4475 semiuri: `;` in the user part is the user’s', () => {
    expect(readSipUri('sip:user;par=u%40example.net@example.com')).toMatchObject({
      user: 'user;par=u%40example.net',
      host: 'example.com',
      hostKind: 'name',
      params: [],
    });
  });

  test('tel and other URIs', () => {
    expect(readTelUri('tel:863-1234;phone-context=+1-914-555')).toEqual({
      kind: 'tel',
      number: '863-1234',
      params: [{ name: 'phone-context', value: '+1-914-555' }],
    });
    expect(readUri('tel:911')).toEqual({ kind: 'tel', number: '911', params: [] });
    expect(readUri('URN:service:sos')).toEqual({ kind: 'other', scheme: 'urn', rest: 'service:sos' });
  });

  test.each([
    ['sip:alice@example.com'],
    ['sips:alice:@1.2.3.4:0;a=b;c?d=&e=f'],
    ['sip:[::1]'],
    ['sip:h?x=y'],
    ['tel:+1-201-555-0123;ext=4'],
    ['http://user@[::1]:80/a?b'],
  ])('%s is written as it was read', (text) => {
    expect(writeUri(uri(text))).toBe(text);
  });

  test.each([
    ['sip:a@b:', 'not a SIP URI', 8],
    ['sip:a@b:65536', 'port out of range', 8],
    ['sip:a@b:99999999999999999999', 'port out of range', 8],
    ['sip:a b@c', 'not a SIP URI', 5],
    ['tel:', 'not a URI', 4],
    ['none', 'not a URI', 4],
    ['', 'not a URI', 0],
  ])('%j is no URI', (text, fault, offset) => {
    expect(readUri(text)).toEqual({ fault, offset });
  });

  test('a range within a longer text; the offset is that of the text', () => {
    expect(readUri('<sip:a@b;x>', 1, 10)).toMatchObject({ host: 'b', params: [{ name: 'x' }] });
    expect(readUri('<sip:a@b;>;x=y', 1, 9)).toEqual({ fault: 'not a SIP URI', offset: 9 });
    expect(readSipUri('sip:a@b>?x=y', 0, 7)).toMatchObject({ headers: [] });
  });

  test('users are decoded once, so that no second encoding passes for the first', () => {
    expect(canonicalUser('%61l%69ce')).toBe('alice');
    expect(canonicalUser('null-%00-null')).toBe('null-\0-null');
    expect(canonicalUser('%2561')).toBe('%61');
    expect(canonicalUser('100%')).toBe('100%');
    expect(canonicalUser('%zz%4')).toBe('%zz%4');
  });

  test('hosts: case, and IPv6 written out', () => {
    expect(canonicalHost('Example.COM')).toBe('example.com');
    expect(canonicalHost('[2001:DB8::1]')).toBe(canonicalHost('[2001:0db8:0:0:0:0:0:1]'));
    expect(canonicalHost('[::ffff:192.0.2.1]')).toBe(canonicalHost('[::ffff:c000:201]'));
    expect(canonicalHost('[2001:db8:::192.0.2.1]')).toBe(canonicalHost('[2001:db8::c000:201]'));
    expect(canonicalHost('[::]')).toBe('[0:0:0:0:0:0:0:0]');
  });

  // the examples of RFC 3261 19.1.4 come first
  test.each([
    ['sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtLanTa.CoM;Transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5'],
    ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;newparam=5'],
    [
      'sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com',
      'sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com',
    ],
    [
      'sip:alice@atlanta.com?subject=project%20x&priority=urgent',
      'sip:alice@atlanta.com?priority=urgent&subject=project%20x',
    ],
    ['tel:+1-201-555-0123', 'TEL:+12015550123'],
    ['sip:a@[::1]', 'sip:a@[0:0:0:0:0:0:0:1]'],
    ['sip:a%3bb@c', 'sip:a%3Bb@c'],
  ])('%s is the same as %s', (left, right) => {
    expect([isSameUri(uri(left), uri(right)), isSameUri(uri(right), uri(left))]).toEqual([true, true]);
    expect(uriKey(uri(left))).toBe(uriKey(uri(right)));
  });

  test.each([
    ['SIP:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:6000;transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com?Subject=next%20meeting'],
    ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;security=off'],
    ['sip:a@b', 'sips:a@b'],
    ['sip:a@b', 'sip:b'],
    ['sip:a@b', 'sip:a:@b'],
    ['sip:a;b@c', 'sip:a%3bb@c'],
    ['tel:911', 'tel:+911'],
    ['tel:+1;ext=2', 'tel:+1'],
    ['sip:+1@a', 'tel:+1'],
  ])('%s is another than %s', (left, right) => {
    expect(isSameUri(uri(left), uri(right))).toBe(false);
  });
});

describe('addresses', () => {
  test('a display name loses its quotes and escapes, not its bytes', () => {
    const address = sound(readNameAddr('"J \\"R\\" \\\\ \\\0"  <sip:j@example.com;lr>;tag=1;x="a;b,c" ; y'));
    expect(address).toMatchObject({ display: 'J "R" \\ \0', uri: { user: 'j', params: [{ name: 'lr' }] } });
    expect(address.params).toEqual([
      { name: 'tag', value: '1', quoted: false },
      { name: 'x', value: 'a;b,c', quoted: true },
      { name: 'y', value: undefined, quoted: false },
    ]);
    expect(parameterNamed(address.params, 'tag')?.value).toBe('1');
  });

  test('without brackets the parameters are the header’s', () => {
    expect(readNameAddr('sip:a@b;tag=1')).toMatchObject({ uri: { params: [] }, params: [{ name: 'tag' }] });
  });

  test('folds are blanks', () => {
    expect(readNameAddr('"a\r\n  b"\r\n <sip:a@b>')).toMatchObject({ display: 'a b' });
    expect(readNameAddr('Mr.\r\n Watson<sip:a@b>')).toMatchObject({ display: 'Mr. Watson' });
  });

  test('lists', () => {
    expect(sound(readNameAddrs('<sip:a;lr>, "x,y" <sip:b>;z ,<sip:c>'))).toHaveLength(3);
    expect(readContacts(' * ')).toBe('*');
    expect(writeContacts('*')).toBe('*');
    expect(readNameAddrs('<sip:a>,')).toEqual({ fault: 'not an address', offset: 8 });
    const many = (count: number): string => Array.from({ length: count }, () => '<sip:a>').join();
    expect(readNameAddrs(many(MAX_ADDRESSES))).toHaveLength(MAX_ADDRESSES);
    expect(readNameAddrs(many(MAX_ADDRESSES + 1))).toMatchObject({ fault: 'too many addresses' });
  });

  test.each([['"Bob" <sip:b@c;lr>;tag=1;x="y\\"z";w'], ['<tel:+1>'], ['"" <sip:a>']])(
    '%s is written as read',
    (text) => {
      expect(writeNameAddr(sound(readNameAddr(text)))).toBe(text);
    },
  );

  test('a value never brings a line break into a header', () => {
    const address = sound(readNameAddr('<sip:a@b>'));
    expect(writeNameAddr({ ...address, display: 'x"\r\nVia: y' })).toBe('"x\\"  Via: y" <sip:a@b>');
  });

  test.each([
    ['Bell, A <sip:a@b>', 'not an address', 4],
    ['<sip:a@b>;', 'not a parameter', 10],
    ['<sip:a@b>, <sip:c>', 'text behind the address', 9],
    ['<sip:a@b:70000>', 'port out of range', 9],
  ])('%j is none', (text, fault, offset) => {
    expect(readNameAddr(text)).toEqual({ fault, offset });
  });
});

describe('Via', () => {
  test('RFC 4475 wsinv: white space everywhere', () => {
    const text =
      '  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239';
    const vias = sound(readVias(text));
    expect(writeVias(vias)).toBe(
      'SIP/2.0/TCP spindle.example.com;branch=z9hG4bK9ikj8, SIP/2.0/UDP 192.168.255.111;branch=z9hG4bK30239',
    );
    expect(vias[1]).toMatchObject({
      protocol: 'SIP',
      version: '2.0',
      transport: 'UDP',
      hostKind: 'ipv4',
      port: undefined,
    });
  });

  test.each([
    [
      ';branch=z;rport;received=2001:db8::1;ttl=16;maddr=224.2.0.1',
      { branch: 'z', rport: 'asked', received: '2001:db8::1', ttl: 16, maddr: '224.2.0.1' },
    ],
    [';RPORT=5060', { rport: 5060 }],
    [';rport=70000;ttl=256', {}],
    [';rport=x;ttl', {}],
    ['', {}],
  ])('where a response goes: %s', (params, route) => {
    const via = sound(readVia(`SIP/2.0/UDP h:5060${params}`));
    expect(writeVia(via)).toBe(`SIP/2.0/UDP h:5060${params}`);
    expect(viaRoute(via)).toEqual({
      branch: undefined,
      received: undefined,
      maddr: undefined,
      rport: undefined,
      ttl: undefined,
      ...route,
    });
  });

  test('faults', () => {
    expect(readVia('SIP/2.0/UDP a, SIP/2.0/UDP b')).toEqual({ fault: 'text behind the Via', offset: 13 });
    expect(readVia('SIP/2.0/UDP a:65536')).toEqual({ fault: 'port out of range', offset: 14 });
    expect(readVias('SIP/2.0/UDP a,')).toEqual({ fault: 'not a Via', offset: 14 });
    const many = Array.from({ length: MAX_VIAS + 1 }, () => 'SIP/2.0/UDP a').join();
    expect(readVias(many)).toMatchObject({ fault: 'too many Via values' });
  });
});

test('CSeq', () => {
  expect(readCSeq('0009\r\n  INVITE')).toEqual({ number: 9, method: 'INVITE' });
  expect(writeCSeq({ number: 2_147_483_647, method: 'ACK' })).toBe('2147483647 ACK');
  expect(readCSeq('2147483648 ACK')).toEqual({ fault: 'sequence number of 2^31 or more', offset: 0 });
  expect(readCSeq('36893488147419103232 REGISTER')).toMatchObject({ fault: 'sequence number of 2^31 or more' });
  expect(readCSeq('1')).toEqual({ fault: 'not a CSeq', offset: 1 });
});

test('Via, From, To, Contact and CSeq of every call flow of RFC 3665 are values', () => {
  const flows = new URL('../../../../shared/data/sip/rfc3665/', import.meta.url);
  const readers = { via: readVias, from: readNameAddr, to: readNameAddr, contact: readContacts, cseq: readCSeq };
  const files = readdirSync(flows);
  const faults: string[] = [];
  let values = 0;
  for (const file of files) {
    for (const line of readFileSync(new URL(file, flows), 'latin1')
      .split('\r\n\r\n')[0]!
      .split(/\r\n(?![ \t])/)) {
      const colon = line.indexOf(':');
      const read = readers[line.slice(0, colon).toLowerCase() as keyof typeof readers];
      if (read === undefined) continue;
      values += 1;
      const value = read(line.slice(colon + 1).trim());
      if (isValueFault(value)) faults.push(`${file}: ${value.fault}: ${line}`);
    }
  }
  expect(faults).toEqual([]);
  expect(values).toBeGreaterThan(800);
});
