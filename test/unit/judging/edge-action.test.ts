import { expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/index.ts';
import { companionSchema, createJudging } from '../../../src/judging/index.ts';
import type { Transport, Verdict } from '../../../src/model/index.ts';
import { requestOf } from '../../../src/receive/to-record.ts';
import { labelledMessages } from '../protocol/verdicts.ts';

const STRICT = loadConfig({ text: 'validation: { mode: strict }', file: 'c.yaml', schema: companionSchema });
const DEFAULT = loadConfig({ text: '', file: 'c.yaml', schema: companionSchema });

/** One judge for each policy; whoever asks is a stranger with an address of its own. */
const judgings = new Map([STRICT, DEFAULT].map((config) => [config, createJudging(config, [])]));
let strangers = 0;

/** The first thing that a stranger sends, as the hook hands it over. @returns the verdict, or why it is no request */
const askedBy = (bytes: Buffer, transport: Transport, config = STRICT): Verdict | string => {
  strangers += 1;
  const ip = `198.18.${strangers >> 8}.${strangers & 255}`;
  const judging = judgings.get(config) ?? createJudging(config, []);
  judgings.set(config, judging);
  const frame = {
    kind: 'ask',
    node: 'edge1',
    seq: 1,
    sentAt: 0,
    tindex: 1,
    tlabel: 1,
    transport,
    ip,
    port: 5_060,
    credentials: 'none',
    standing: 'stranger',
    sizeBytes: bytes.length,
    cut: false,
    raw: bytes,
  } as const;
  const request = requestOf(frame, 1_000);
  if (typeof request === 'string') return request;
  if (request.unreadable === 'empty') return 'empty';
  return request.unreadable === 'reply' ? 'reply' : judging.judged(request);
};

const actionOf = (asked: Verdict | string): string => {
  if (asked === 'reply') return 'reply';
  if (typeof asked === 'string') return 'drop';
  if (asked.state !== 'stranger') return asked.state;
  return asked.answer === 'allow' ? 'forward' : 'refuse';
};

/** What may become of a message on the edge, over UDP. Replies pass no hook; Max-Forwards 0 is for the server to answer. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  forward: ['forward', 'reply'],
  'forward-or-reject': ['forward', 'refuse', 'reply'],
  'reject-or-drop': ['refuse', 'drop'],
  reject: ['refuse', 'drop'],
  drop: ['refuse', 'drop', 'quarantined', 'reply'],
  'any-safe': ['forward', 'refuse', 'quarantined'],
  series: ['forward', 'quarantined'],
  ban: ['quarantined'],
};

/** The server's own part, shown on the real one: 483, and replies that belong to nothing. */
const BY_THE_SERVER: ReadonlySet<string> = new Set([
  'rfc4475/zeromf.dat',
  'edge/a15-maxfwd0.bin',
  'rfc4475/bigcode.dat',
  'edge/a20-via-bcast.bin',
]);

const MESSAGES = labelledMessages().filter(({ file }) => !BY_THE_SERVER.has(file));

test.each(MESSAGES.map(({ file, edge, reason, bytes }) => [file, edge, reason, bytes] as const))(
  '%s: %s (%s)',
  (_, edge, __, bytes) => {
    expect(ALLOWED[edge]).toContain(actionOf(askedBy(bytes, 'udp')));
  },
);

test('what must be flagged is quarantined on UDP and banned on TCP, on its first message, by default', () => {
  const flagged = MESSAGES.filter(({ edge }) => edge === 'ban');
  expect(flagged.length).toBeGreaterThan(10);
  for (const { file, bytes } of flagged) {
    expect([file, actionOf(askedBy(bytes, 'udp', DEFAULT))]).toEqual([file, 'quarantined']);
    expect([file, actionOf(askedBy(bytes, 'tcp', DEFAULT))]).toEqual([file, 'banned']);
  }
});

test('no single malformed message flags anybody, over UDP or TCP, in any mode', () => {
  for (const mode of ['permissive', 'strict', 'paranoid']) {
    const config = loadConfig({ text: `validation: { mode: ${mode} }`, file: 'c.yaml', schema: companionSchema });
    for (const { file, edge, bytes } of MESSAGES) {
      if (edge === 'ban' || edge === 'drop') continue;
      for (const transport of ['udp', 'tcp'] as const) {
        expect([file, actionOf(askedBy(bytes, transport, config))]).not.toEqual([file, 'banned']);
        expect([file, actionOf(askedBy(bytes, transport, config))]).not.toEqual([file, 'quarantined']);
      }
    }
  }
});

test('by default nothing valid, tolerable or old is refused', () => {
  for (const { file, rfcClass, edge, bytes } of MESSAGES) {
    if (!/^valid|tolerable|compat/.test(rfcClass) || edge === 'ban' || edge === 'drop') continue;
    expect([file, actionOf(askedBy(bytes, 'udp', DEFAULT))]).not.toEqual([file, 'refuse']);
  }
});
