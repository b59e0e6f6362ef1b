import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLab } from '../../src/lab/index.ts';
import type { Lab } from '../../src/lab/index.ts';
import type { StatusReport } from '../../src/model/index.ts';
import { family, figure, operate, readMetrics, residentMb, until } from './kit/companion.ts';
import { lineOf, openDoor } from './kit/door.ts';
import type { Door } from './kit/door.ts';
import { reconfigure } from './kit/reconfigure.ts';
import { createUa } from './kit/ua.ts';
import { requires } from './requirements.ts';

const SIP = '127.82.5.1:15060';
const HOST = '127.82.5.1';
const WRONG = '0123456789abcdef0123456789abcdef';
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const RAW = base64(`OPTIONS sip:1@${HOST} SIP/2.0\r\nVia: SIP/2.0/UDP 127.9.9.9:5060\r\nCall-ID: x\r\n\r\n`);

requires(
  'kamailio',
  'kamailio-extra-modules',
  'kamailio-sqlite-modules',
)('a local user', () => {
  let lab: Lab;
  let door: Door;
  let line: ReturnType<typeof lineOf>;
  let socket: Socket;

  beforeAll(async () => {
    lab = await startLab({ sip: SIP, users: 'alice:secret,bob:secret' });
    door = openDoor(lab);
    line = lineOf(lab);
    socket = createSocket('udp4');
    socket.on('error', () => undefined);
    socket.bind({ address: '127.0.0.1', port: 0 });
    await once(socket, 'listening');
  });
  afterAll(async () => {
    socket?.close();
    await lab?.stop();
  });

  const toCompanion = (port: 'ask' | 'tell', text: string): void => {
    socket.send(Buffer.from(text, 'latin1'), line[port], line.host);
  };
  const toKamailio = (text: string): void => {
    socket.send(Buffer.from(text.padEnd(48), 'latin1'), line.control, line.host);
  };
  const now = (): string => `${Math.floor(Date.now() / 1_000)}.000001`;
  const drops = async (): Promise<Readonly<Record<string, number>>> =>
    family(await readMetrics(lab), 'companion_drops_total');
  /** Sends to companion and says which drop counters moved, and by how much. */
  const counted = async (send: () => void, total: number): Promise<Record<string, number>> => {
    const before = await drops();
    const difference = async (): Promise<Record<string, number>> =>
      Object.fromEntries(
        Object.entries(await drops())
          .map(([kind, value]) => [kind, value - (before[kind] ?? 0)] as const)
          .filter(([, value]) => value > 0),
      );
    send();
    const sum = async (): Promise<number> => Object.values(await difference()).reduce((all, one) => all + one, 0);
    await until('counted', async () => (await sum()) >= total, 3_000).catch(() => undefined);
    return difference();
  };
  const request = async (from: string, method = 'OPTIONS') => {
    const ua = await createUa({ server: SIP, from, user: 'stranger', deadlineMs: 5_000 });
    const reply = await ua.request({ method, uri: `sip:100@${HOST}` });
    ua.close();
    return reply;
  };

  test('cannot speak to companion: wrong secrets, versions, nodes and shapes are counted by kind', async () => {
    const requestsBefore = (await operate<StatusReport>(lab, 'status')).requests;
    const ask = (secret: string, version = 'C1', node = 'kamailio'): string =>
      `${version} ${secret} A ${node} 1 ${now()} 1 1 udp 127.9.9.9 5060 ${HOST} 15060 n stranger 100 0 ${RAW}`;
    const authOk = (secret: string): string =>
      `C1 ${secret} O kamailio 2 ${now()} udp 127.9.9.9 5060 1 ${base64('REGISTER')} ${base64('alice')} ${base64('alice')} ${base64('x')}`;
    const registered = (secret: string): string =>
      `C1 ${secret} G kamailio 3 ${now()} udp 127.9.9.9 5060 3600 ${base64('alice')}`;
    const hello = (secret: string): string => `C1 ${secret} H kamailio 1 ${now()} b1.1.1 1`;

    const results = {
      secret: await counted(() => {
        for (const secret of [WRONG, line.down, line.up.slice(0, -1), `${line.up}0`, '<null>']) {
          toCompanion('ask', ask(secret));
          for (const forged of [authOk, registered, hello]) toCompanion('tell', forged(secret));
        }
      }, 20),
      version: await counted(() => {
        for (const version of ['C0', 'C2', 'c1', '', 'C11', 'SIP/2.0']) toCompanion('tell', ask(line.up, version));
      }, 6),
      node: await counted(() => {
        for (const node of ['other', '__proto__', 'constructor', '../kamailio'])
          toCompanion('ask', ask(line.up, 'C1', node));
      }, 4),
      // whoever has seen a frame of this line (root has) can repeat it, cut it, or send it elsewhere
      cut: await counted(() => {
        for (const length of [40, 60, 80, 100, 120]) toCompanion('tell', authOk(line.up).slice(0, length));
      }, 5),
      socket: await counted(() => {
        toCompanion('tell', ask(line.up));
        toCompanion('ask', registered(line.up));
        toCompanion('ask', hello(line.up));
      }, 3),
      large: await counted(() => {
        toCompanion('ask', `${ask(line.up)}${'A'.repeat(20_000)}`);
        toCompanion('tell', 'A'.repeat(60_000));
      }, 2),
      empty: await counted(() => {
        for (const text of ['', ' ', 'C1', `C1 ${line.up}`, '\x00\x00\x00', `${'C1 '.repeat(30)}`])
          toCompanion('tell', text);
      }, 6),
    };
    figure('frames', results);
    expect(results.secret).toEqual({ secret: 20 });
    expect(results.version).toEqual({ version: 6 });
    expect(results.node).toEqual({ 'unknown-node': 4 });
    expect(results.cut).toEqual({ malformed: 5 });
    expect(results.socket).toEqual({ 'wrong-socket': 3 });
    expect(results.large).toEqual({ 'too-long': 2 });
    expect(Object.values(results.empty).reduce((all, one) => all + one, 0)).toBe(6);
    const status = await operate<StatusReport>(lab, 'status');
    expect(status.counts.good).toBe(0);
    expect(status.requests).toBe(requestsBefore);
    expect((await door.tables())['companion_good']).toBe(0);
  });

  test('replays a hello: nothing starts again', async () => {
    const before = family(await readMetrics(lab), 'companion_node_counter');
    const boot = String(await door.get('companion_meta', 'boot'));
    for (let n = 0; n < 50; n += 1)
      toCompanion('tell', `C1 ${line.up} H kamailio 1 ${now()} ${n % 2 === 0 ? boot : 'b1.1.1'} 1`);
    await sleep(500);
    const after = family(await readMetrics(lab), 'companion_node_counter');
    const { state } = (await operate<StatusReport>(lab, 'status')).nodes[0]!;
    figure('hello', { restarts: after['restarts'], pushed: (after['pushed'] ?? 0) - (before['pushed'] ?? 0) });
    expect(after['restarts']).toBe(before['restarts']);
    expect(state).toBe('connected');
  });

  test('cannot hold up others with ten thousand bad frames', async () => {
    let flooding = true;
    let sent = 0;
    const flood = (async () => {
      while (flooding) {
        for (let n = 0; n < 100; n += 1) {
          toCompanion(
            'ask',
            `C1 ${WRONG} A kamailio 1 ${now()} 1 1 udp 127.9.9.9 5060 ${HOST} 15060 n stranger 100 0 ${RAW}`,
          );
          toCompanion('tell', `C1 ${WRONG} G kamailio 3 ${now()} udp 127.9.9.9 5060 3600 ${base64('alice')}`);
          toKamailio(`CV1 ${WRONG} H`);
        }
        sent += 300;
        await sleep(10);
      }
    })();
    const replies = [];
    for (let n = 0; n < 15; n += 1) {
      replies.push(await request(`127.82.50.${n + 1}`));
      await sleep(60);
    }
    flooding = false;
    await flood;
    figure('bad frames', { sent, worstMs: Math.max(...replies.map(({ ms }) => ms)), drops: await drops() });
    expect(sent).toBeGreaterThan(5_000);
    expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 407));
    expect(Math.max(...replies.map(({ ms }) => ms))).toBeLessThan(900);
    expect(await door.counter('bad_frame')).toBeGreaterThan(1_000);
    expect(residentMb(lab.pids().companion)).toBeLessThan(400);
  });

  test('cannot speak through the RPC door', async () => {
    const call = { jsonrpc: '2.0', id: 1, params: ['ipban', '127.9.9.9', 'x', 60] };
    const knock = async (
      body: string | undefined,
      headers: Record<string, string> = {},
      path = '/RPC',
      method = 'POST',
    ) => {
      try {
        const response = await fetch(line.rpc.replace('/RPC', path), {
          method,
          headers: { 'content-type': 'application/json', ...headers },
          ...(body === undefined ? {} : { body }),
          signal: AbortSignal.timeout(3_000),
        });
        return `${response.status} ${(await response.text()).trim().slice(0, 40)}`;
      } catch {
        return 'no answer';
      }
    };
    const ours = { 'x-companion-token': line.down };
    const set = JSON.stringify({ ...call, method: 'htable.setxs' });
    const before = await door.counter('rpc_refused');
    const answers = {
      'no token': await knock(set),
      'empty token': await knock(set, { 'x-companion-token': '' }),
      'wrong token': await knock(set, { 'x-companion-token': WRONG }),
      "the other direction's token": await knock(set, { 'x-companion-token': line.up }),
      'kill with token': await knock(JSON.stringify({ ...call, method: 'core.kill' }), ours),
      'flush with token': await knock(JSON.stringify({ ...call, method: 'htable.flush' }), ours),
      'cfg with token': await knock(JSON.stringify({ ...call, method: 'cfg.seti' }), ours),
      'two methods': await knock(`{"METHOD":"core.kill","method":"htable.stats","jsonrpc":"2.0","id":1}`, ours),
      'two methods, a newline between': await knock(
        `{"MeThOd":"core.kill",\n"method":"htable.stats","jsonrpc":"2.0","id":1}`,
        ours,
      ),
      'an escaped second method': await knock(
        `{"m\\u0065thod":"core.kill","method":"htable.stats","jsonrpc":"2.0","id":1}`,
        ours,
      ),
      'no json': await knock('method', ours),
      get: await knock(undefined, ours, '/RPC', 'GET'),
      'other path': await knock(set, ours, '/'),
      'huge body': await knock(JSON.stringify({ ...call, method: 'core.kill', x: 'A'.repeat(200_000) }), ours),
    };
    const refused = (await door.counter('rpc_refused')) - before;
    figure('rpc', { ...answers, refused });
    for (const [name, answer] of Object.entries(answers))
      expect([name, /^(?:40[0-9]|no answer)/.test(answer)]).toEqual([name, true]);
    expect(refused).toBeGreaterThanOrEqual(10);
    expect(await door.get('ipban', '127.9.9.9')).toBeUndefined();
    // nor through the path that takes many: each is one digit, 1 for done
    const plain = (method: string, ...params: readonly (string | number)[]): string =>
      JSON.stringify({ jsonrpc: '2.0', method, params });
    const fits = plain('htable.setxs', 'ipban', '127.9.9.7', 'companion:1:x', 60);
    const many = {
      'wrong token': await knock(`${fits}|${fits}`, { 'x-companion-token': WRONG }, '/RPC/many'),
      'too many': await knock(Array.from({ length: 65 }, () => fits).join('|'), ours, '/RPC/many'),
      nothing: await knock('', ours, '/RPC/many'),
      // one fits among: other methods, other tables, another member, a second method, a quote, no version, a list
      mixed: await knock(
        [
          plain('core.kill'),
          plain('htable.flush', 'ipban'),
          plain('htable.setxs', 'companion_meta', 'nets', '9', 60),
          fits.replace('}', ',"x":1}'),
          fits.replace('"params"', '"METHOD":"core.kill","params"'),
          fits.replace('127.9.9.7', String.raw`a\",\"b`),
          fits.replace('"2.0"', '2'),
          `[${fits}]`,
          fits,
        ].join('|'),
        ours,
        '/RPC/many',
      ),
    };
    figure('many', many);
    expect(many).toEqual({
      'wrong token': '401 token',
      'too many': '403 too many',
      nothing: '200 0',
      mixed: '200 000000001',
    });
    expect(await door.get('ipban', '127.9.9.7')).toBe('companion:1:x');
    await door.call('htable.delete', 'ipban', '127.9.9.7');
    // not on the SIP port either
    const http = connect({ host: HOST, port: 15_060 });
    let said = '';
    http.on('data', (chunk: Buffer) => (said += chunk.toString()));
    http.on('error', () => undefined);
    http.write(
      `POST /RPC HTTP/1.1\r\nHost: x\r\nX-Companion-Token: ${line.down}\r\nContent-Type: application/json\r\nContent-Length: ${set.length}\r\n\r\n${set}`,
    );
    await sleep(300);
    http.destroy();
    expect(said).not.toContain('200');
    expect(await door.get('ipban', '127.9.9.9')).toBeUndefined();
    expect((await door.call<{ uptime: number }>('core.uptime')).uptime).toBeGreaterThan(0);
  });

  test('finds no file that it may read or socket that it may open, and no HTTP without the token', async () => {
    const mode = (file: string): string => (statSync(file).mode & 0o777).toString(8);
    const modes = {
      socket: mode(lab.ready.socket),
      state: mode(lab.ready.state),
      secret: mode(join(lab.ready.state, 'secret')),
      token: mode(join(lab.ready.state, 'token')),
      secretFile: mode(join(lab.ready.state, 'kamailio-secret.cfg')),
      database: mode(join(lab.ready.state, 'companion.sqlite')),
    };
    figure('files', modes);
    expect(modes.socket).toMatch(/^6[06]0$/);
    for (const [name, found] of Object.entries(modes)) expect([name, found.at(-1)]).toEqual([name, '0']);
    for (const name of ['secret', 'token', 'secretFile'] as const) expect([name, modes[name]]).toEqual([name, '600']);
    const get = async (path: string, headers: Record<string, string> = {}): Promise<number> =>
      (await fetch(`${lab.ready.api}${path}`, { headers, signal: AbortSignal.timeout(3_000) })).status;
    expect([
      await get('/api/sip-guardian/bans'),
      await get('/api/sip-guardian/bans', { authorization: `Bearer ${WRONG}` }),
      await get('/api/sip-guardian/bans', { authorization: `Bearer ${line.down}` }),
      await get('/api/sip-guardian/bans', { authorization: lab.ready.token }),
    ]).toEqual([401, 401, 401, 401]);
    expect(await get('/api/sip-guardian/bans', { authorization: `Bearer ${lab.ready.token}` })).toBe(200);
    if (process.getuid?.() !== 0) return;
    const asNobody = `require('net').connect(process.argv[1]).on('error', (e) => { console.log(e.code); }).on('connect', () => { console.log('open'); process.exit(); })`;
    const { stdout } = await new Promise<{ stdout: string }>((resolve) => {
      execFile(
        process.execPath,
        ['-e', asNobody, lab.ready.socket],
        { uid: 65_534, gid: 65_534, cwd: '/' },
        (_error, out) => {
          resolve({ stdout: out.trim() });
        },
      );
    });
    // EACCES, or nothing where that user may not even run node
    expect(['EACCES', '']).toContain(stdout);
  });

  test('speaks a verdict: it is not obeyed, even with the numbers of a suspended request', async () => {
    // a listener in companion's place, as only root can set one up, so that the numbers of the request are known
    const asks = createSocket('udp4');
    asks.bind({ address: '127.0.0.1', port: 0 });
    await once(asks, 'listening');
    await reconfigure(lab, (text) => text.replace(/(COMPANION_ASK_PORT) \d+/, `$1 ${asks.address().port}`));
    await sleep(500);
    const before = await door.counter('bad_frame');
    asks.on('message', (bytes) => {
      const [, , , , , , ti, tl] = bytes.toString('latin1').split(' ');
      toKamailio(`CV1 ${WRONG} V ${ti} ${tl} drop `);
      toKamailio(`CV1 ${line.up} V ${ti} ${tl} drop `);
      toKamailio(`CV1 ${line.down} V ${ti} ${tl} drop `);
      toKamailio(`CV1  V ${ti} ${tl} drop `);
    });
    const reply = await request('127.82.51.1');
    const bad = (await door.counter('bad_frame')) - before;
    asks.close();
    figure('verdict', { status: reply.status, ms: reply.ms, sent: reply.sent, bad });
    // obeyed, it would have been dropped; ignored, it waits for the deadline and is served
    expect(reply.status).toBe(407);
    expect(reply.ms).toBeGreaterThan(300);
    expect(bad).toBe(4);
  });
});
