import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Answer } from '../../src/model/index.ts';
import { MAX_HOOK_FRAME_BYTES, encodeHeartbeat, encodeVerdict, parseUpFrame } from '../../src/protocol/index.ts';

const SECRET = '00112233445566778899aabbccddeeff';
const FAULTS = ['version', 'secret', 'unknown-node', 'malformed', 'too-long'];
const secretOf = (node: string): string | undefined => (node === 'edge1' ? SECRET : undefined);

/** Words that stand in frames, words that stand in JavaScript, and bytes of any kind. */
const word = fc.oneof(
  fc.constantFrom(
    'C1',
    SECRET,
    'edge1',
    'A',
    'T',
    'O',
    'G',
    'R',
    'U',
    'P',
    'X',
    'H',
    '1',
    '1795165740.686380',
    'udp',
    'tcp',
  ),
  fc.constantFrom(
    'n',
    'b',
    'u',
    'stranger',
    'good',
    '<null>',
    'UkVH',
    '-2',
    'ipban',
    'b1.2.3',
    '127.0.0.1',
    '::1',
    '5060',
  ),
  fc.constantFrom(
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    '',
    'NaN',
    '-1',
    '1e9',
    '99999999999',
    '0x10',
  ),
  fc.string({ maxLength: 12, unit: 'binary' }),
);
const almostFrame = fc.array(word, { maxLength: 24 }).map((words) => Buffer.from(words.join(' '), 'latin1'));
const headed = fc
  .tuple(fc.constantFrom(...'ATOGRUPXHZ'), fc.array(word, { maxLength: 14 }))
  .map(([kind, words]) =>
    Buffer.from(['C1', SECRET, kind, 'edge1', '1', '1795165740.686380', ...words].join(' '), 'latin1'),
  );
const anyBytes = fc.uint8Array({ maxLength: 9_200 }).map((bytes) => Buffer.from(bytes));

/** What a frame may be made of: nothing that the words above smuggle in. */
const expectSound = (frame: Exclude<ReturnType<typeof parseUpFrame>, string>): void => {
  expect(Number.isSafeInteger(frame.seq) && Number.isSafeInteger(frame.sentAt)).toBe(true);
  if ('port' in frame) expect(frame.port).toBeLessThanOrEqual(65_535);
  if (frame.kind === 'ask' || frame.kind === 'tell') {
    expect(['none', 'bound', 'unbound']).toContain(frame.credentials);
    expect(Buffer.isBuffer(frame.raw)).toBe(true);
  }
  if (frame.kind === 'auth') expect(Number.isInteger(frame.rc)).toBe(true);
  for (const value of Object.values(frame)) expect(['string', 'number', 'boolean', 'object']).toContain(typeof value);
};

test('any bytes give a sound frame or a fault, and never throw', () => {
  fc.assert(
    fc.property(fc.oneof(anyBytes, almostFrame, headed), (bytes) => {
      const frame = parseUpFrame(bytes, secretOf);
      if (typeof frame === 'string') expect(FAULTS).toContain(frame);
      else expectSound(frame);
    }),
    { numRuns: 5_000 },
  );
});

test('no frame is taken with another secret or version, whatever else it says', () => {
  const other = fc.oneof(
    fc.stringMatching(/^[0-9a-f]{32}$/),
    fc.constantFrom('', 'undefined', SECRET.slice(1), `${SECRET}0`, SECRET.toUpperCase().replace(/^0/, 'O')),
    fc.string({ maxLength: 40 }),
  );
  fc.assert(
    fc.property(other, fc.constantFrom('C1', 'C0', 'C2', 'c1', 'C', ''), headed, (secret, version, frame) => {
      const [, , ...rest] = frame.toString('latin1').split(' ');
      if (secret === SECRET && version === 'C1') return;
      const answer = parseUpFrame(Buffer.from([version, secret, ...rest].join(' '), 'latin1'), secretOf);
      expect(typeof answer).toBe('string');
    }),
    { numRuns: 2_000 },
  );
});

test.each(['', 'constructor', '__proto__', 'edge2'])("a node called '%s' that is not configured is refused", (node) => {
  const frame = ['C1', SECRET, 'H', node, '1', '1.1', 'b1', '1'].join(' ');
  expect(parseUpFrame(Buffer.from(frame), secretOf)).toBe('unknown-node');
});

test('a frame beyond the limit is refused unread', () => {
  expect(parseUpFrame(Buffer.alloc(MAX_HOOK_FRAME_BYTES + 1), secretOf)).toBe('too-long');
});

test.each(['O', 'G', 'R', 'P', 'A', 'T', 'X', 'H'])('a frame of kind %s that was cut short is malformed', (kind) => {
  const fields: Record<string, string> = {
    O: 'udp 127.0.0.1 5060 1 UkVH YQ== YQ== YQ==',
    G: 'udp 127.0.0.1 5060 60 YQ==',
    R: 'udp 127.0.0.1 5060 404 UkVH YQ== YQ== YQ==',
    P: 'udp 127.0.0.1 5060 3 YQ==',
    A: '1 2 udp 127.0.0.1 5060 127.0.0.2 5060 n stranger 3 0 YQ==',
    T: '1 2 udp 127.0.0.1 5060 127.0.0.2 5060 n good 3 0 YQ==',
    X: 'ipban YQ==',
    H: 'b1.2.3 7',
  };
  const words = `C1 ${SECRET} ${kind} edge1 1 1.1 ${fields[kind] ?? ''}`.split(' ');
  expect(parseUpFrame(Buffer.from(words.join(' ')), secretOf)).toMatchObject({ node: 'edge1' });
  for (let length = 1; length < words.length; length += 1)
    expect(parseUpFrame(Buffer.from(words.slice(0, length).join(' ')), secretOf)).toBe('malformed');
});

/** What Kamailio does with a datagram: `$(mb{s.select,N, })`. */
const select = (bytes: Buffer, index: number): string => bytes.toString('latin1').split(' ')[index] ?? '';

test('a verdict is long enough for nosip, and its fields are where the script selects them', () => {
  const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
  fc.assert(
    fc.property(uint32, uint32, fc.constantFrom<Answer>('allow', 'drop', 'challenge'), (tindex, tlabel, answer) => {
      const bytes = encodeVerdict(SECRET, tindex, tlabel, answer);
      expect(bytes.length).toBeGreaterThanOrEqual(48);
      expect([0, 1, 2, 3, 4, 5].map((field) => select(bytes, field))).toEqual([
        'CV1',
        expect.stringMatching(/^[0-9a-f]{32}$/),
        'V',
        String(tindex),
        String(tlabel),
        answer,
      ]);
    }),
  );
});

test('a heartbeat is long enough for nosip, and its fields are where the script selects them', () => {
  const bytes = encodeHeartbeat('short', 1_795_165_022_745);
  expect(bytes.length).toBeGreaterThanOrEqual(48);
  const fields = [0, 1, 2, 3].map((field) => select(bytes, field));
  expect(fields).toEqual(['CV1', expect.stringMatching(/^[0-9a-f]{32}$/), 'H', '1795165022']);
  expect(bytes.toString()).not.toContain('short');
});
