/** The hook over HTTP: Kamailio with http_client, and the commands that kamailio/README.md shows. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLab } from '../../src/lab/index.ts';
import type { Lab } from '../../src/lab/index.ts';
import type { CheckReport, StatusReport, WhyReport } from '../../src/model/index.ts';
import { family, figure, operate, readMetrics, until } from './kit/companion.ts';
import { lineOf, openDoor } from './kit/door.ts';
import type { Door } from './kit/door.ts';
import { spread } from './kit/figures.ts';
import { kill } from './kit/reconfigure.ts';
import { scanUdp } from './kit/scanner.ts';
import { requestText, statusOf } from './kit/sip-text.ts';
import { createUa } from './kit/ua.ts';
import type { Reply, Ua } from './kit/ua.ts';
import { requires } from './requirements.ts';

const HOST = '127.83.20.1';
const SIP = `${HOST}:15060`;

requires(
  'kamailio',
  'kamailio-extra-modules',
  'kamailio-utils-modules',
  'kamailio-sqlite-modules',
)('the hook over HTTP', () => {
  let lab: Lab;
  let door: Door;
  const open: Ua[] = [];
  const phone = async (user: string, from: string): Promise<Ua> => {
    const ua = await createUa({ server: SIP, from, user, deadlineMs: 6_000 });
    open.push(ua);
    return ua;
  };
  let next = 0;
  const stranger = async (): Promise<Reply> => {
    next += 1;
    return (await phone('x', `127.83.22.${next}`)).request({ method: 'OPTIONS', uri: `sip:100@${HOST}` });
  };
  const post = async (path: string, body: object | string, token: string, more: Record<string, string> = {}) => {
    const response = await fetch(`${lab.ready.api}${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
        ...more,
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      signal: AbortSignal.timeout(5_000),
    });
    return { status: response.status, json: (await response.json()) as Record<string, unknown> };
  };
  const options = (ip: string, agent?: string): string => {
    const uri = `sip:100@${HOST}`;
    return requestText({
      method: 'OPTIONS',
      uri,
      from: uri,
      to: uri,
      local: `${ip}:5060`,
      ...(agent ? { agent } : {}),
    });
  };

  beforeAll(async () => {
    lab = await startLab({ sip: SIP, users: 'alice:secret,bob:secret', transport: 'http' });
    door = openDoor(lab);
  });
  afterAll(async () => {
    for (const ua of open) ua.close();
    await lab?.stop();
  });

  test('Kamailio with http_client: phones register and call, a scan ends in quarantine, nothing is lost', async () => {
    const [alice, bob] = [await phone('alice', '127.83.21.1'), await phone('bob', '127.83.21.2')];
    expect([(await alice.register()).status, (await bob.register()).status]).toEqual([200, 200]);
    const call = await alice.call('bob');
    expect([call.invite.status, call.bye.status]).toEqual([200, 200]);
    const targets = Array.from({ length: 40 }, (_, n) => String(300 + n));
    const server = { ip: HOST, port: 15_060 };
    const scan = await scanUdp({
      from: '127.83.21.3',
      server,
      domain: HOST,
      method: 'REGISTER',
      targets,
      perSecond: 100,
      agent: 'friendly-scanner',
    });
    expect(new Set(scan.answers.map(statusOf))).toEqual(new Set([401]));
    expect((await operate<CheckReport>(lab, 'check', { ip: '127.83.21.3' })).state).toBe('quarantined');
    await until('enforced', async () => (await door.get('companion_state', 'q127.83.21.3')) === '1');
    await until('known-good', async () => (await operate<StatusReport>(lab, 'status')).counts.good === 2);
    const times = [];
    for (let n = 0; n < 30; n += 1) times.push((await stranger()).ms);
    figure('http', { roundTrip: spread(times), counters: family(await readMetrics(lab), 'companion_hook_total') });
    expect(family(await readMetrics(lab), 'companion_hook_total')).toMatchObject({ lost: 0 });
  });

  test('companion hung: one second at most a worker, then nobody is asked; killed: nobody waits', async () => {
    process.kill(lab.pids().companion, 'SIGSTOP');
    const first = await stranger();
    const then = [await stranger(), await stranger(), await stranger()];
    process.kill(lab.pids().companion, 'SIGCONT');
    const asks = await door.counter('ask');
    await until('asks again', async () => {
      await stranger();
      return (await door.counter('ask')) > asks;
    });
    const died = kill(lab, 'companion');
    const gone = [await stranger(), await stranger(), await stranger()];
    await died;
    figure('http outage', {
      firstMs: first.ms,
      later: spread(then.map(({ ms }) => ms)),
      gone: spread(gone.map(({ ms }) => ms)),
    });
    expect([first, ...then, ...gone].map(({ status }) => status)).toEqual([407, 407, 407, 407, 407, 407, 407]);
    expect(first.ms).toBeLessThan(2_500);
    expect(Math.max(...then.map(({ ms }) => ms))).toBeLessThan(300);
    await until('connected', async () =>
      operate<StatusReport>(lab, 'status').then(
        ({ nodes }) => nodes[0]?.state === 'connected',
        () => false,
      ),
    );
  });

  test('programs ask and report with a token of the scope hook, and with no other', async () => {
    const { up, down } = lineOf(lab);
    const ask = { ip: '127.83.23.1', port: 5060, transport: 'udp', message: options('127.83.23.1') };
    const read = (await operate<{ token: string }>(lab, 'token.add', { name: 'reader', scopes: ['read', 'operate'] }))
      .token;
    const hook = (await operate<{ token: string }>(lab, 'token.add', { name: 'opensips', scopes: ['hook'] })).token;
    const statuses = await Promise.all(
      ['', 'x'.repeat(32), down, read].map(async (token) => (await post('/v1/decide', ask, token)).status),
    );
    expect(statuses).toEqual([401, 401, 401, 403]);
    // the line's own secret opens the hook and nothing else
    expect((await post('/v1/decide', ask, up)).json).toEqual({ answer: 'allow' });
    expect((await post('/v1/bans', { subject: '127.83.23.9' }, up)).status).toBe(403);
    expect((await post('/v1/decide', ask, hook)).json).toEqual({ answer: 'allow' });

    const scanner = {
      ...ask,
      ip: '127.83.23.2',
      transport: 'tcp',
      message: options('127.83.23.2', 'friendly-scanner'),
    };
    expect((await post('/v1/decide', scanner, hook)).json).toEqual({ answer: 'drop' });
    expect((await operate<WhyReport>(lab, 'why', { ip: '127.83.23.2' })).state).toBe('banned');
    const guess = { type: 'auth', ip: '127.83.23.3', port: 5060, result: 'wrong-password', method: 'REGISTER' };
    for (const [bound, ip] of [
      [true, '127.83.23.3'],
      [false, '127.83.23.4'],
    ] as const) {
      for (let n = 0; n < 12; n += 1)
        expect(
          (await post('/v1/report', { ...guess, bound, ip, user: `u${n}`, claimed: `u${n}`, call_id: `c${n}` }, hook))
            .json,
        ).toEqual({ taken: true });
    }
    const why = await Promise.all(
      ['127.83.23.3', '127.83.23.4'].map(async (ip) => operate<WhyReport>(lab, 'why', { ip })),
    );
    figure('http reports', { states: why.map(({ state }) => state), scores: why.map(({ score }) => score) });
    expect(why[0]!.evidence.some(({ tier }) => tier === 'proven')).toBe(true);
    // over UDP and not said to be bound: forgeable, never a ban
    expect(why[1]!.evidence.every(({ tier }) => tier === 'spoofable')).toBe(true);
    expect(why[1]!.state).not.toBe('banned');
    await post(
      '/v1/report',
      { type: 'registered', ip: '127.83.23.5', port: 5060, user: 'zoe', expires: 600, bound: true },
      hook,
    );
    expect((await operate<CheckReport>(lab, 'check', { ip: '127.83.23.5' })).result).toBe('clear');

    const bad = [
      {},
      { ip: 'nonsense', message: 'x' },
      { ip: '127.0.0.9' },
      { ...ask, port: 70_000 },
      { ...ask, more: 1 },
    ];
    for (const body of bad) {
      const { status, json } = await post('/v1/decide', body, hook);
      expect([status, json]).toEqual([400, { error: { code: 'REQUEST_INVALID', message: expect.any(String) } }]);
    }
    expect((await post('/v1/decide', { ...ask, message: 'A'.repeat(100_000) }, hook)).status).toBe(413);
  });

  test('what kamailio/README.md shows with curl works', async () => {
    const readme = readFileSync(new URL('../../kamailio/README.md', import.meta.url), 'utf8');
    const script = /```sh\n(TOKEN=[\s\S]*?)```/.exec(readme)?.[1] ?? '';
    expect(script.match(/\bcurl\b/g)?.length).toBeGreaterThanOrEqual(3);
    const folder = lab.directory;
    writeFileSync(join(folder, 'register.sip'), options('198.51.100.7'));
    const { token } = await operate<{ token: string }>(lab, 'token.add', { name: 'readme', scopes: ['hook'] });
    const runnable = script.replace(/^TOKEN=.*$/m, `TOKEN=${token}`).replaceAll('http://127.0.0.1:2020', lab.ready.api);
    const output = await new Promise<string>((resolve, reject) => {
      execFile('sh', ['-ec', runnable], { cwd: folder, timeout: 20_000 }, (error, stdout, stderr) =>
        error === null ? resolve(stdout) : reject(new Error(`${error.message}\n${stdout}\n${stderr}`)),
      );
    });
    figure('curl', { output: output.trim() });
    expect(output.match(/"answer":"allow"/g)?.length).toBe(2);
    expect(output).toContain('"taken":true');
    expect(output).not.toContain('"error"');
  });
});
