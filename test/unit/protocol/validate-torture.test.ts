import { expect, test } from 'vitest';
import type { ValidationMode, Validity } from '../../../src/model/index.ts';
import { createValidity, validateBytes } from '../../../src/protocol/index.ts';

/** The messages of RFC 4475 and RFC 5118 that the shared data lacks: their one oddity each, in a message of ours. */
const judge = (text: string, mode: ValidationMode = 'strict', stream = false): Validity => {
  const validated = validateBytes(Buffer.from(text, 'latin1'), { stream, cut: false });
  return createValidity({ mode, disabled_rules: [], rules: {} })(validated.violations, validated);
};

type Change = Readonly<Record<string, string>>;

const LINES: Change = {
  start: 'OPTIONS sip:user@example.com SIP/2.0',
  via: 'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKkdjuw',
  maxForwards: 'Max-Forwards: 70',
  from: 'From: <sip:caller@example.net>;tag=323',
  to: 'To: sip:user@example.com',
  callId: 'Call-ID: 1234abcd@funky.example.com',
  cseq: 'CSeq: 60 OPTIONS',
  length: 'l: 0',
};

const message = (change: Change, body = ''): string => {
  const lines = Object.values({ ...LINES, ...change }).filter((line) => line !== '');
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
};

const STATUS = { maxForwards: '', to: 'To: <sip:user@example.com>;tag=2229' };

const RFC_4475: readonly (readonly [string, Validity['verdict'], Change])[] = [
  [
    '3.1.1.5 % that escapes nothing',
    'accept',
    {
      start: 'RE%47IST%45R sip:registrar.example.com SIP/2.0',
      from: 'From: "%Z%45" <sip:resource@example.com>;tag=f232jadfj23',
      via: 'Via: SIP/2.0/TCP host.example.com;branch=z9hG4bK209%fzsnel234',
      cseq: 'CSeq: 29344 RE%47IST%45R',
      more: 'C%6Fntact: <sip:alias2@host2.example.com>',
    },
  ],
  ['3.1.1.6 no blank between display name and <', 'accept', { from: 'From: caller<sip:caller@example.com>;tag=323' }],
  ['3.1.1.9 parameters in the user', 'accept', { start: 'OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0' }],
  [
    '3.1.1.12 unusual reason phrase',
    'accept',
    {
      ...STATUS,
      start: 'SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\xd0\xbe \xd1\x81\xd1\x82\xd0\xbe',
    },
  ],
  ['3.1.2.3 negative Content-Length', 'reject', { length: 'Content-Length: -999' }],
  [
    '3.1.2.5 response scalars out of range',
    'drop',
    {
      ...STATUS,
      start: 'SIP/2.0 503 Service Unavailable',
      cseq: 'CSeq: 9292394834772304023312 OPTIONS',
      more: 'Retry-After: 949302838503028349304023988\r\nWarning: 1812 overture "In Progress"',
    },
  ],
  ['3.1.2.7 <> around the Request-URI', 'reject', { start: 'OPTIONS <sip:user@example.com> SIP/2.0' }],
  [
    '3.1.2.11 headers in the Request-URI',
    'reject',
    {
      start: 'OPTIONS sip:user@example.com?Route=%3Csip:example.com%3E SIP/2.0',
    },
  ],
  [
    '3.1.2.13 a Contact with headers, not in <>',
    'reject',
    {
      more: 'Contact: sip:user@example.com?Route=%3Csip:sip.example.com%3E',
    },
  ],
  ['3.1.2.18 unknown method, CSeq of another', 'reject', { start: 'NEWMETHOD sip:user@example.com SIP/2.0' }],
  ['3.3.2 unknown scheme of the Request-URI', 'accept', { start: 'OPTIONS nobodyKnowsThisScheme:opaque SIP/2.0' }],
  [
    '3.3.4 unknown schemes in headers',
    'accept',
    {
      to: 'To: isbn:2983792873',
      from: 'From: <http://www.example.com>;tag=3234233',
      more: 'Contact: <name:John_Smith>',
    },
  ],
  ['3.3.6 unknown Content-Type', 'accept', { more: 'Content-Type: application/unknownformat' }],
  ['3.3.8 single values twice', 'reject', { more: 'CSeq: 59 OPTIONS\r\nTo: sip:other@example.net\r\nMax-Forwards: 5' }],
  [
    '3.3.10 a Via to everybody in a reply',
    'accept',
    {
      ...STATUS,
      start: 'SIP/2.0 200 OK',
      more: 'Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23',
    },
  ],
  [
    '3.3.13 unknown parameter in the URI of Contact',
    'accept',
    {
      more: 'Contact: <sip:+19725552222@gw1.example.net;unknownparam>',
    },
  ],
];

test.each(RFC_4475)('RFC 4475 %s: %s', (_, verdict, change) => {
  expect(judge(message(change)).verdict).toBe(verdict);
});

const RFC_5118: readonly (readonly [string, Validity['verdict'], Change])[] = [
  [
    '4.1',
    'accept',
    { start: 'OPTIONS sip:[2001:db8::10] SIP/2.0', via: 'Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3' },
  ],
  ['4.2 without brackets', 'reject', { start: 'OPTIONS sip:2001:db8::10 SIP/2.0' }],
  ['4.3 what may be a port', 'accept', { start: 'OPTIONS sip:[2001:db8::10:5070] SIP/2.0' }],
  ['4.4 a port', 'accept', { start: 'OPTIONS sip:[2001:db8::10]:5070 SIP/2.0' }],
  [
    '4.5 received in brackets',
    'accept',
    { via: 'Via: SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255];branch=z9hG4bKas3' },
  ],
  [
    '4.5 received without',
    'accept',
    { via: 'Via: SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255;branch=z9hG4bKas3' },
  ],
  [
    '4.7 both families',
    'accept',
    { more: 'Via: SIP/2.0/TCP [2001:db8::9:255];branch=z9hG4bK451jj;received=192.0.2.200' },
  ],
  ['4.9 mapped', 'accept', { more: 'Contact: "T. desk phone" <sip:ted@[::ffff:192.0.2.2]>' }],
  ['4.10 three colons', 'accept', { start: 'OPTIONS sip:user@[2001:db8:::192.0.2.1] SIP/2.0' }],
  ['4.10 two colons', 'accept', { start: 'OPTIONS sip:user@[2001:db8::192.0.2.1] SIP/2.0' }],
];

test.each(RFC_5118)('RFC 5118 %s: %s', (_, verdict, change) => {
  expect(judge(message(change)).verdict).toBe(verdict);
});

/** As they stood in traces of phones, soft phones, PBXes, gateways and mobile networks. */
const GENUINE = [
  'Contact: <sip:ab17ea6e@10.48.38.102:50147;transport=tcp>;+u.sip!devicename.ccm.cisco.com="SEP38ED18552A12"',
  'Contact: <sip:1013@192.0.2.12:52917>;methods="INVITE,ACK,BYE,CANCEL,OPTIONS,INFO,REFER"',
  'Contact: <sip:a@192.0.2.58;pn-prid=f1EwemxKT:APA91bGdiWg1GE;pn-silent=1>;+org.linphone.specs="groupchat/1.2,lime"',
  'Contact: <sip:010@[2001:db8::62:4a1b]:5060>;q=1.00;video;+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service";v_cc',
  'Contact: <sip:df7jal23ls0d@df7jal23ls0d.invalid;transport=ws;ob>;reg-id=1;+sip.ice;expires=600',
  'Contact: <sip:pstnhub.example.com:5061;transport=tls;x-m=8:orgid:fce2158f-0e99-4ff7-a0b3-5b6b87d16689>',
  'v:SIP/2.0/UDP 139.162.206.177:5060;branch=z9hG4bK724023548;rport=5060',
  'Via: SIP/2.0/TCP 10.10.202.50:5060;branch=z9hG4bKkuJtPQPUKbreuy0GkQBlQw~~10;alias',
  'Via: SIP/2.0/TLS 192.0.2.24:5061;branch=z9hG4bK5a1b;ms-received-port=5061;ms-received-cid=2F00',
  'P-Asserted-Identity: "security-desk"<sip:+15551234567@example.com;user=phone;isup-oli=0>',
  'Remote-Party-ID: "User 1" <sip:1000@10.48.38.5>;party=calling;id-type=subscriber;privacy=off;screen=yes',
  'Session-ID: 1001532000105000a00038ed18552a12;remote=00000000000000000000000000000000',
  'Event: ua-profile;profile-type="device";vendor="snom";model="snomD120";version="10.1.39.11"',
  'P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=3114800000011C000',
  'Security-Client: ipsec-3gpp;alg=hmac-sha-1-96;prot=esp;mod=trans;ealg=aes-cbc;spi-c=1;spi-s=2;port-c=3;port-s=4',
  'Authorization: Digest username="1@ims",realm="ims",algorithm=AKAv1-MD5,nonce="",uri="sip:ims",response=""',
  'Proxy-Authorization:  Digest realm="r", nonce="n", username="3000",  uri="sip:h", response="0", nc=00000001, qop=auth',
  'Identity: eyJhbGciOiJFUzI1NiJ9.eyJ.sig;info=<https://cert.example.org/1.pem>;alg=ES256;ppt="shaken"',
  'History-Info: <sip:1@h?Reason=SIP%3Bcause%3D302>;index=1, <sip:2@h>;index=1.1',
  'Accept-Encoding: text/plain',
  'Alert-Info: <http://127.0.0.1/Bellcore-dr2>',
  'Alert-Info: ;info=alert-autoanswer',
  'Call-Info: <sip:10.0.0.1>;answer-after=0',
  'Supported: ',
  'User-Agent: LinphoneAndroid/5.2.5 ([LG-F750K (567)]0) LinphoneSDK/5.3.47 (tags/5.3.47^0)',
  'User-Agent: Linphone Desktop/4.4.1 (X) Windows 10 Version 2009, Qt 5.15.2 LinphoneCore/5.1.19-1-g6cdd0918e',
  'User-Agent: AVM FRITZ!Box Fon WLAN 7170 29.04.76 (Jul 13 2009)',
  'User-Agent: FreeSWITCH-mod_sofia/1.10.12-release-10222002881-a88d069d6f+git~20240802T210227Z~64bit',
  'Reason: Q.850;cause=16;text="Normal call clearing"',
  'Privacy: none',
];

test.each(GENUINE)('%s is taken in strict mode', (more) => {
  expect(judge(message({ more })).verdict).toBe('accept');
  expect(judge(message({ more }), 'strict', true).verdict).toBe('accept');
});

/** Against the grammar, and sent by honest software: that is what the permissive mode is for. */
test.each([
  'Supported: replaces,',
  'Require: ',
  'Expires: ',
  'Reply-To: "M\xfcller" <sip:m@example.com>',
  'Reply-To: Bob (Work) <sip:bob@example.com>',
  'Contact: <sip:1001@pbx_1.local>',
  'Record-Route: sip:192.0.2.1;lr',
  'Authorization: Digest username=a, realm="r", nonce="n", uri=sip:x, response="0"',
])('%s is refused in strict mode alone', (more) => {
  expect(judge(message({ more })).verdict).toBe('reject');
  expect(judge(message({ more }), 'permissive').verdict).toBe('accept');
});
