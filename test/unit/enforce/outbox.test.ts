import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { KamailioRpc } from '../../../src/enforce/kamailio/door/rpc.ts';
import { RpcError } from '../../../src/enforce/kamailio/door/rpc.ts';
import { createBulkWriter } from '../../../src/enforce/kamailio/door/bulk.ts';
import { createMirror, DEFAULT_CAPS } from '../../../src/enforce/kamailio/mirror.ts';
import { createOutbox, MAX_QUEUED } from '../../../src/enforce/kamailio/outbox.ts';
import type { Outbox } from '../../../src/enforce/kamailio/outbox.ts';
import type { BanEntry } from '../../../src/model/index.ts';

const ban = (n: number, ms = 60_000): BanEntry => ({
  kind: 'ban',
  subject: `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`,
  since: 0,
  until: ms,
  origin: 'detector',
  reason: '',
  level: 1,
  rules: ['r'],
  evidence: [],
});

/** Calls wait until the test lets them go. */
const createSetup = () => {
  const waiting: { text: string; done: (error?: RpcError) => void }[] = [];
  const rpc: KamailioRpc = {
    call: () => Promise.resolve(undefined),
    stream: () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: '' }) }) }),
    close: () => Promise.resolve(),
    text: () => Promise.reject(new RpcError('garbage', 'many: HTTP 404.')),
    write: (method, params) =>
      new Promise((resolve, reject) => {
        waiting.push({
          text: [method, ...params].join(' '),
          done: (error) => (error === undefined ? resolve() : reject(error)),
        });
      }),
  };
  const mirror = createMirror(DEFAULT_CAPS);
  const lost: string[] = [];
  const outbox: Outbox = createOutbox({
    writer: { ...createBulkWriter(rpc), size: () => 1 },
    mirror,
    clock: { now: () => 0 },
    usable: () => true,
    onLost: (error) => {
      lost.push(error.failure);
      outbox.pause();
    },
    onRefused: (error) => lost.push(error.failure),
  });
  const put = (entry: BanEntry): void => outbox.set(mirror.put(entry, 0).puts);
  const remove = (entry: BanEntry): void => outbox.remove(mirror.remove(entry).removals);
  return { waiting, mirror, outbox, lost, put, remove };
};

test('no more than the queue holds is kept, the rest is counted', () => {
  const { outbox, put } = createSetup();
  for (let n = 0; n < MAX_QUEUED + 50; n += 1) put(ban(n));
  expect(outbox.pending()).toBe(MAX_QUEUED);
  expect(outbox.counters.dropped).toBe(50);
});

test('the next call for a key waits for the one before', async () => {
  const { waiting, outbox, put, remove } = createSetup();
  outbox.resume();
  put(ban(1));
  remove(ban(1));
  put(ban(1, 5_000));
  expect(waiting.map((call) => call.text)).toEqual(['htable.setxs ipban 10.0.0.1 companion:1:r 60']);
  waiting[0]?.done();
  await turn();
  expect(waiting[1]?.text).toBe('htable.setxs ipban 10.0.0.1 companion:1:r 5');
  waiting[1]?.done();
  await turn();
  expect(outbox.pending()).toBe(0);
});

test('a call that got lost is kept for later, unless there is a newer wish', async () => {
  const { waiting, outbox, lost, put, remove } = createSetup();
  outbox.resume();
  put(ban(1));
  put(ban(2));
  remove(ban(2));
  for (const call of waiting.splice(0)) call.done(new RpcError('timeout', 'late'));
  await turn();
  expect(lost).toEqual(['timeout', 'timeout']);
  expect(waiting).toEqual([]);
  outbox.resume();
  expect(waiting.map((call) => call.text).toSorted()).toEqual([
    'htable.delete ipban 10.0.0.2',
    'htable.setxs ipban 10.0.0.1 companion:1:r 60',
  ]);
});

test('a delete that finds nothing has done its work; a refused set is not tried for ever', async () => {
  const { waiting, outbox, lost, put, remove } = createSetup();
  outbox.resume();
  put(ban(1));
  waiting.pop()?.done();
  await turn();
  remove(ban(1));
  waiting.pop()?.done(new RpcError('rpc', 'Key not found in htable.', 404));
  await turn();
  expect(lost).toEqual([]);
  expect(outbox.counters).toMatchObject({ pushed: 1, deleted: 1, failed: 0 });
  put(ban(2));
  waiting.pop()?.done(new RpcError('rpc', 'Failed to set the item', 500));
  await turn();
  expect(lost).toEqual(['rpc']);
  expect(outbox.pending()).toBe(0);
});
