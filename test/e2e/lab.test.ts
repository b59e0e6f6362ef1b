import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { LabError, createPhone, startLab } from '../../src/lab/index.ts';
import type { Lab, LabOptions, Phone, ReadyLine } from '../../src/lab/index.ts';
import { requires } from './requirements.ts';

const ENTRY = fileURLToPath(new URL('../../src/lab/main.ts', import.meta.url));
const DEMO = fileURLToPath(new URL('../../src/lab/demo/main.ts', import.meta.url));
const SIP = '127.78.1.1:15060';
const USERS = 'alice:secret,bob:se:cret';

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    // a zombie in whose parent nobody waits is gone for all that matters
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};

/** Members of a process group that are not zombies. */
const groupOf = (pgid: number): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const [state, , group] = (readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1) ?? '').split(' ');
        return Number(group) === pgid && state !== 'Z';
      } catch {
        return false;
      }
    });

const until = async (what: string, check: () => boolean, ms: number = 8_000): Promise<void> => {
  const start = performance.now();
  while (!check()) {
    if (performance.now() - start > ms) throw new Error(`not within ${ms} ms: ${what}`);
    await sleep(10);
  }
};

/** The temporary directories are looked for in a directory of our own, where no other lab puts any. */
const home = mkdtempSync(join(tmpdir(), 'lab-test-'));

/** `npm run lab` as others start it: a process, its lines, its complaints. */
const runLab = (...args: string[]) => {
  const child: ChildProcess = spawn(process.execPath, [ENTRY, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: home },
  });
  const lines: string[] = [];
  let complaint = '';
  createInterface({ input: child.stdout! }).on('line', (line) => lines.push(line));
  child.stderr!.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => code as number);
  return {
    child,
    lines,
    ended,
    complaint: () => complaint,
    line: async (number: number): Promise<Record<string, unknown>> => {
      await Promise.race([until(`line ${number}: ${complaint}`, () => lines.length > number, 40_000), ended]);
      if (lines[number] === undefined) throw new Error(`ended without line ${number}: ${complaint}`);
      return JSON.parse(lines[number]) as Record<string, unknown>;
    },
  };
};

const rpc = async (path: string, method: string): Promise<Record<string, unknown>> => {
  const socket = connect(path);
  socket.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: {} })}\n`);
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return (JSON.parse(chunk.toString()) as { result: Record<string, unknown> }).result;
};

const phoneOf = async (ready: ReadyLine, user: string, password: string, from: string): Promise<Phone> => {
  const [, host, port] = /^(.*):(\d+)$/.exec(ready.sip)!;
  const server = { ip: host!.replace(/[[\]]/g, ''), port: Number(port) };
  return createPhone({ server, domain: host!, user, password, from, everyMs: 1_000 });
};

requires(
  'kamailio',
  'kamailio-extra-modules',
  'kamailio-utils-modules',
  'kamailio-sqlite-modules',
)('the lab', () => {
  const started: ChildProcess[] = [];
  const labs: Lab[] = [];
  const run = (...args: string[]): ReturnType<typeof runLab> => {
    const lab = runLab(...args);
    started.push(lab.child);
    return lab;
  };
  const start = async (options: LabOptions): Promise<Lab> => {
    const lab = await startLab(options);
    labs.push(lab);
    return lab;
  };
  afterEach(async () => {
    await Promise.all(labs.splice(0).map(async (lab) => lab.stop()));
    for (const child of started.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    expect(readdirSync(home).filter((name) => name.startsWith('companion-lab-'))).toEqual([]);
  });
  // labs in this process use it as well
  const { TMPDIR } = process.env;
  beforeAll(() => {
    process.env['TMPDIR'] = home;
  });
  afterAll(() => {
    if (TMPDIR === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = TMPDIR;
    rmSync(home, { recursive: true, force: true });
  });

  test('says in one line where everything is, restarts what dies, cleans up at SIGTERM', async () => {
    const lab = run('--sip', SIP, '--users', USERS);
    const ready = (await lab.line(0)) as unknown as ReadyLine;
    expect(Object.keys(ready)).toEqual(['ready', 'sip', 'api', 'token', 'socket', 'config', 'state', 'pids']);
    expect(ready).toMatchObject({
      ready: true,
      sip: SIP,
      token: readFileSync(join(ready.state, 'token'), 'utf8').trim(),
    });
    expect(statSync(ready.config).mode & 0o077).toBe(0);
    expect(alive(ready.pids.kamailio) && alive(ready.pids.companion)).toBe(true);

    expect((await fetch(`${ready.api}/healthz`)).status).toBe(200);
    const bans = `${ready.api}/api/sip-guardian/bans`;
    expect((await fetch(bans)).status).toBe(401);
    const answer = await fetch(bans, { headers: { authorization: `Bearer ${ready.token}` } });
    expect(await answer.json()).toMatchObject({ bans: [] });
    expect(await rpc(ready.socket, 'status')).toMatchObject({
      mode: 'enforce',
      nodes: [{ name: 'kamailio', state: 'connected' }],
    });

    const alice = await phoneOf(ready, 'alice', 'secret', '127.78.1.20');
    const bob = await phoneOf(ready, 'bob', 'se:cret', '127.78.1.21');
    const wrong = await phoneOf(ready, 'bob', 'guess', '127.78.1.22');
    expect((await alice.register()).status).toBe(200);
    expect((await bob.register()).status).toBe(200);
    expect((await wrong.register()).status).toBe(401);

    // its children are orphans then, and hold the ports
    process.kill(ready.pids.kamailio, 'SIGKILL');
    const died = performance.now();
    const first = await lab.line(1);
    expect(performance.now() - died).toBeGreaterThan(950);
    expect(performance.now() - died).toBeLessThan(3_000);
    expect(first).toEqual({ restarted: 'kamailio', pid: expect.any(Number) });
    expect(groupOf(ready.pids.kamailio)).toEqual([]);
    expect(alive(first['pid'] as number)).toBe(true);
    expect((await alice.register()).status).toBe(200);

    process.kill(ready.pids.companion, 'SIGKILL');
    const second = await lab.line(2);
    expect(second).toEqual({ restarted: 'companion', pid: expect.any(Number) });
    expect(second['pid']).not.toBe(ready.pids.companion);
    expect(alive(second['pid'] as number)).toBe(true);
    expect((await fetch(`${ready.api}/healthz`)).status).toBe(200);
    await Promise.all([alice, bob, wrong].map(async (phone) => phone.stop()));

    lab.child.kill('SIGTERM');
    expect(await lab.ended).toBe(0);
    expect(existsSync(dirname(ready.state))).toBe(false);
    for (const { pid } of [first, second]) expect(groupOf(pid as number)).toEqual([]);
    expect(lab.lines).toHaveLength(3);
    expect(lab.complaint()).toBe('');
  });

  test('two at once, one of them on IPv6 and with a domain, in shadow mode', async () => {
    const restarts: string[] = [];
    const [one, two] = await Promise.all([
      start({ sip: '127.78.2.1:15060', users: USERS }),
      start({ sip: '[::1]:15078', users: USERS, mode: 'shadow', domain: 'voip-1.example.net' }),
    ]);
    two.onRestart((name, pid) => restarts.push(`${name} ${pid}`));
    expect(two.ready.sip).toBe('[::1]:15078');
    expect(await rpc(two.ready.socket, 'status')).toMatchObject({ mode: 'shadow', nodes: [{ state: 'connected' }] });
    const alice = await phoneOf(one.ready, 'alice', 'secret', '127.78.2.20');
    expect((await alice.register()).status).toBe(200);
    await alice.stop();
    const server = { ip: '::1', port: 15_078 };
    const domain = 'voip-1.example.net';
    const bob = await createPhone({ server, domain, user: 'bob', password: 'se:cret', from: '::1', everyMs: 1_000 });
    expect((await bob.register()).status).toBe(200);
    await bob.stop();

    process.kill(two.pids().kamailio, 'SIGTERM');
    await until('restarted', () => restarts.length === 1);
    expect(restarts).toEqual([`kamailio ${two.pids().kamailio}`]);
    expect(two.pids().kamailio).not.toBe(two.ready.pids.kamailio);
    expect(one.pids()).toEqual(one.ready.pids);
    await one.stop();
    expect(groupOf(one.ready.pids.kamailio)).toEqual([]);
    expect(alive(two.pids().kamailio)).toBe(true);
  });

  test('the addresses of phones are those of the address itself on IPv6', async () => {
    const lab = await start({ sip: '[::1]:15079', users: USERS });
    const alice = await phoneOf(lab.ready, 'alice', 'secret', '::1');
    expect((await alice.register()).status).toBe(200);
    await alice.stop();
  });

  test('the operator configures all but places', async () => {
    const config = join(home, 'mine.yaml');
    const token = 'a-token-of-my-own-1234';
    writeFileSync(
      config,
      `# mine\nmode: shadow\nhttp: {listen: '127.0.0.1:1', token: ${token}}\nnodes: [{name: edge1}]\ndeny: [203.0.113.0/24]\n`,
    );
    const lab = await start({ sip: SIP, config });
    expect(lab.ready.token).toBe(token);
    expect(
      (await fetch(`${lab.ready.api}/api/sip-guardian/bans`, { headers: { authorization: `Bearer ${token}` } })).status,
    ).toBe(200);
    expect(await rpc(lab.ready.socket, 'status')).toMatchObject({ mode: 'shadow', counts: { deny: 1 } });
    expect(readFileSync(lab.ready.config, 'utf8')).toContain('# mine');
  });

  test('what is in the way is said in a sentence, and nothing is left behind', async () => {
    const broken = join(home, 'broken.yaml');
    writeFileSync(broken, 'mode: enforce\ndecide:\n  ban_tim: 1h\n');
    const lab = run('--sip', SIP, '--config', broken);
    expect(await lab.ended).toBe(1);
    expect(lab.lines).toEqual([]);
    expect(lab.complaint()).toMatch(/^lab: The lab could not start companion .*\n.*CONFIG_INVALID/);
    expect(lab.complaint()).toContain(`${broken}:3:3 decide.ban_tim is not a known key`);

    const syntax = join(home, 'syntax.yaml');
    writeFileSync(syntax, 'a: [1\nb: : x\n');
    const refused = async (options: Partial<LabOptions>): Promise<string> => {
      const error = await startLab({ sip: SIP, ...options }).then(
        async (running) => running.stop(),
        (problem: unknown) => problem,
      );
      expect(error).toBeInstanceOf(LabError);
      return (error as LabError).message;
    };
    expect(await refused({ config: syntax })).toContain(`${syntax}:2:`);
    expect(await refused({ config: join(home, 'none.yaml') })).toMatch(/^Cannot read --config .*none\.yaml/);
    expect(await refused({ sip: '203.0.113.77:5060' })).toContain('does not have that address');
    expect(await refused({ sip: '::1:5060' })).toContain('is not ADDRESS:PORT');
    expect(await refused({ users: 'alice' })).toContain('is not name:password');
    expect(await refused({ signal: AbortSignal.timeout(300) })).toBe('Stopped while starting.');

    await start({ sip: SIP });
    expect(await refused({})).toBe(
      `Cannot use ${SIP} for SIP: another program listens there. Name another port with --sip.`,
    );
  });

  test('gives up on a program that cannot be kept running', async () => {
    const lab = await start({ sip: SIP });
    // what Kamailio includes at its next start
    writeFileSync(join(lab.directory, 'lab.cfg'), '#!KAMAILIO\nnonsense\n');
    process.kill(lab.pids().kamailio, 'SIGTERM');
    await expect(lab.ended).rejects.toThrow(/kamailio died 5 times within 10 s .*\n[^]*parse error/);
    expect(existsSync(lab.directory)).toBe(false);
    expect(alive(lab.pids().companion)).toBe(false);
  });
});

requires(
  'kamailio',
  'kamailio-sqlite-modules',
  'sipvicious',
)('the demo', () => {
  test('tells its story in plain text, ends well and cleans up', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'demo-test-'));
    const demo = spawn(process.execPath, [DEMO], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TMPDIR: directory },
    });
    let output = '';
    for (const stream of [demo.stdout, demo.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const [code] = (await once(demo, 'close')) as [number];
    expect(output).toMatch(
      /extensions learned +0 of 5\n[^]*extensions learned +0 of 5\n[^]*(\d+) of \1 answered 200, unharmed/,
    );
    expect(output.match(/time to enforcement +[\d.]+ ms after the packet/g)).toHaveLength(2);
    expect(output).not.toContain('\u001b');
    expect(code).toBe(0);
    expect(readdirSync(directory)).toEqual([]);
    rmSync(directory, { recursive: true });
  });
});
