import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeHep, encodeHep, readCapture } from '../../src/protocol/index.ts';
import { LINKS, pcap, pcapng, udpPacket } from '../unit/protocol/capture/build.ts';

const ADDRESS = fc.oneof(fc.ipV4(), fc.constantFrom('2001:db8::1', '2001:db8:1:2:3:4:5:6', 'fe80::1:2', '::1'));
const PORT = fc.integer({ min: 0, max: 65_535 });

const packet = fc
  .record({
    at: fc.integer({ min: 0, max: 4_294_967_295_000 }),
    v6: fc.boolean(),
    sourcePort: PORT,
    destinationPort: PORT,
    protocol: fc.constantFrom(6, 17, 132),
    payloadType: fc.integer({ min: 0, max: 255 }),
    captureId: fc.integer({ min: 0, max: 4_294_967_295 }),
    payload: fc.uint8Array({ maxLength: 2_000 }).map((bytes) => Buffer.from(bytes)),
  })
  .chain((base) =>
    fc
      .tuple(ADDRESS, ADDRESS)
      .filter(([a, b]) => a.includes(':') === b.includes(':'))
      .map(([sourceIp, destinationIp]) => ({ ...base, sourceIp, destinationIp })),
  )
  .map(({ v6: _v6, ...rest }) => rest);

test('HEP: what is encoded is decoded', () => {
  fc.assert(
    fc.property(packet, (one) => {
      expect(decodeHep(encodeHep(one)!)).toEqual(one);
    }),
  );
});

test('HEP: any change of any byte gives a packet or a reason', () => {
  fc.assert(
    fc.property(packet, fc.nat(), fc.integer({ min: 0, max: 255 }), (one, place, byte) => {
      const bytes = Buffer.from(encodeHep(one)!);
      bytes[place % bytes.length] = byte;
      const read = decodeHep(bytes);
      expect(typeof read === 'string' || read.payload.length <= 65_535).toBe(true);
    }),
  );
});

const drain = (file: Buffer, chunk: number): number => {
  const chunks = Array.from({ length: Math.ceil(file.length / chunk) }, (_, at) =>
    file.subarray(at * chunk, (at + 1) * chunk),
  );
  let bytes = 0;
  for (const message of readCapture(chunks, () => undefined)) bytes += message.bytes.length;
  return bytes;
};

const MAGICS = ['a1b2c3d4', 'd4c3b2a1', 'a1b23c4d', '4d3cb2a1', '0a0d0d0a', '48455033', '7b'].map((hex) =>
  Buffer.from(hex, 'hex'),
);

test('captures: any bytes behind any mark end, and never give more than came in', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...MAGICS),
      fc.uint8Array({ maxLength: 3_000 }),
      fc.integer({ min: 1, max: 500 }),
      (magic, rest, chunk) => {
        const file = Buffer.concat([magic, rest]);
        expect(drain(file, chunk)).toBeLessThanOrEqual(file.length);
      },
    ),
    { numRuns: 500 },
  );
});

const HOP = { from: '198.51.100.7', fromPort: 5062, to: '192.0.2.10', toPort: 5060 };

test('captures: good files with bytes turned over end as well', () => {
  const links = Object.values(LINKS);
  const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(fc.nat(), fc.boolean(), fc.array(change, { maxLength: 8 }), (which, next, changes) => {
      const [linkType, wrap] = links[which % links.length]!;
      const packets = [1, 2, 3].map((at) => ({
        at,
        bytes: wrap(udpPacket(HOP, Buffer.from('OPTIONS sip:a SIP/2.0\r\n\r\n'))),
      }));
      const file = Buffer.from(next ? pcapng(packets, { linkType }) : pcap(packets, { linkType }));
      for (const [place, byte] of changes) file[place % file.length] = byte;
      expect(drain(file, 100)).toBeLessThanOrEqual(file.length);
    }),
    { numRuns: 500 },
  );
});
