import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startControlSocket } from '../../../src/admin/index.ts';
import type { ControlSocket } from '../../../src/admin/index.ts';
import { AT, HOSTILE, banRow, decision, fakeOperations, fakeTokens } from './fake-operations.ts';
import type { FakeOperations } from './fake-operations.ts';

let dir = '';
let path = '';
let operations: FakeOperations;
let door: ControlSocket | undefined;
let bugs: unknown[] = [];
const clients: Socket[] = [];

const start = async (idleMs?: number): Promise<ControlSocket> => {
  door = await startControlSocket({
    path,
    desk: { operations, tokens: fakeTokens() },
    idleMs,
    onBug: (error) => {
      bugs.push(error);
    },
  });
  return door;
};

interface Wire {
  readonly socket: Socket;
  send(text: string): void;
  /** The next line, as JSON. */
  next(): Promise<Record<string, unknown>>;
  ended: Promise<unknown>;
}

const dial = async (): Promise<Wire> => {
  const socket = connect(path);
  clients.push(socket);
  socket.on('error', () => {});
  const ended = once(socket, 'close');
  await once(socket, 'connect');
  const lines: string[] = [];
  let rest = '';
  let wake = (): void => {};
  socket.on('data', (chunk) => {
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
    wake();
  });
  return {
    socket,
    ended,
    send: (text) => {
      socket.write(`${text}\n`);
    },
    next: async () => {
      while (lines.length === 0)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      return JSON.parse(lines.shift() ?? '') as Record<string, unknown>;
    },
  };
};

const ask = async (method: string, params: unknown = {}): Promise<Record<string, unknown>> => {
  const wire = await dial();
  wire.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }));
  const answer = await wire.next();
  wire.socket.destroy();
  return answer;
};

const until = async (met: () => boolean): Promise<void> => {
  while (!met())
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
};

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'companion-admin-'));
  path = join(dir, 'run', 'companion.sock');
  operations = fakeOperations();
  bugs = [];
});
afterEach(async () => {
  for (const socket of clients.splice(0)) socket.destroy();
  await door?.close();
  door = undefined;
  rmSync(dir, { recursive: true, force: true });
});

describe('the socket file', () => {
  test('has mode 0660 in a directory made with 0750, and goes away on close', async () => {
    await start();
    expect((statSync(path).mode & 0o777).toString(8)).toBe('660');
    expect((statSync(join(dir, 'run')).mode & 0o777).toString(8)).toBe('750');
    await door?.close();
    expect(existsSync(path)).toBe(false);
  });

  test('a living companion is not replaced', async () => {
    const first = await start();
    await expect(startControlSocket({ path, desk: { operations, tokens: fakeTokens() } })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining('another companion is running'),
    });
    expect((await ask('version'))['result']).toEqual({ version: '9.9.9' });
    expect(first.stats().accepted).toBeGreaterThan(0);
  });

  test('what a crashed companion left is replaced', async () => {
    path = join(dir, 'companion.sock');
    const crash = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    expect(spawnSync(process.execPath, ['-e', crash]).signal).toBe('SIGKILL');
    expect(statSync(path).isSocket()).toBe(true);
    await start();
    expect((await ask('version'))['result']).toEqual({ version: '9.9.9' });
  });

  test('a file that is not a socket is left alone', async () => {
    path = join(dir, 'precious');
    writeFileSync(path, 'data');
    await expect(start()).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining('not a socket'),
    });
    expect(statSync(path).size).toBe(4);
  });

  test('a path that cannot be bound is told in a sentence', async () => {
    path = join(dir, 'x'.repeat(200));
    await expect(start()).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringMatching(/^Cannot open the control socket /),
    });
  });
});

describe('methods', () => {
  test('each reaches its operation with its parameters', async () => {
    await start();
    const author = 'operator:test';
    await ask('ban.add', { subject: '192.0.2.5', durationMs: 1000, reason: 'r', author, force: true });
    await ask('ban.add', { subject: '192.0.2.5', durationMs: null, reason: 'r', author });
    await ask('ban.remove', { subject: '192.0.2.5', author });
    await ask('allow.add', { subject: '192.0.2.5', note: 'n', author });
    await ask('deny.add', { subject: '192.0.2.6', note: 'n', author, durationMs: 5 });
    await ask('deny.remove', { subject: '192.0.2.6', author });
    await ask('why', { ip: '192.0.2.6' });
    expect(operations.calls).toEqual([
      { banAdd: { subject: '192.0.2.5', durationMs: 1000, reason: 'r', author, force: true } },
      { banAdd: { subject: '192.0.2.5', durationMs: null, reason: 'r', author } },
      { banRemove: { subject: '192.0.2.5', author } },
      { listAdd: { list: 'allow', subject: '192.0.2.5', note: 'n', author } },
      { listAdd: { list: 'deny', subject: '192.0.2.6', note: 'n', author, durationMs: 5 } },
      { listRemove: 'deny', subject: '192.0.2.6', author },
      { why: '192.0.2.6' },
    ]);
    expect((await ask('check', { ip: '203.0.113.7' }))['result']).toMatchObject({ result: 'blocked' });
    expect((await ask('allow.list'))['result']).toMatchObject({ total: 1, next: null });
  });

  test.each([
    ['nothing.such', {}, -32601, 'REQUEST_INVALID', /There is no method 'nothing.such'/],
    ['__proto__', {}, -32601, 'REQUEST_INVALID', /There is no method/],
    ['check', {}, -32602, 'REQUEST_INVALID', /ip: /],
    ['check', { ip: '192.0.2.1', extra: 1 }, -32602, 'REQUEST_INVALID', /extra/],
    ['check', { ip: 'nobody' }, -32000, 'ADDRESS_INVALID', /'nobody' is not an IP address/],
    ['check', ['192.0.2.1'], -32602, 'REQUEST_INVALID', /./],
    ['ban.add', { subject: '192.0.2.1', reason: '', author: 'a' }, -32000, 'BAN_REFUSED', /allow list/],
    [
      'ban.add',
      { subject: '192.0.2.3', reason: '', author: 'a', durationMs: -1 },
      -32602,
      'REQUEST_INVALID',
      /durationMs/,
    ],
    ['ban.remove', { subject: '192.0.2.99', author: 'a' }, -32000, 'NOT_FOUND', /Nothing holds/],
    ['ban.list', { cursor: 77 }, -32000, 'REQUEST_INVALID', /There is no page 77/],
    ['why', { ip: '192.0.2.66' }, -32603, 'INTERNAL', /^A bug in companion: the request failed inside/],
  ])('%s %j is refused as %i %s', async (method, params, rpc, code, message) => {
    await start();
    const { error } = (await ask(method, params)) as { error: { code: number; message: string; data: unknown } };
    expect(error).toEqual({ code: rpc, data: { code }, message: expect.stringMatching(message) });
    expect(JSON.stringify(error)).not.toContain('secret detail');
    expect(bugs).toHaveLength(code === 'INTERNAL' ? 1 : 0);
  });

  test('an operation that never ends is answered after its deadline', async () => {
    await start();
    expect(await ask('why', { ip: '192.0.2.67' })).toMatchObject({
      error: { data: { code: 'INTERNAL' }, message: expect.stringContaining('within 4000 ms') },
    });
  });

  test('a long list comes in pages of one moment', async () => {
    operations.bans.length = 0;
    for (let index = 0; index < 2_500; index += 1)
      operations.bans.push(banRow(`10.0.${index >> 8}.${index & 255}`, { reason: '\u202e'.repeat(200) }));
    await start();
    const wire = await dial();
    const subjects: string[] = [];
    let pages = 0;
    for (let cursor: number | null = 0; cursor !== null; pages += 1) {
      wire.send(JSON.stringify({ jsonrpc: '2.0', id: pages, method: 'ban.list', params: { cursor } }));
      const { result } = (await wire.next()) as {
        result: { rows: { subject: string }[]; total: number; next: number | null };
      };
      expect(result.total).toBe(2_500);
      expect(JSON.stringify(result).length).toBeLessThan(1024 * 1024);
      subjects.push(...result.rows.map(({ subject }) => subject));
      cursor = result.next;
      operations.bans.splice(0, 0);
    }
    expect(new Set(subjects).size).toBe(2_500);
    expect(pages).toBeGreaterThan(5);
    expect(operations.calls).toEqual([{ banList: true }]);
  });
});

describe('hostile peers', () => {
  test.each([
    ['{', -32700],
    ['[]', -32600],
    ['[{"jsonrpc":"2.0","id":1,"method":"status"}]', -32600],
    ['{"id":1,"method":"status"}', -32600],
    ['5', -32600],
    ['null', -32600],
    ['"text"', -32600],
    ['{"jsonrpc":"2.0","id":{"a":1},"method":"status"}', -32600],
    ['{"jsonrpc":"2.0","id":1,"method":"status","params":5}', -32602],
    ['{"jsonrpc":"2.0","id":1,"method":5}', -32600],
  ])('nonsense is answered, and the connection lives on: %s', async (text, code) => {
    await start();
    const wire = await dial();
    wire.send(text);
    expect(await wire.next()).toMatchObject({ id: null, error: { code, data: { code: 'REQUEST_INVALID' } } });
    wire.send('{"jsonrpc":"2.0","id":7,"method":"version"}');
    expect(await wire.next()).toMatchObject({ id: 7, result: { version: '9.9.9' } });
  });

  test('a line of more than a megabyte is refused and the connection closed', async () => {
    const { stats } = await start();
    const wire = await dial();
    wire.socket.write('x'.repeat(1024 * 1024 + 10));
    expect(await wire.next()).toMatchObject({ error: { message: expect.stringContaining('1048576 bytes') } });
    await wire.ended;
    expect(stats()).toMatchObject({ oversized: 1, open: 0 });
  });

  test('many requests in one write are answered in order', async () => {
    await start();
    const wire = await dial();
    wire.send(
      Array.from({ length: 200 }, (_, id) => JSON.stringify({ jsonrpc: '2.0', id, method: 'version' })).join('\n'),
    );
    for (let id = 0; id < 200; id += 1) expect((await wire.next())['id']).toBe(id);
  });

  test('the 65th connection is told so', async () => {
    const { stats } = await start();
    for (let index = 0; index < 64; index += 1) await dial();
    await until(() => stats().open === 64);
    const wire = await dial();
    expect(await wire.next()).toMatchObject({ error: { message: expect.stringContaining('at most 64 connections') } });
    await wire.ended;
    expect(stats()).toMatchObject({ open: 64, refused: 1 });
  });

  test('an idle connection is closed, an idle watcher is not', async () => {
    const { stats } = await start(60);
    const watcher = await dial();
    watcher.send('{"jsonrpc":"2.0","id":1,"method":"watch"}');
    await watcher.next();
    const idle = await dial();
    await idle.ended;
    await until(() => stats().open === 1);
    expect(stats()).toMatchObject({ idleClosed: 1 });
    operations.emit(decision(1));
    expect(await watcher.next()).toMatchObject({ method: 'decision' });
  });
});

describe('watch', () => {
  test('pushes decisions, and unsubscribes when the watcher leaves', async () => {
    const { stats } = await start();
    const wire = await dial();
    wire.send('{"jsonrpc":"2.0","id":1,"method":"watch"}');
    expect(await wire.next()).toEqual({ jsonrpc: '2.0', id: 1, result: { watching: true } });
    operations.emit(decision(1));
    expect(await wire.next()).toMatchObject({
      method: 'decision',
      params: { at: AT + 1, reason: 'decision 1', evidence: HOSTILE },
    });
    wire.send('{"jsonrpc":"2.0","id":2,"method":"watch"}');
    expect(await wire.next()).toMatchObject({ id: 2, error: { message: expect.stringContaining('watches already') } });
    wire.socket.destroy();
    await until(() => stats().open === 0);
    expect(operations.watchers()).toBe(0);
  });

  test('a slow watcher misses events, is told how many and where, and costs no more than the queue', async () => {
    const { stats } = await start();
    const wire = await dial();
    wire.send('{"jsonrpc":"2.0","id":1,"method":"watch"}');
    await wire.next();
    wire.socket.pause();
    const sent = 20_000;
    for (let index = 0; index < sent; index += 1) {
      operations.emit(decision(index));
      if (index % 500 === 0)
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
    }
    const missed = stats().watchDropped;
    expect(missed).toBeGreaterThan(sent / 2);
    wire.socket.resume();
    let received = 0;
    let last = -1;
    let reported = 0;
    while (received + reported < sent) {
      const { method, params } = (await wire.next()) as { method: string; params: { at: number; count: number } };
      if (method === 'dropped') {
        reported += params.count;
        last += params.count;
      } else {
        expect(params.at - AT).toBe(last + 1);
        last = params.at - AT;
        received += 1;
      }
    }
    expect(reported).toBe(missed);
    operations.emit(decision(sent));
    expect(await wire.next()).toMatchObject({ params: { at: AT + sent } });
  });

  test('a watcher that never reads is closed', async () => {
    const { stats } = await start(60);
    const wire = await dial();
    wire.send('{"jsonrpc":"2.0","id":1,"method":"watch"}');
    await wire.next();
    wire.socket.pause();
    for (let index = 0; index < 5_000; index += 1) operations.emit(decision(index));
    await until(() => stats().idleClosed === 1);
    await until(() => operations.watchers() === 0);
  });
});

test('a socket that accepts but is another program counts as alive', async () => {
  path = join(dir, 'other.sock');
  const other = createServer().listen(path);
  await once(other, 'listening');
  await expect(start()).rejects.toMatchObject({ code: 'PORT_IN_USE' });
  other.close();
});
