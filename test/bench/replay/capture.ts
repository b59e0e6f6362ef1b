import { closeSync, openSync, writeSync } from 'node:fs';
import { addressOf } from '../process/messages.ts';
import { LINKS, pcap, udpPacket } from '../../unit/protocol/capture/build.ts';

const SERVER = '192.0.2.10';
const SOURCES = 20_000;
const BATCH = 2_000;

const requestOf = (n: number, who: number, step: Step): string => {
  const ip = addressOf(who);
  const port = 1_024 + (who % 60_000);
  const user = 1_000 + (who % 9_000);
  const { method } = step;
  const uri = method === 'INVITE' ? 'sip:00493012345@voip.example.net' : 'sip:voip.example.net';
  return [
    `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/UDP ${ip}:${port};branch=z9hG4bK${n}x${who};rport`,
    'Max-Forwards: 70',
    `From: "Phone ${user}" <sip:${user}@voip.example.net>;tag=${who}a${n >> 3}`,
    `To: <${method === 'INVITE' ? uri : `sip:${user}@voip.example.net`}>`,
    `Call-ID: ${n >> 2}_${who}@${ip}`,
    `CSeq: ${1 + (n % 90)} ${method}`,
    `Contact: <sip:${user}@${ip}:${port}>`,
    'Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REGISTER, SUBSCRIBE, REFER, PUBLISH, UPDATE, MESSAGE',
    'User-Agent: Yealink SIP-T46U 108.86.0.20',
    ...(step.answers
      ? [
          `Authorization: Digest username="${user}", realm="voip.example.net", nonce="n${(n >> 2) * 4}w${who}", uri="${uri}", response="6629fae49393a05397450978507c4ef1", algorithm=MD5`,
        ]
      : []),
    ...(method === 'REGISTER' ? ['Expires: 600'] : []),
    'Content-Length: 0',
    '\r\n',
  ].join('\r\n');
};

const replyOf = (request: string, n: number, who: number, code: string): string =>
  [
    `SIP/2.0 ${code}`,
    ...request.split('\r\n').filter((line) => /^(?:Via|From|Call-ID|CSeq|Contact):/.test(line)),
    `${request.split('\r\n').find((line) => line.startsWith('To:'))};tag=s${n}`,
    ...(code.startsWith('401')
      ? [`WWW-Authenticate: Digest realm="voip.example.net", nonce="n${(n >> 2) * 4}w${who}", algorithm=MD5`]
      : []),
    'Content-Length: 0',
    '\r\n',
  ].join('\r\n');

interface Step {
  readonly method: string;
  readonly answers: boolean;
  readonly code: string;
}

/** What a phone does: registers (challenged, then accepted), is asked whether it lives, calls somebody who is busy. */
const STEPS: readonly Step[] = [
  { method: 'REGISTER', answers: false, code: '401 Unauthorized' },
  { method: 'REGISTER', answers: true, code: '200 OK' },
  { method: 'OPTIONS', answers: false, code: '200 OK' },
  { method: 'INVITE', answers: true, code: '486 Busy Here' },
];

/** Writes a capture of a busy server, requests and their replies, about 800 messages a second. @returns its bytes */
export const writeCapture = (file: string, messages: number): number => {
  const [linkType, wrap] = LINKS['ethernet']!;
  const handle = openSync(file, 'w');
  let bytes = 0;
  try {
    const write = (part: Buffer): void => {
      bytes += writeSync(handle, part);
    };
    const header = pcap([], { linkType });
    write(header);
    let at = 1_700_000_000_000;
    let packets = [];
    for (let n = 0; n < messages / 2; n += 1) {
      const who = ((n >> 2) * 7_919) % SOURCES;
      const step = STEPS[n % STEPS.length]!;
      const request = requestOf(n, who, step);
      const hop = { from: addressOf(who), fromPort: 1_024 + (who % 60_000), to: SERVER, toPort: 5060 };
      const back = { from: hop.to, fromPort: hop.toPort, to: hop.from, toPort: hop.fromPort };
      packets.push({ at, bytes: wrap(udpPacket(hop, Buffer.from(request))) });
      packets.push({ at: at + 0.4, bytes: wrap(udpPacket(back, Buffer.from(replyOf(request, n, who, step.code)))) });
      at += 2.4;
      if (packets.length < BATCH) continue;
      write(pcap(packets, { linkType }).subarray(header.length));
      packets = [];
    }
    write(pcap(packets, { linkType }).subarray(header.length));
  } finally {
    closeSync(handle);
  }
  return bytes;
};
