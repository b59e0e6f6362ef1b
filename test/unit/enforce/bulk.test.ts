import { afterEach, beforeEach, expect, test } from 'vitest';
import { createBulkWriter, MAX_WRITES } from '../../../src/enforce/kamailio/door/bulk.ts';
import type { BulkWriter, Write } from '../../../src/enforce/kamailio/door/bulk.ts';
import { createKamailioRpc } from '../../../src/enforce/kamailio/door/rpc.ts';
import type { KamailioRpc } from '../../../src/enforce/kamailio/door/rpc.ts';
import { FakeKamailio } from './fake-kamailio.ts';

const set = (key: string, value = 'companion:1:r'): Write => ({
  method: 'htable.setxs',
  params: ['ipban', key, value, 60],
});
const keys = (count: number): string[] => Array.from({ length: count }, (_, n) => `10.0.0.${n}`);

let server: FakeKamailio;
let rpc: KamailioRpc;
let writer: BulkWriter;
beforeEach(async () => {
  server = new FakeKamailio();
  server.bulk = true;
  await server.start();
  rpc = createKamailioRpc({ url: server.url, token: 'secret', deadlineMs: 150 });
  writer = createBulkWriter(rpc);
});
afterEach(async () => {
  await rpc.close();
  await server.stop();
});

test('many writes go in one request', async () => {
  const errors = await writer.write(keys(MAX_WRITES).map((key) => set(key)));
  expect(errors).toEqual(Array.from({ length: MAX_WRITES }, () => undefined));
  expect(server.bodies).toHaveLength(1);
  expect([...server.table('ipban').keys()]).toEqual(keys(MAX_WRITES));
});

test('the longest writes stay below half of what Kamailio reads at once', async () => {
  const key = '2001:0db8:1111:2222:3333:4444:5555:6666:65535:0123456789abcdef0123456789abcdef';
  const write: Write = { method: 'htable.setxs', params: ['companion_good', key, 'v'.repeat(60), 315_360_000] };
  await writer.write(Array.from({ length: MAX_WRITES }, () => write));
  expect(server.bodies).toHaveLength(1);
  expect(server.bodies[0]!.length).toBeLessThan(9_000);
});

test('what was not done is tried alone, and fails with the words of the server', async () => {
  const gone: Write = { method: 'htable.delete', params: ['ipban', '10.9.9.9'] };
  const [first, second, third] = await writer.write([set('10.0.0.1'), gone, set('10.0.0.2')]);
  expect([first, third]).toEqual([undefined, undefined]);
  expect(second).toMatchObject({ failure: 'rpc', message: expect.stringContaining('Key not found') });
  expect(server.bodies).toHaveLength(1);
});

test.each([
  ['a quote', 'a"b'],
  ['a separator', 'a|b'],
  ['a space', 'a b'],
  ['a newline', 'a\nb'],
  ['no ASCII', 'ä'],
  ['nothing', ''],
])('a key with %s never gets near the others', async (_title, key) => {
  await writer.write([set('10.0.0.1'), set(key)]);
  expect(server.bodies).toEqual([]);
  expect([...server.table('ipban').keys()].toSorted()).toEqual(['10.0.0.1', key].toSorted());
});

test('a door that knows no bulk is written to one by one until it restarts', async () => {
  server.bulk = false;
  expect(await writer.write([set('10.0.0.1'), set('10.0.0.2')])).toEqual([undefined, undefined]);
  expect(server.table('ipban').size).toBe(2);
  expect(writer.size()).toBe(1);
  writer.forget();
  expect(writer.size()).toBe(MAX_WRITES);
});

test.each([
  ['too few digits', '1\n'],
  ['too many digits', '111\n'],
  ['no digits', 'ok\n'],
  ['nothing', ''],
])('an answer with %s counts for nothing', async (_title, text) => {
  let isFirst = true;
  server.misbehave = (_call, response) => {
    if (!isFirst) return false;
    isFirst = false;
    response.writeHead(200).end(text);
    return true;
  };
  expect(await writer.write([set('10.0.0.1'), set('10.0.0.2')])).toEqual([undefined, undefined]);
  expect(server.table('ipban').size).toBe(2);
});

test('a refused token and a silent server fail all of them', async () => {
  server.token = 'another';
  expect(await writer.write([set('10.0.0.1'), set('10.0.0.2')])).toEqual([
    expect.objectContaining({ failure: 'refused' }),
    expect.objectContaining({ failure: 'refused' }),
  ]);
  server.token = '';
  server.misbehave = () => true;
  expect(await writer.write([set('10.0.0.1'), set('10.0.0.2')])).toEqual([
    expect.objectContaining({ failure: 'timeout' }),
    expect.objectContaining({ failure: 'timeout' }),
  ]);
});
