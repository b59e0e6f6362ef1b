import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dumpTable } from '../../../src/enforce/kamailio/door/dump.ts';
import { createKamailioRpc, RpcError } from '../../../src/enforce/kamailio/door/rpc.ts';
import type { KamailioRpc } from '../../../src/enforce/kamailio/door/rpc.ts';
import { CompanionError } from '../../../src/model/index.ts';
import { FakeKamailio } from './fake-kamailio.ts';

const failureOf = async (call: Promise<unknown>): Promise<RpcError> => {
  try {
    await call;
  } catch (error) {
    if (error instanceof RpcError) return error;
    throw error;
  }
  throw new Error('it did not fail');
};

describe('the RPC client', () => {
  const server = new FakeKamailio();
  let rpc: KamailioRpc;
  beforeEach(async () => {
    server.misbehave = () => false;
    server.token = '';
    server.calls.length = 0;
    await server.start();
    rpc = createKamailioRpc({ url: server.url, token: 'secret', deadlineMs: 150, slowDeadlineMs: 150 });
  });
  afterEach(async () => {
    await rpc.close();
    await server.stop();
  });
  const body = (text: string, status = 200): void => {
    server.misbehave = (_call, response) => {
      response.writeHead(status).end(text);
      return true;
    };
  };

  test('calls and writes', async () => {
    expect(await rpc.call('core.version')).toContain('5.6.3');
    await rpc.write('htable.setxi', ['companion_state', 't1', 5, 60]);
    expect(server.table('companion_state').get('t1')).toBe(5);
  });

  test('keeps many calls apart', async () => {
    await rpc.close();
    rpc = createKamailioRpc({ url: server.url, token: 'secret', deadlineMs: 5_000 });
    await Promise.all(
      Array.from({ length: 500 }, (_, n) =>
        rpc.write('htable.setxs', ['ipban', `10.0.${n >> 8}.${n & 255}`, `v${n}`, 60]),
      ),
    );
    const answers = await Promise.all(
      Array.from({ length: 500 }, (_, n) => rpc.call('htable.get', ['ipban', `10.0.${n >> 8}.${n & 255}`])),
    );
    expect(answers.map((answer) => (answer as { item: { value: string } }).item.value)).toEqual(
      Array.from({ length: 500 }, (_, n) => `v${n}`),
    );
  });

  test("says what Kamailio's error was", async () => {
    const error = await failureOf(rpc.write('htable.setxs', ['nope', 'k', 'v', 1]));
    expect(error).toBeInstanceOf(CompanionError);
    expect(error).toMatchObject({ code: 'KAMAILIO_RPC', failure: 'rpc', rpcCode: 500 });
    expect(error.message).toBe('htable.setxs: Kamailio answered 500 No such htable');
  });

  test('takes an empty result of a write for the failure that it is', async () => {
    body('{"jsonrpc":"2.0","result":{},"id":1}');
    expect((await failureOf(rpc.write('htable.setxs', ['ipban', 'k', 'v', 1]))).failure).toBe('garbage');
    body('{"jsonrpc":"2.0","result":{}}');
    expect((await failureOf(rpc.call('core.uptime'))).failure).toBe('garbage');
  });

  test.each(['', 'bad\n', '{', 'null', '[]', '42', '{"id":1}', '{"jsonrpc":"2.0","id":1}', '<html>'])(
    'takes %j for garbage',
    async (text) => {
      body(text, 500);
      expect((await failureOf(rpc.call('core.uptime'))).failure).toBe('garbage');
    },
  );

  test('tells a refused token from a refused method', async () => {
    server.token = 'other';
    expect(await failureOf(rpc.call('core.uptime'))).toMatchObject({
      failure: 'refused',
      message: expect.stringContaining('token'),
    });
    server.token = '';
    body('method\n', 403);
    expect(await failureOf(rpc.call('core.kill'))).toMatchObject({
      failure: 'refused',
      message: expect.stringContaining('method'),
    });
  });

  test('does not wait for ever, and goes on afterwards', async () => {
    server.misbehave = () => true;
    const began = performance.now();
    const error = await failureOf(rpc.call('core.uptime'));
    expect(error.failure).toBe('timeout');
    expect(performance.now() - began).toBeLessThan(1_000);
    server.misbehave = () => false;
    expect(await rpc.call('core.version')).toContain('5.6.3');
  });

  test('does not wait for ever for calls that stand behind others', async () => {
    server.misbehave = () => true;
    const errors = await Promise.all(Array.from({ length: 200 }, () => failureOf(rpc.call('core.uptime'))));
    expect(new Set(errors.map((error) => error.failure)).has('timeout')).toBe(true);
  });

  test('does not wait for an answer that trickles', async () => {
    server.misbehave = (_call, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
      return true;
    };
    expect((await failureOf(rpc.call('core.uptime'))).failure).toBe('timeout');
  });

  test('does not swallow a huge answer', async () => {
    body(`{"jsonrpc":"2.0","result":"${'x'.repeat(2_000_000)}","id":1}`);
    expect(await failureOf(rpc.call('core.uptime'))).toMatchObject({
      failure: 'garbage',
      message: 'core.uptime: the answer is too long.',
    });
  });

  test('says when nobody is there', async () => {
    await server.stop();
    expect(await failureOf(rpc.call('core.uptime'))).toMatchObject({
      failure: 'unreachable',
      message: expect.stringContaining('127.0.0.1'),
    });
    await server.start();
  });

  const dump = async (): Promise<Map<string, string | number>> => {
    const found = new Map<string, string | number>();
    for await (const keys of dumpTable(rpc, 'ipban')) for (const { key, value } of keys) found.set(key, value);
    return found;
  };

  test('reads a long dump in pieces, whatever stands in it', async () => {
    await rpc.close();
    rpc = createKamailioRpc({ url: server.url, token: 'secret', slowDeadlineMs: 5_000 });
    const table = server.table('ipban');
    table.clear();
    for (let n = 0; n < 20_000; n += 1) table.set(`10.1.${n >> 8}.${n & 255}`, n % 3 === 0 ? n : `companion:1:x${n}`);
    table.set('},{"entry":1,"slot":[]}', '],"id":1}');
    table.set('a\\"},{"entry":', 'ü\u0001');
    expect(await dump()).toEqual(table);
    table.clear();
    expect((await dump()).size).toBe(0);
  });

  test('says when a dump is cut off, is something else or never comes', async () => {
    for (const text of [
      '{"jsonrpc":"2.0","result":[{"entry":1,"size":1,"slot":[{"na',
      '{"jsonrpc":"2.0","result":{},"id":1}',
      'x',
      '',
    ]) {
      body(text);
      expect((await failureOf(dump())).failure).toBe('garbage');
    }
    server.misbehave = () => true;
    expect((await failureOf(dump())).failure).toBe('timeout');
  });
});
