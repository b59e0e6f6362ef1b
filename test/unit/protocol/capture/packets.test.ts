import { describe, expect, test } from 'vitest';
import { encodeHep, readCapture } from '../../../../src/protocol/index.ts';
import type { CapturedMessage } from '../../../../src/protocol/index.ts';
import { LINKS, ip, pcap, pcapng, tcp, udp, udpPacket } from './build.ts';

const HOP = { from: '198.51.100.7', fromPort: 5062, to: '192.0.2.10', toPort: 5060 };
const BACK = { from: HOP.to, fromPort: HOP.toPort, to: HOP.from, toPort: HOP.fromPort };
const HOP6 = { from: '2001:db8:1::7', fromPort: 5062, to: '2001:db8::10', toPort: 5060 };
const OPTIONS = Buffer.from('OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP c\r\nContent-Length: 0\r\n\r\n');
const AT = 1_700_000_000_123.456;

/** Reads in chunks of several sizes: where a chunk ends must not matter. */
const read = (file: Buffer): { messages: CapturedMessage[]; drops: Record<string, number> } => {
  const results = [61, 1_000, 1_000_000].map((size) => {
    const drops: Record<string, number> = {};
    const chunks = Array.from({ length: Math.ceil(file.length / size) }, (_, index) =>
      file.subarray(index * size, (index + 1) * size),
    );
    const messages = [...readCapture(chunks, (reason) => (drops[reason] = (drops[reason] ?? 0) + 1))];
    return { messages, drops };
  });
  for (const result of results) expect(result).toEqual(results[0]);
  return results[0]!;
};

const expected = (at: number, hop = HOP, transport = 'udp'): object => ({
  at: expect.closeTo(at, 2) as number,
  from: { ip: hop.from, port: hop.fromPort },
  to: { ip: hop.to, port: hop.toPort },
  transport,
  bytes: OPTIONS,
  cut: false,
});

describe('pcap and pcapng', () => {
  const packets = [{ at: AT, bytes: udpPacket(HOP, OPTIONS) }];

  test.each([true, false].flatMap((little) => [true, false].map((nanoseconds) => ({ little, nanoseconds }))))(
    'pcap %o',
    (shape) => {
      expect(read(pcap(packets, shape))).toEqual({ messages: [expected(AT)], drops: {} });
    },
  );

  test.each(
    [true, false].flatMap((little) => [undefined, 3, 9, 0x80 | 20].map((resolution) => ({ little, resolution }))),
  )('pcapng %o', ({ little, resolution }) => {
    const file = pcapng(packets, { little, ...(resolution === undefined ? {} : { resolution }) });
    const [message] = read(file).messages;
    expect(message).toMatchObject({ from: { ip: HOP.from }, bytes: OPTIONS });
    expect(Math.abs(message!.at - AT)).toBeLessThan(1);
  });

  test('packets without a time of their own', () => {
    expect(read(pcapng(packets, { simple: true })).messages).toMatchObject([{ at: 0, bytes: OPTIONS }]);
  });

  test.each(Object.entries(LINKS))('link layer %s', (_name, [linkType, wrap]) => {
    const frames = [HOP, HOP6].map((hop) => ({ at: AT, bytes: wrap(udpPacket(hop, OPTIONS)) }));
    expect(read(pcap(frames, { linkType })).messages).toEqual([expected(AT), expected(AT, HOP6)]);
    expect(read(pcapng(frames, { linkType })).messages).toHaveLength(2);
  });

  test('what is no IP, and a link layer that nobody knows, is counted', () => {
    const arp = { at: AT, bytes: Buffer.concat([Buffer.alloc(12), Buffer.from([8, 6]), Buffer.alloc(28)]) };
    expect(read(pcap([arp], { linkType: 1 })).drops).toEqual({ 'not-ip': 1 });
    expect(read(pcap([arp], { linkType: 147 })).drops).toEqual({ 'link-type': 1 });
  });

  test('a file that ends in a record, and a record larger than any, end the reading', () => {
    const file = pcap([packets[0]!, packets[0]!]);
    expect(read(file.subarray(0, file.length - 5))).toMatchObject({
      messages: { length: 1 },
      drops: { 'truncated-file': 1 },
    });
    const large = Buffer.from(file);
    large.writeUInt32LE(0x7fff_ffff, 24 + 8);
    expect(read(large)).toEqual({ messages: [], drops: { 'record-too-large': 1 } });
  });
});

describe('fragments', () => {
  const invite = Buffer.from(`INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP c\r\n\r\n${'x'.repeat(3_000)}`);
  const pieces = (hop: typeof HOP, cuts: readonly number[], id = 9): Buffer[] => {
    const datagram = udp(hop, invite);
    return cuts.map((offset, index) => {
      const end = cuts[index + 1];
      return ip(hop, 17, datagram.subarray(offset, end), { id, offset, more: end !== undefined });
    });
  };
  const file = (packets: readonly Buffer[], step = 1): Buffer =>
    pcap(packets.map((bytes, index) => ({ at: AT + index * step, bytes })));

  test.each([
    ['IPv4', HOP],
    ['IPv6', HOP6],
  ] as const)('%s, in any order, and twice', (_name, hop) => {
    const [a, b, c] = pieces(hop, [0, 1_480, 2_960]);
    for (const order of [
      [a!, b!, c!],
      [c!, a!, a!, b!],
    ])
      expect(read(file(order)).messages).toMatchObject([{ bytes: invite, from: { ip: hop.from } }]);
  });

  test('overlapping, incomplete and late ones give no message', () => {
    const [a, b, c] = pieces(HOP, [0, 1_480, 2_960]);
    const overlapping = ip(HOP, 17, Buffer.alloc(1_488, 65), { id: 9, offset: 1_472, more: true });
    expect(read(file([a!, overlapping, b!, c!])).messages).toEqual([]);
    expect(read(file([a!, c!])).messages).toEqual([]);
    expect(read(file([a!, b!, c!], 20_000))).toMatchObject({ messages: [], drops: { 'fragments-incomplete': 1 } });
  });

  test('a flood of first pieces holds on to a bounded number', () => {
    const first = Array.from({ length: 3_000 }, (_, id) => pieces(HOP, [0, 1_480], id)[0]!);
    expect(read(file(first, 0)).drops['fragments-incomplete']).toBeGreaterThan(1_900);
  });
});

describe('connections', () => {
  const SYN = 2;
  const ACK = 16;
  const handshake = [
    ip(HOP, 6, tcp(HOP, 999, SYN, Buffer.alloc(0))),
    ip(BACK, 6, tcp(BACK, 5, SYN | ACK, Buffer.alloc(0))),
  ];
  const segment = (offset: number, payload: Buffer): Buffer => ip(HOP, 6, tcp(HOP, 1_000 + offset, ACK, payload));
  const file = (packets: readonly Buffer[]): Buffer => pcap(packets.map((bytes) => ({ at: AT, bytes })));
  const twice = Buffer.concat([OPTIONS, Buffer.from('\r\n\r\n'), OPTIONS]);

  test('messages over several segments, several in one, with keep-alives between them', () => {
    expect(read(file([...handshake, segment(0, twice)])).messages).toEqual([
      expected(AT, HOP, 'tcp'),
      expected(AT, HOP, 'tcp'),
    ]);
    const small = Array.from({ length: Math.ceil(twice.length / 5) }, (_, index) =>
      segment(index * 5, twice.subarray(index * 5, index * 5 + 5)),
    );
    expect(read(file([...handshake, ...small])).messages).toHaveLength(2);
    expect(read(file([...handshake, ...small.toReversed()])).messages).toHaveLength(2);
    expect(read(file([...handshake, ...small.flatMap((one) => [one, one])])).messages).toHaveLength(2);
  });

  test('sequence numbers that wrap around', () => {
    const start = 2 ** 32 - 10;
    const wrap = [
      ip(HOP, 6, tcp(HOP, start - 1, SYN, Buffer.alloc(0))),
      handshake[1]!,
      ip(HOP, 6, tcp(HOP, start, ACK, OPTIONS.subarray(0, 30))),
      ip(HOP, 6, tcp(HOP, start + 30, ACK, OPTIONS.subarray(30))),
    ];
    expect(read(file(wrap)).messages).toHaveLength(1);
  });

  test('a capture that begins in a connection, or has a gap, finds in again', () => {
    const late = [handshake[1]!, segment(0, Buffer.from('middle of a body')), segment(16, OPTIONS)];
    expect(read(file(late))).toMatchObject({ messages: { length: 1 }, drops: { 'stream-not-sip': 1 } });
    const gap = Array.from({ length: 40 }, (_, index) => segment(5_000 + index * OPTIONS.length, OPTIONS));
    expect(read(file([...handshake, ...gap]))).toMatchObject({ messages: { length: 40 }, drops: { 'tcp-gap': 1 } });
  });

  test('nobody answered: a forged segment is no connection', () => {
    expect(read(file([segment(0, OPTIONS)]))).toEqual({ messages: [], drops: { 'tcp-one-sided': 1 } });
  });

  test('what is encrypted is said to be', () => {
    const hello = Buffer.from([0x16, 3, 1, 0, 5, 1, 2, 3]);
    expect(read(file([...handshake, segment(0, hello), segment(8, hello)]))).toEqual({
      messages: [],
      drops: { tls: 1 },
    });
  });
});

describe('HEP in a capture', () => {
  const hep = encodeHep({
    at: 1_600_000_000_500,
    sourceIp: '203.0.113.9',
    sourcePort: 5071,
    destinationIp: '192.0.2.10',
    destinationPort: 5060,
    protocol: 6,
    payloadType: 1,
    captureId: 3,
    payload: OPTIONS,
  })!;
  const agent = { from: '10.0.0.1', fromPort: 40_000, to: '10.0.0.2', toPort: 9_060 };

  test('on its port it is opened; elsewhere anybody could have sent it', () => {
    const message = {
      at: 1_600_000_000_500,
      from: { ip: '203.0.113.9', port: 5071 },
      transport: 'tcp',
      bytes: OPTIONS,
    };
    expect(read(pcap([{ at: AT, bytes: udpPacket(agent, hep) }])).messages).toMatchObject([message]);
    const [plain] = read(pcap([{ at: AT, bytes: udpPacket(HOP, hep) }])).messages;
    expect(plain).toMatchObject({ from: { ip: HOP.from }, bytes: hep });
  });

  test('frames in a file, with rubbish between them', () => {
    const file = Buffer.concat([hep, Buffer.from('rubbish'), hep, hep.subarray(0, 30)]);
    expect(read(file)).toMatchObject({ messages: { length: 2 }, drops: { 'hep-version': 1, 'truncated-file': 1 } });
  });
});

describe('timelines', () => {
  const line = JSON.stringify({
    t: 1.5,
    src: '198.51.100.7:5062',
    dst: '[2001:db8::1]:5060',
    proto: 'udp',
    b64: OPTIONS.toString('base64'),
  });

  test('lines that are wrong are counted, the others read', () => {
    const wrong = [
      '{',
      '{"t":1}',
      'null',
      line.replace('5062', '99999'),
      line.replace('"udp"', '"smoke"'),
      `{"x":"${'y'.repeat(200_000)}"}`,
    ];
    const { messages, drops } = read(Buffer.from([line, '', ...wrong, line].join('\n')));
    expect(messages).toHaveLength(2);
    expect(messages[0]).toMatchObject({ at: 1_500, to: { ip: '2001:db8::1', port: 5060 }, bytes: OPTIONS });
    expect(drops).toEqual({ 'timeline-line': wrong.length });
  });

  test('broken lines at its beginning, and a transport in capitals', () => {
    const { messages, drops } = read(Buffer.from(['# my capture', '}', line.replace('"udp"', '"UDP"')].join('\n')));
    expect(messages).toMatchObject([{ at: 1_500, transport: 'udp' }]);
    expect(drops).toEqual({ 'timeline-line': 2 });
  });
});

test.each(['', 'hello world, this is a text', 'a\u0000b\n{"t":1}'])('%j is named as what it is not', (text) => {
  expect(read(Buffer.from(text, 'latin1'))).toEqual({ messages: [], drops: { 'unknown-format': 1 } });
});

test.each(['\u001f\u008b gzip', '(\u00b5/\u00fd zstd', '\u00fd7zXZ xz', 'BZh9 bzip2'])('%j is compressed', (text) => {
  expect(read(Buffer.from(text, 'latin1'))).toEqual({ messages: [], drops: { compressed: 1 } });
});
