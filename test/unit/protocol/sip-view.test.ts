import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { SipView } from '../../../src/model/index.ts';
import { isSipFault, readSip } from '../../../src/protocol/index.ts';

const SIP_DATA = new URL('../../../../shared/data/sip/', import.meta.url);
const sample = (path: string): Buffer => readFileSync(new URL(path, SIP_DATA));

const read = (bytes: Buffer | string): SipView => {
  const view = readSip(Buffer.from(bytes as string, 'latin1'));
  if (isSipFault(view)) throw new Error(`${view.fault}: ${view.detail}`);
  return view;
};
const message = (...lines: string[]): string => ['REGISTER sip:example.com SIP/2.0', ...lines, '', ''].join('\r\n');
const faultOf = (bytes: Buffer | string): string => {
  const view = readSip(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  return isSipFault(view) ? view.fault : 'none';
};

test('a REGISTER of sipvicious, field by field', () => {
  const { headers, ...fields } = read(sample('sipvicious/svcrack_dict-00002.in.sip'));
  expect(headers).toHaveLength(11);
  expect(fields).toEqual({
    method: 'REGISTER',
    requestUri: 'sip:127.0.7.1',
    requestUser: '',
    requestHost: '127.0.7.1',
    from: { display: '101', user: '101', host: '127.0.7.1', tag: '3130313a313233340133313539323835323939' },
    to: { display: '101', user: '101', host: '127.0.7.1', tag: '' },
    callId: '3272641017',
    cseq: 2,
    userAgent: 'friendly-scanner',
    userAgents: ['friendly-scanner'],
    contact: 'sip:123@1.1.1.1',
    viaBranch: 'z9hG4bK-1886535691',
    authUser: '101',
    bodyStart: '',
    tricks: [],
  });
});

test('RFC 4475 wsinv: folding, blanks around separators, compact forms, a quoted backslash and quote', () => {
  const view = read(sample('rfc4475/wsinv.dat'));
  expect(view.to).toEqual({ display: '', user: 'vivekg', host: 'chair-dnrc.example.com', tag: '1918181833n' });
  expect(view.from).toEqual({ display: 'J Rosenberg \\"', user: 'jdrosen', host: 'example.com', tag: '98asjd8' });
  expect(view).toMatchObject({ cseq: 9, viaBranch: '390skdjuw' });
  expect(view.headers).toContainEqual({
    name: 'NewFangledHeader',
    value: 'newfangled value continued newfangled value',
  });
  expect(view.bodyStart).toContain('o=mhandley');
});

test('RFC 4475 intmeth: every token character, UTF-8, a password in the user part', () => {
  const view = read(sample('rfc4475/intmeth.dat'));
  expect(view.method).toBe("!interesting-Method0123456789_*+`.%indeed'~");
  expect(view.requestUser).toBe("1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*");
  expect(view.from.tag).toBe("_token~1'+`*%!-.");
  expect(view.headers.at(-2)?.value).toContain('大停電');
});

test.each(readdirSync(new URL('rfc4475/', SIP_DATA)))('RFC 4475 %s is read as a request or as a reply', (file) => {
  expect(['none', 'reply']).toContain(faultOf(sample(`rfc4475/${file}`)));
});

test.each([
  ['"Bob" <sip:200@host;lr>;tag=x', { display: 'Bob', user: '200', host: 'host', tag: 'x' }],
  [
    'Bob B. <sips:200:secret@[2001:db8::1]:5061>;tag=x',
    { display: 'Bob B.', user: '200', host: '2001:db8::1', tag: 'x' },
  ],
  ['sip:200@host:5060;tag=x', { display: '', user: '200', host: 'host', tag: 'x' }],
  ['<sip:host>;tag="q;x"', { display: '', user: '', host: 'host', tag: 'q;x' }],
  [
    '"<sip:999@evil>" <sip:200@host>;a="tag=no";tag=x',
    { display: '<sip:999@evil>', user: '200', host: 'host', tag: 'x' },
  ],
  ['<sip:2%300@host>', { display: '', user: '2%300', host: 'host', tag: '' }],
  ['<tel:+4420;phone-context=x>;TAG = x', { display: '', user: '+4420', host: '', tag: 'x' }],
  ['200@host', { display: '', user: '200', host: 'host', tag: '' }],
  ['"open quote <sip:200@host>', { display: 'open quote <sip:200@host>', user: '', host: '', tag: '' }],
  ['<urn:service:sos>', { display: '', user: '', host: '', tag: '' }],
])('From: %s', (value, party) => {
  expect(read(message(`From: ${value}`)).from).toEqual(party);
});

test('compact forms fill the named fields, headers keep the names as written', () => {
  const view = read(message('v: SIP/2.0/UDP h;branch=b', 'f: <sip:1@h>', 't: <sip:2@h>', 'i: id', 'm: <sip:1@c>'));
  expect(view).toMatchObject({
    viaBranch: 'b',
    callId: 'id',
    contact: '<sip:1@c>',
    from: { user: '1' },
    to: { user: '2' },
  });
  expect(view.headers.map(({ name }) => name)).toEqual(['v', 'f', 't', 'i', 'm']);
});

test('of a header that comes twice the first counts, both are kept', () => {
  const view = read(message('User-Agent: Yealink', 'User-Agent: friendly-scanner'));
  expect(view.userAgent).toBe('Yealink');
  expect(view.headers).toHaveLength(2);
});

test.each([
  ['Digest username="200", realm="r"', '200'],
  ['digest realm="a, username=\\"no\\"", username="2\\"00"', '2"00'],
  ['Digest nonce=x, username=200', '200'],
  ['Digest realm="r"', ''],
  ['Basic dXNlcjpwYXNz', ''],
])('the username of %s', (credentials, user) => {
  expect(read(message(`Authorization: ${credentials}`)).authUser).toBe(user);
  expect(read(message(`Proxy-Authorization: ${credentials}`)).authUser).toBe(user);
});

test('padding hides nothing: values are read in full and then cut', () => {
  const view = read(message(`From: "${'x'.repeat(5_000)}" <sip:200@host>;tag=t`));
  expect(view.from).toMatchObject({ user: '200', tag: 't' });
  expect(view.from.display).toHaveLength(1_024);
});

test('headers beyond the cap are not kept, but still fill the named fields', () => {
  const view = read(message(...Array.from({ length: 300 }, () => 'X: y'), 'From: <sip:200@h>'));
  expect(view.headers).toHaveLength(128);
  expect(view.from.user).toBe('200');
});

test('bytes that are not UTF-8 are read as latin1, each value for itself', () => {
  const view = read(
    Buffer.from(message('User-Agent: M\xfcller', 'Subject: Stra\xc3\x9fe'), 'latin1').toString('latin1'),
  );
  expect(view.userAgent).toBe('Müller');
  expect(view.headers[1]?.value).toBe('Straße');
});

test('line feeds alone end lines too', () => {
  expect(read('OPTIONS sip:a@b SIP/2.0\nFrom: <sip:1@h>\n\nbody')).toMatchObject({
    from: { user: '1' },
    bodyStart: 'body',
  });
});

test.each([
  ['12 INVITE', 12],
  ['0009 INVITE', 9],
  ['4294967296 INVITE', 4_294_967_296],
  ['36893488147419103232 INVITE', -1],
  ['INVITE', -1],
])('CSeq: %s is %i', (value, cseq) => {
  expect(read(message(`CSeq: ${value}`)).cseq).toBe(cseq);
});

test.each([
  [Buffer.alloc(0), 'empty'],
  [Buffer.from('\r\n\r\n'), 'keep-alive'],
  [Buffer.alloc(64), 'keep-alive'],
  [Buffer.from('jaK'), 'keep-alive'],
  ['hello', 'keep-alive'],
  ['hello\r\n', 'not-sip'],
  ['abcdefghijklmnopqrs', 'keep-alive'],
  ['abcdefghijklmnopqrst', 'not-sip'],
  [sample('edge/f06-stun.bin'), 'keep-alive'],
  ['\0\x01\0\x00transaction-id-1', 'keep-alive'],
  ['\0\x01\0\x08transaction-id-1\0\x03\0\x04\0\0\0\0', 'keep-alive'],
  ['\0\x01\0\x09transaction-id-1\0\x03\0\x04\0\0\0\0', 'not-sip'],
  ['SIP/2.0 200 OK\r\nVia: x\r\n\r\n', 'reply'],
  ['SIP/2.0 200 OK\r\n\r\n', 'no-headers'],
  ['GET / HTTP/1.1\r\nHost: x\r\n\r\n', 'not-sip'],
  ['\x16\x03\x01\x02\x00\x01\x00', 'not-sip'],
  ['REGISTER SIP/2.0\r\nVia: x\r\n\r\n', 'not-sip'],
  ['OPTIONS sip:a SIP/2.0', 'no-headers'],
  ['OPTIONS sip:a SIP/2.0\r\nno colon\r\n\r\n', 'no-headers'],
])('%j gives %s', (bytes, fault) => {
  expect(faultOf(bytes)).toBe(fault);
});

test.each([' ', '\t', '\0', '\x0b', '   ', '\r\n '])('%j before the method hides nothing: servers skip it', (blank) => {
  const text = `${blank}${message('From: <sip:200@h>', 'User-Agent: friendly-scanner')}`;
  expect(read(text)).toMatchObject({ method: 'REGISTER', from: { user: '200' }, userAgent: 'friendly-scanner' });
});

test.each(['IN:VITE', 'INV\xfcTE', 'A'.repeat(72)])('the method %s is one to servers, and to us', (method) => {
  expect(read(`${method} sip:100@h SIP/2.0\r\nVia: x\r\n\r\n`)).toMatchObject({
    method: method.slice(0, 64),
    requestUser: '100',
  });
});

test('SIP that looks like STUN is no keep-alive', () => {
  const text = ' INV\x21\x12\xa4\x42 sip:100@h SIP/2.0\r\nVia: x\r\n\r\n';
  expect(read(text)).toMatchObject({ requestUser: '100' });
  // without the cookie (RFC 3489) nothing but the size tells them apart
  const classic = 'A sip:100@h SIP/2.0\r\nv:x\r\n\r\n';
  expect(read(`\0\x01\0${String.fromCharCode(classic.length - 16)}${classic}`)).toMatchObject({ requestUser: '100' });
});

test.each([
  ['Digest\tusername="100"', '100'],
  ['Digest username="100",username="trap"', 'trap'],
  ['Digest realm="a, username=no", username="trap@example.com"', 'trap'],
])('%j is read as Kamailio reads it', (credentials, user) => {
  expect(read(message(`Authorization: ${credentials}`)).authUser).toBe(user);
});

test('of two tags the last counts, as for Kamailio', () => {
  expect(read(message('From: <sip:1@h>;tag=q;tag=r;x=y')).from.tag).toBe('r');
  expect(read(message('From: <sip:1@h;tag=u>;tag=q')).from.tag).toBe('q');
});
