import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { shippedTools } from '../../../src/enrich/index.ts';
import type { SipView } from '../../../src/model/index.ts';
import { isSipFault, readSip } from '../../../src/protocol/index.ts';
import { view } from '../detect/events.ts';

const readFingerprint = shippedTools();

const SIP_DATA = new URL('../../../../shared/data/sip/', import.meta.url);
const party = (part: Partial<SipView['from']>): SipView['from'] => ({
  display: '',
  user: '',
  host: '',
  tag: '',
  ...part,
});
const markOf = (bytes: Buffer) => {
  const sip = readSip(bytes);
  return isSipFault(sip) ? null : readFingerprint(sip);
};
const filesIn = (folder: string): string[] => readdirSync(new URL(folder, SIP_DATA)).map((file) => `${folder}${file}`);
const payloads = (trace: string): Buffer[] =>
  readFileSync(new URL(`traces/${trace}.jsonl`, SIP_DATA), 'utf8')
    .trim()
    .split('\n')
    .map((line) => Buffer.from((JSON.parse(line) as { b64: string }).b64, 'base64'));

test.each(filesIn('sipvicious/'))('%s is sipvicious, also with another User-Agent', (file) => {
  const text = readFileSync(new URL(file, SIP_DATA), 'latin1').replace('friendly-scanner', 'Yealink SIP-T46G');
  expect(markOf(Buffer.from(text, 'latin1'))).toMatchObject({ tool: 'sipvicious', risk: 'low' });
});

test.each([...filesIn('rfc3665/'), ...filesIn('rfc4475/')])('%s is nobody’s tool', (file) => {
  expect(markOf(readFileSync(new URL(file, SIP_DATA)))).toBeNull();
});

test.each(['client-baresip', 'client-baresip_tcp'])('%s: nothing is taken for a tool', (trace) => {
  expect(payloads(trace).map(markOf).filter(Boolean)).toEqual([]);
});

test('the password that svcrack carries is never repeated', () => {
  const tag = `${Buffer.from('200:Secret123').toString('hex')}01${Buffer.from('1592852999').toString('hex')}`;
  const mark = readFingerprint(view({ from: party({ tag }) }));
  expect(mark).toMatchObject({ tool: 'sipvicious', risk: 'low' });
  expect(JSON.stringify(mark)).not.toContain('Secret123');
});

test.each([
  ['upper case', `${Buffer.from('klm').toString('hex')}01${Buffer.from('1592852999').toString('hex')}`.toUpperCase()],
  ['too few digits', `${Buffer.from('200').toString('hex')}01${Buffer.from('159').toString('hex')}`],
  ['no separator', Buffer.from('2001592852999').toString('hex')],
  ['an ordinary tag', '69f9beaab3e182f1'],
])('a tag with %s is not sipvicious', (_, tag) => {
  expect(readFingerprint(view({ from: party({ tag }) }))).toBeNull();
});

test.each<[string, string, string, Partial<SipView>]>([
  ['svcrack’s constant tag', 'sipvicious', 'low', { from: party({ tag: '3206210844' }), callId: '3272641017' }],
  ['svmap’s party', 'sipvicious', 'low', { from: party({ user: '100', host: '1.1.1.1' }) }],
  ['svmap’s name', 'sipvicious', 'low', { to: party({ display: 'SIPVicious' }) }],
  ['decimal branch and Call-ID', 'sipvicious', 'medium', { viaBranch: 'z9hG4bK-2930941279', callId: '427291709' }],
  ['sippts’ branch', 'sippts', 'low', { viaBranch: 'a1'.repeat(35) + 'b', callId: '0f'.repeat(16) }],
  ['sippts’ SDP', 'sippts', 'low', { bodyStart: 'v=0\r\no=x\r\ns=SIPPTS\r\n' }],
  ['sipcli’s SDP', 'sipcli', 'low', { bodyStart: 'v=0\r\no=sipcli-Session 1 2 IN IP4 x\r\ns=-\r\n' }],
  ['sipcli’s branch', 'sipcli', 'medium', { viaBranch: `z9hG4bK-${'0f'.repeat(16)}`, callId: '0f'.repeat(16) }],
  ['SIPp’s tag', 'sipp', 'high', { from: party({ tag: '4711SIPpTag001' }) }],
  [
    'SIPp’s subject',
    'sipp',
    'high',
    { viaBranch: 'z9hG4bK-26490-1-0', headers: [{ name: 's', value: 'Performance Test' }] },
  ],
  ['nmap’s probe', 'nmap', 'low', { from: party({ user: 'nm', host: 'nm', tag: 'root' }) }],
  [
    'the NSE library',
    'nmap',
    'low',
    {
      headers: [
        { name: 'Allow', value: 'PRACK, INVITE ,ACK, BYE, CANCEL, UPDATE, SUBSCRIBE,NOTIFY, REFER, MESSAGE, OPTIONS' },
      ],
      callId: 'aB3'.repeat(20),
      from: party({ tag: 'aB3x'.repeat(5) }),
    },
  ],
])('%s', (_, tool, risk, part) => {
  expect(readFingerprint(view(part))).toMatchObject({ tool, risk });
});

test('a decimal Call-ID or a dashed branch alone means nothing', () => {
  expect(readFingerprint(view({ callId: '427291709' }))).toBeNull();
  expect(readFingerprint(view({ viaBranch: 'z9hG4bK-2930941279' }))).toBeNull();
  expect(readFingerprint(view({ viaBranch: 'z9hG4bK-524287-1---5e3cdfc3f3e8f91e', callId: '427291709' }))).toBeNull();
});

test('most messages are judged without their header lines, which cost more than everything else', () => {
  const sip = view({ viaBranch: 'z9hG4bK3d8a8de180e364e4', callId: '3180ebf4a57e067b' });
  Object.defineProperty(sip, 'headers', {
    get: () => {
      throw new Error('header lines were read');
    },
  });
  expect(readFingerprint(sip)).toBeNull();
});
