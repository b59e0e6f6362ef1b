import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { companionSchema } from '../../../src/judging/index.ts';
import { rehearse } from '../../../src/rehearse/index.ts';
import type { SourceRow } from '../../../src/rehearse/index.ts';
import { pcap, udpPacket } from '../protocol/capture/build.ts';

const folder = mkdtempSync(join(tmpdir(), 'companion-acks-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const SERVER = '192.0.2.10';
const DIALER = '203.0.113.66';
const CALLER = '198.51.100.7';
const RULE = 'scanner.never-acks';

interface Line {
  /** Seconds. */
  readonly t: number;
  readonly from: string;
  readonly to: string;
  readonly text: string;
}

const request = (method: 'INVITE' | 'ACK', ip: string, callId: string): string =>
  [
    `${method} sip:0123@voip.example.net SIP/2.0`,
    `Via: SIP/2.0/UDP ${ip}:5060;branch=z9hG4bK${callId}`,
    'Max-Forwards: 70',
    `From: <sip:1001@voip.example.net>;tag=${callId}`,
    `To: <sip:0123@voip.example.net>${method === 'ACK' ? ';tag=srv' : ''}`,
    `Call-ID: ${callId}`,
    `CSeq: 1 ${method}`,
    `Contact: <sip:1001@${ip}:5060>`,
    'User-Agent: Yealink SIP-T46U 108.86.0.20',
    'Content-Length: 0',
    '\r\n',
  ].join('\r\n');

const refusal = (invite: string, code: number): string =>
  invite.replace(/^INVITE .*/, `SIP/2.0 ${code} No`).replace(/^(To: .*)$/m, '$1;tag=srv');

/** An INVITE and its answer; the ACK, where there is one, comes from `ackFrom`. */
const call = (t: number, ip: string, callId: string, code: number, ackFrom?: string): Line[] => {
  const invite = request('INVITE', ip, callId);
  const [there, here] = [`${ip}:5060`, `${SERVER}:5060`];
  return [
    { t, from: there, to: here, text: invite },
    { t: t + 0.02, from: here, to: there, text: refusal(invite, code) },
    ...(ackFrom === undefined
      ? []
      : [{ t: t + 0.04, from: `${ackFrom}:5060`, to: here, text: request('ACK', ip, callId) }]),
  ];
};

const dials = (count: number, ip: string, code: number, ackFrom?: string, everySeconds = 10): Line[] =>
  Array.from({ length: count }, (_, n) =>
    call(n * everySeconds, ip, `c${n}x${ip.replaceAll('.', 'x')}`, code, ackFrom),
  ).flat();

/** Some time later somebody calls: a replay has no clock but the messages. */
const LATER = call(400, '198.51.100.99', 'later', 407, '198.51.100.99');

const asTimeline = (lines: readonly Line[]): Buffer =>
  Buffer.from(
    lines
      .map(({ t, from, to, text }) =>
        JSON.stringify({ t, src: from, dst: to, proto: 'udp', b64: Buffer.from(text).toString('base64') }),
      )
      .join('\n'),
  );

const asPcap = (lines: readonly Line[]): Buffer =>
  pcap(
    lines.map(({ t, from, to, text }) => {
      const hop = { from: from.split(':')[0]!, fromPort: 5_060, to: to.split(':')[0]!, toPort: 5_060 };
      return { at: t * 1_000, bytes: udpPacket(hop, Buffer.from(text)) };
    }),
  );

let files = 0;
const replay = (lines: readonly Line[], write = asTimeline): readonly SourceRow[] => {
  const file = join(folder, String((files += 1)));
  writeFileSync(file, write(lines.toSorted((a, b) => a.t - b.t)));
  return rehearse({ files: [file], policies: [companionSchema.parse({})], servers: [SERVER] }).results[0]!.rows;
};
const rowOf = (rows: readonly SourceRow[], ip: string): SourceRow => rows.find((row) => row.ip === ip)!;

test.each([
  ['a timeline', asTimeline, 407],
  ['a pcap', asPcap, 486],
  ['a cancelled call in a timeline', asTimeline, 487],
])('%s: who left its calls without ACK is flagged, who acknowledged the same answers is not', (_, write, code) => {
  const rows = replay([...dials(12, DIALER, code), ...dials(12, CALLER, code, CALLER), ...LATER], write);
  expect(rowOf(rows, DIALER)).toMatchObject({ state: 'quarantined', rules: [RULE] });
  expect(rowOf(rows, CALLER)).toMatchObject({ state: 'stranger', flaggedAt: null, rules: [] });
});

test('an ACK counts for its call, wherever it comes from', () => {
  const rows = replay([...dials(12, CALLER, 407, '198.51.100.8'), ...LATER]);
  expect(rowOf(rows, CALLER).rules).toEqual([]);
});

test('a capture without any ACK, as of one direction only, accuses nobody', () => {
  const last = call(400, '198.51.100.99', 'later', 407);
  expect(replay([...dials(30, DIALER, 407), ...last]).flatMap(({ rules }) => rules)).not.toContain(RULE);
});

test('within 32 s nothing is overdue, and what was accepted or never answered is not awaited', () => {
  const after = (t: number) => call(t, '198.51.100.99', 'other', 407, '198.51.100.99');
  const quick = dials(12, DIALER, 407, undefined, 1);
  const ack = call(5, '198.51.100.98', 'some', 407, '198.51.100.98');
  expect(rowOf(replay([...quick, ...ack, ...after(31)]), DIALER).rules).toEqual([]);
  expect(rowOf(replay([...quick, ...ack, ...after(45)]), DIALER).rules).toEqual([RULE]);
  expect(rowOf(replay([...dials(12, DIALER, 200), ...LATER]), DIALER).rules).toEqual([]);
  const silent = dials(12, DIALER, 407).filter(({ from }) => from !== `${SERVER}:5060`);
  expect(rowOf(replay([...silent, ...LATER]), DIALER).rules).toEqual([]);
});
