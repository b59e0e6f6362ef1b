import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createResolver } from '../../../../src/feeds/index.ts';

/** Answers of a name server: records by `type name`; a number is a response code. */
let records: Record<string, readonly string[] | number>;
let socket: Socket;
let server: string;

const TYPES: Readonly<Record<number, string>> = { 1: 'A', 28: 'AAAA', 33: 'SRV' };
const nameBytes = (name: string): Buffer =>
  Buffer.concat([
    ...name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])),
    Buffer.alloc(1),
  ]);
const dataOf = (type: string, value: string): Buffer => {
  if (type === 'A') return Buffer.from(value.split('.').map(Number));
  if (type === 'AAAA') return Buffer.from(value.replaceAll(':', ''), 'hex');
  return Buffer.concat([Buffer.from([0, 1, 0, 1, 0x13, 0xc4]), nameBytes(value)]);
};

beforeEach(async () => {
  records = {};
  socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    const labels: string[] = [];
    let at = 12;
    for (let size = query[at] ?? 0; size > 0; size = query[at] ?? 0) {
      labels.push(query.toString('latin1', at + 1, at + 1 + size));
      at += size + 1;
    }
    const type = TYPES[query.readUInt16BE(at + 1)] ?? '';
    const found = records[`${type} ${labels.join('.')}`] ?? [];
    const question = query.subarray(12, at + 5);
    const values = typeof found === 'number' ? [] : found;
    const answers = values.map((value) => {
      const data = dataOf(type, value);
      const head = Buffer.from([0xc0, 12, 0, query[at + 2] ?? 0, 0, 1, 0, 0, 0, 77, 0, data.length]);
      return Buffer.concat([head, data]);
    });
    const head = Buffer.from([
      query[0]!,
      query[1]!,
      0x81,
      0x80 | (typeof found === 'number' ? found : 0),
      0,
      1,
      0,
      values.length,
      0,
      0,
      0,
      0,
    ]);
    socket.send(Buffer.concat([head, question, ...answers]), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.86.0.2', resolve));
  server = `127.86.0.2:${socket.address().port}`;
});
afterEach(() => void socket.close());

test('both families, with their TTL', async () => {
  records['A sip.example.com'] = ['203.0.113.7'];
  records['AAAA sip.example.com'] = ['20010db8:00000000:00000000:00000007'];
  const found = await createResolver([server]).addresses('sip.example.com');
  expect(found).toEqual({ ips: ['203.0.113.7', '2001:db8::7'], ttlMs: 77_000 });
});

test('one family is enough where the other has nothing', async () => {
  records['A sip.example.com'] = ['203.0.113.7'];
  expect(await createResolver([server]).addresses('sip.example.com')).toMatchObject({ ips: ['203.0.113.7'] });
});

test('half an answer is none: the other family would be taken away', async () => {
  records['A sip.example.com'] = ['203.0.113.7'];
  records['AAAA sip.example.com'] = 2;
  await expect(createResolver([server]).addresses('sip.example.com')).rejects.toThrow('the name servers failed');
});

test('what went wrong, in words', async () => {
  records['A gone.example.com'] = 3;
  records['AAAA gone.example.com'] = 3;
  await expect(createResolver([server]).addresses('gone.example.com')).rejects.toThrow('there is no such name');
  await expect(createResolver([server]).addresses('empty.example.com')).rejects.toThrow('it has no addresses');
});

test('services', async () => {
  records['SRV _sip._udp.example.com'] = ['a.example.com', 'b.example.com'];
  expect(await createResolver([server]).services('_sip._udp.example.com')).toEqual(['a.example.com', 'b.example.com']);
});
