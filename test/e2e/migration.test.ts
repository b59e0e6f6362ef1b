import { execFile, execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENTRY } from './kit/companion.ts';

/** What the README says to whoever comes from elsewhere, run against a companion of its own; needs no Kamailio. */
const README = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
const BLOCKS = [...README.matchAll(/<!-- tested by test\/e2e\/migration\.test\.ts -->\n```sh\n([^]*?)```/g)].map(
  ([, text]) => text!.trim().split('\n'),
);

const freePort = async (): Promise<number> => {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
};

let dir = '';
let port = 0;
let service: ChildProcess;
let token = '';
let log = '';
const config = (): string => join(dir, 'companion.yaml');

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const shell = async (line: string): Promise<Result> =>
  new Promise((resolve) => {
    const env = {
      ...process.env,
      TOKEN: token,
      COMPANION_SOCKET: join(dir, 's.sock'),
      PATH: `${dir}:${process.env['PATH'] ?? ''}`,
    };
    execFile('bash', ['-c', line], { env, cwd: dir, timeout: 20_000 }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 99), out, err });
    });
  });

const settings = (more = ''): string => `
state_dir: ${join(dir, 'state')}
socket: ${join(dir, 's.sock')}
http: { listen: 127.0.0.1:${port} }
hook: { ask_port: ${port + 1}, tell_port: ${port + 2} }
log: { security: ${join(dir, 'security.log')} }
metrics: { aliases: true }
nodes: [{ name: none, control: 127.0.0.1:9, rpc: http://127.0.0.1:9/RPC }]
${more}`;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'companion-migration-'));
  port = await freePort();
  writeFileSync(config(), settings());
  writeFileSync(join(dir, 'companion'), `#!/bin/sh\nexec ${process.execPath} ${ENTRY} "$@"\n`, { mode: 0o755 });
  service = spawn(process.execPath, [ENTRY, 'run', '--config', config()], { stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [service.stdout, service.stderr])
    stream?.on('data', (chunk: Buffer) => {
      log += chunk.toString();
    });
  for (let tries = 0; tries < 200 && !log.includes('"started"'); tries += 1) await sleep(50);
  token = (await shell('companion token add dashboard --scope read operate')).out.trim();
});
afterAll(async () => {
  service.kill('SIGTERM');
  await once(service, 'close');
  rmSync(dir, { recursive: true, force: true });
});

describe('the README, word for word', () => {
  test('there are three pages', () => {
    expect(BLOCKS).toHaveLength(3);
    expect(token).toMatch(/^[0-9a-f]{64}$/);
  });

  test.each(BLOCKS.flat().map((line) => [line.replace('-H "Authorization: Bearer $TOKEN" ', ''), line] as const))(
    '%s',
    async (_name, line) => {
      const { code, out } = await shell(line.replaceAll('127.0.0.1:2020', `127.0.0.1:${port}`));
      expect(code).toBe(0);
      const answer = JSON.parse(out) as Record<string, unknown>;
      expect(answer['error']).toBeUndefined();
      if (line.includes('/ban/')) expect(answer).toMatchObject({ ip: '203.0.113.50', reason: 'abuse' });
      if (line.includes('/check/')) expect(answer).toMatchObject({ result: 'blocked' });
      if (line.includes('/import')) expect(answer).toMatchObject({ added: 1, problems: [] });
    },
  );

  test('bans of SIP Guardian and of fail2ban, lists of sipPROT', async () => {
    const guardian = {
      bans: [{ ip: '203.0.113.60', reason: 'x', banned_at: '2026-01-01T00:00:00Z', expires_at: null }],
    };
    writeFileSync(join(dir, 'bans.json'), JSON.stringify(guardian));
    expect((await shell('companion ban import - < bans.json')).out).toBe('1 row added.\n');
    writeFileSync(join(dir, 'sipprot.allowlist'), '# allow\n192.0.2.10\n192.0.2.0/28 # office\n300.1.1.1\n');
    const lists = await shell('companion allow import sipprot.allowlist');
    expect([lists.code, lists.out]).toEqual([
      1,
      expect.stringMatching(/allowlist:4 '300.1.1.1' is not[^]*2 rows added, 1 not/),
    ]);
    const until = Math.floor(Date.now() / 1_000) + 600;
    writeFileSync(join(dir, 'f2b.csv'), `ip,note,until\r\n203.0.113.61,kamailio,${until}\r\n`);
    expect((await shell('companion ban import f2b.csv')).out).toBe('1 row added.\n');
    expect((await shell('companion ban export --csv')).out).toContain('203.0.113.61,kamailio,');
  });
});

describe('while it runs', () => {
  test('what the API does stands in the audit trail, the security log and the metrics', async () => {
    await sleep(200);
    expect(readFileSync(join(dir, 'security.log'), 'utf8')).toMatch(/verdict=deny src=203\.0\.113\.50 /);
    const metrics = (await shell(`curl -s http://127.0.0.1:${port}/metrics`)).out;
    expect(metrics).toMatch(/^sip_guardian_active_bans \d+$/m);
    expect(metrics).toMatch(/^companion_http_total\{kind="requests"\} \d+$/m);
  });

  test('a wrong configuration is told and not taken: exit 1, the log says so, SIGHUP too', async () => {
    const before = readFileSync(config(), 'utf8');
    writeFileSync(config(), settings('colour: red\nallow: [10.0.0.0/33]'));
    const refused = await shell('companion reload');
    expect([refused.code, refused.err]).toEqual([1, expect.stringMatching(/colour is not a known key\n.*allow\[0\]/)]);
    expect(log).toContain('the old one goes on');
    const seen = log.length;
    service.kill('SIGHUP');
    for (let tries = 0; tries < 100 && !log.slice(seen).includes('reload-refused'); tries += 1) await sleep(50);
    expect(log.slice(seen)).toContain('reload-refused');
    expect((await shell('companion status --json')).code).toBe(0);

    writeFileSync(config(), settings('decide: { ban_time: 2h }\nallow: [198.51.100.77]\nown_addresses: [192.0.2.1]'));
    const taken = await shell('companion reload');
    expect([taken.code, taken.out]).toEqual([
      0,
      'Changed: allow, decide.ban_time.\nThese differ and need a restart: own_addresses.\n',
    ]);
    expect((await shell('companion allow list')).out).toContain('198.51.100.77/32');
    const row = JSON.parse((await shell('companion ban add 203.0.113.99 --json')).out) as {
      since: number;
      until: number;
    };
    expect(row.until - row.since).toBe(7_200_000);
    writeFileSync(config(), before);
    expect((await shell('companion reload')).code).toBe(0);
    expect((await shell('companion allow list')).out).not.toContain('198.51.100.77/32');
  });

  test('a second companion on the same port and socket says so in a sentence', () => {
    const run = (): unknown =>
      execFileSync(process.execPath, [ENTRY, 'run', '--config', config()], { stdio: 'pipe', timeout: 15_000 });
    expect(run).toThrow(/PORT_IN_USE/);
  });
});
