import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startControlSocket } from '../../../src/admin/index.ts';
import type { ControlSocket } from '../../../src/admin/index.ts';
import { AT, HOSTILE, banRow, decision, fakeOperations, fakeTokens } from '../admin/fake-operations.ts';
import type { FakeOperations } from '../admin/fake-operations.ts';

const MAIN = new URL('../../../src/main.ts', import.meta.url).pathname;
const AUTHOR = `operator:${userInfo().username}`;

let dir = '';
let path = '';
let operations: FakeOperations;
let door: ControlSocket;
const children: ChildProcess[] = [];

const launch = (args: readonly string[], env: Record<string, string> = {}): ChildProcess => {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: '/usr/bin', HOME: dir, COMPANION_SOCKET: path, ...env },
  });
  children.push(child);
  return child;
};

const collect = (child: ChildProcess): { out: string; err: string } => {
  const text = { out: '', err: '' };
  child.stdout?.on('data', (chunk: Buffer) => {
    text.out += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    text.err += chunk.toString();
  });
  return text;
};

const companion = async (
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number; out: string; err: string }> => {
  const child = launch(args, env);
  const text = collect(child);
  const [code] = (await once(child, 'close')) as [number];
  return { code, ...text };
};

const until = async (met: () => boolean): Promise<void> => {
  while (!met())
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
};

/** Nothing that a terminal would obey, but for the newlines between our own lines. */
const expectHarmless = (text: string): void => {
  // oxlint-disable-next-line no-control-regex -- that is what must not be there
  expect(text.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  expect(text).not.toMatch(/^fake line/m);
};

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'companion-cli-'));
  path = join(dir, 'companion.sock');
  operations = fakeOperations();
  door = await startControlSocket({ path, desk: { operations, tokens: fakeTokens() } });
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await door.close();
  rmSync(dir, { recursive: true, force: true });
});

describe('without a service', () => {
  test('help and version', async () => {
    const help = await companion(['--help']);
    expect(help.code).toBe(0);
    for (const word of [
      'run',
      'status',
      'watch',
      'check',
      'why',
      'ban',
      'allow',
      'deny',
      'version',
      'COMPANION_SOCKET',
      '/run/companion/companion.sock',
      'Exit codes',
    ])
      expect(help.out).toContain(word);
    expect((await companion(['version'])).out).toMatch(/^companion \d+\.\d+\.\d+ \(Node\.js /);
    expect(JSON.parse((await companion(['version', '--json'])).out)).toEqual({
      version: expect.stringMatching(/^\d/),
      node: process.versions.node,
    });
  });

  test.each([
    [[], 3, '', /^Usage: companion/],
    [['ban'], 3, '', /^Usage: companion ban/],
    [['statsu'], 3, '', /^companion: REQUEST_INVALID Unknown command 'statsu' \(Did you mean status\?\)/],
    [['ban', 'add'], 3, '', /^companion: REQUEST_INVALID Missing required argument 'address'/],
    [['ban', 'add', '192.0.2.5', '--for', '1 hour'], 3, '', /^companion: DURATION_INVALID /],
    [['check', '1.2.3.4', '5.6.7.8'], 3, '', /^companion: REQUEST_INVALID Too many arguments/],
    [['run', '--mode', 'soft'], 3, '', /^companion: REQUEST_INVALID .*Allowed choices are shadow, enforce/],
    [['status', '\u001b[2J\nx'], 3, '', /^companion: REQUEST_INVALID /],
  ])('usage %j exits with %i', async (args, code, out, err) => {
    const result = await companion(args);
    expect(result).toEqual({ code, out, err: expect.stringMatching(err) });
    expectHarmless(result.err);
  });

  test('no service: every path that was tried, and what to do', async () => {
    const gone = await companion(['status', '--socket', join(dir, 'none.sock')]);
    expect(gone).toEqual({
      code: 3,
      out: '',
      err: `companion: SERVICE_UNREACHABLE No companion answers. Tried: ${join(dir, 'none.sock')} (not there). Start it with 'companion run', or name its socket with --socket PATH or COMPANION_SOCKET.\n`,
    });
    const searched = await companion(['check', '192.0.2.1', '--json'], {
      COMPANION_SOCKET: '',
      RUNTIME_DIRECTORY: join(dir, 'rd'),
      XDG_RUNTIME_DIR: dir,
    });
    expect(searched.code).toBe(3);
    expect(searched.err).toBe('');
    expect(JSON.parse(searched.out)).toEqual({
      error: {
        code: 'SERVICE_UNREACHABLE',
        message: expect.stringContaining(`Tried: ${dir}/rd/companion.sock (not there)`),
      },
    });
  });

  test('a program that is not companion, and one that says nothing', async () => {
    const speak = async (text: string): Promise<string> => {
      const other = createServer((socket) => {
        socket.on('error', () => {});
        socket.write(text);
      }).listen(join(dir, 'other.sock'));
      await once(other, 'listening');
      const result = await companion(['status', '--socket', join(dir, 'other.sock')]);
      other.close();
      expect(result.code).toBe(3);
      return result.err;
    };
    expect(await speak('220 smtp ready\n')).toMatch(/SERVICE_UNREACHABLE .*is it another program\?/);
    expect(await speak('')).toMatch(/SERVICE_UNREACHABLE .*did not answer within 5 s/);
    expect(await speak('x'.repeat(1024 * 1024 + 1))).toMatch(/SERVICE_UNREACHABLE .*a line that is too long/);
  }, 15_000);
});

describe('check', () => {
  test.each([
    ['192.0.2.200', 0, 'clear'],
    ['203.0.113.7', 1, 'blocked'],
    ['192.0.2.1', 2, 'allowed'],
  ])('%s exits with %i', async (ip, code, result) => {
    const human = await companion(['check', ip]);
    expect([human.code, human.err]).toEqual([code, '']);
    expect(human.out).toMatch(new RegExp(`^${ip.replaceAll('.', '\\.')} is ${result}[ :]`));
    expectHarmless(human.out);
    const json = await companion(['check', ip, '--json']);
    expect([json.code, JSON.parse(json.out)]).toEqual([
      code,
      { ip, identity: ip, result, state: expect.any(String), reason: HOSTILE, until: null },
    ]);
    expectHarmless(json.out);
  });

  test('anything wrong exits with 3, so that 0, 1 and 2 mean what they say', async () => {
    expect(await companion(['check', 'nobody'])).toEqual({
      code: 3,
      out: '',
      err: expect.stringMatching(/^companion: ADDRESS_INVALID 'nobody' is not/),
    });
    expect((await companion(['check'])).code).toBe(3);
  });
});

describe('bans', () => {
  test('list shows bans; --all the rest', async () => {
    const some = await companion(['ban', 'list']);
    expect(some.code).toBe(0);
    expect(some.out.split('\n')).toEqual([
      expect.stringMatching(/^ADDRESS +SINCE +ENDS +LEVEL +BY +REASON$/),
      expect.stringMatching(/^203\.0\.113\.7 {6}2026-11-20 08:00:00Z {2}\d+d\d+h left {2}1 {6}detector {2}x\\x1b\[2J/),
      expect.stringMatching(
        /^198\.51\.100\.0\/24 {2}2026-11-20 08:00:00Z {2}permanent +0 {6}operator {2}guessed passwords$/,
      ),
      '2 in all',
      '',
    ]);
    expectHarmless(some.out);
    const all = await companion(['ban', 'list', '--all']);
    expect(all.out).toMatch(/192\.0\.2\.9 +quarantine/);
    expect(all.out).toMatch(/192\.0\.2\.10 +throttle-user x\\x1b/);
    expectHarmless(all.out);
  });

  test('list --json, over several pages', async () => {
    for (let index = 0; index < 3_000; index += 1) operations.bans.push(banRow(`10.0.${index >> 8}.${index & 255}`));
    const { bans, total } = JSON.parse((await companion(['ban', 'list', '--json'])).out) as {
      bans: { subject: string }[];
      total: number;
    };
    expect([bans.length, total, new Set(bans.map(({ subject }) => subject)).size]).toEqual([3_002, 3_002, 3_002]);
    expect(JSON.parse((await companion(['ban', 'list', '--all', '--json'])).out)).toMatchObject({ total: 3_004 });
  });

  test('an empty list', async () => {
    operations.bans.length = 0;
    expect((await companion(['ban', 'list'])).out).toBe('Nobody is banned.\n');
    expect((await companion(['ban', 'list', '--json'])).out).toBe('{"bans":[],"total":0}\n');
  });

  test('add and remove, with the author', async () => {
    expect(await companion(['ban', 'add', '192.0.2.5'])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^192\.0\.2\.5 is banned until /),
    });
    expect(
      await companion(['ban', 'add', '192.0.2.5', '--for', 'permanent', '--reason', 'because', '--force']),
    ).toMatchObject({ code: 0, out: '192.0.2.5 is banned without end.\n' });
    expect(JSON.parse((await companion(['ban', 'add', '192.0.2.5', '--for', '4h', '--json'])).out)).toMatchObject({
      subject: '192.0.2.5',
      until: AT + 14_400_000,
    });
    expect(await companion(['ban', 'remove', '192.0.2.5'])).toEqual({
      code: 0,
      out: 'Lifted for 192.0.2.5: ban 192.0.2.5.\n',
      err: '',
    });
    expect(operations.calls).toEqual([
      { banAdd: { subject: '192.0.2.5', reason: 'banned by hand', author: AUTHOR } },
      { banAdd: { subject: '192.0.2.5', reason: 'because', author: AUTHOR, durationMs: null, force: true } },
      { banAdd: { subject: '192.0.2.5', reason: 'banned by hand', author: AUTHOR, durationMs: 14_400_000 } },
      { banRemove: { subject: '192.0.2.5', author: AUTHOR } },
    ]);
  });

  test('refusals exit with 1, their text escaped', async () => {
    const refused = await companion(['ban', 'add', '192.0.2.1']);
    expect([refused.code, refused.out]).toEqual([1, '']);
    expect(refused.err).toMatch(/^companion: BAN_REFUSED 192\.0\.2\.1 is on the allow list as x\\x1b\[2J/);
    expectHarmless(refused.err);
    const json = await companion(['ban', 'remove', '192.0.2.99', '--json']);
    expect([json.code, json.err, JSON.parse(json.out)]).toEqual([
      1,
      '',
      { error: { code: 'NOT_FOUND', message: 'Nothing holds 192.0.2.99.' } },
    ]);
    expect(await companion(['ban', 'add', '300.1.1.1'])).toMatchObject({
      code: 3,
      err: expect.stringContaining('ADDRESS_INVALID'),
    });
  });
});

describe('allow and deny', () => {
  test('add, list, remove', async () => {
    expect((await companion(['allow', 'add', '192.0.2.2', '--note', 'office'])).out).toBe(
      '192.0.2.2/32 is on the allow list without end.\n',
    );
    expect((await companion(['deny', 'add', '192.0.2.3', '--for', '1h', '--force', '--json'])).code).toBe(0);
    expect((await companion(['deny', 'remove', '192.0.2.3'])).out).toBe('Removed from the deny list: 192.0.2.3.\n');
    expect(operations.calls).toEqual([
      { listAdd: { list: 'allow', subject: '192.0.2.2', note: 'office', author: AUTHOR, durationMs: null } },
      { listAdd: { list: 'deny', subject: '192.0.2.3', note: '', author: AUTHOR, durationMs: 3_600_000, force: true } },
      { listRemove: 'deny', subject: '192.0.2.3', author: AUTHOR },
    ]);
    const shown = await companion(['allow', 'list']);
    expect(shown.out).toMatch(/192\.0\.2\.1\/32 .* operator:root +x\\x1b/);
    expectHarmless(shown.out);
    expect(JSON.parse((await companion(['allow', 'list', '--json'])).out)).toEqual(operations.lists);
    expect((await companion(['deny', 'list'])).out).toBe('The deny list is empty.\n');
    expect((await companion(['deny', 'list', '--json'])).out).toBe('[]\n');
  });
});

describe('stories', () => {
  test('status begins with the summary', async () => {
    const { code, out } = await companion(['status']);
    expect(code).toBe(0);
    expect(out.split('\n')[0]).toBe('no SIP server connected: nothing is protected');
    for (const text of [
      'companion 9.9.9, enforcing',
      'edge1',
      'ipban 2',
      'Banned 2, quarantined 1',
      'Requests judged 10',
      'Dropped: wrong-secret 3',
    ])
      expect(out).toContain(text);
    expectHarmless(out);
    expect(JSON.parse((await companion(['status', '--json'])).out)).toMatchObject({
      version: '9.9.9',
      nodes: [{ lastError: HOSTILE }],
    });
  });

  test('why tells evidence, users, lists, history, enforcement and undo', async () => {
    const { code, out } = await companion(['why', '203.0.113.7']);
    expect(code).toBe(0);
    expectHarmless(out);
    const places = [
      /^203\.0\.113\.7 is banned: guessed passwords$/m,
      /^Since 2026-11-20 08:00:00Z .*until 2036-01-01 00:00:00Z \(\d+d\d+h left\)\.$/m,
      /Score now: 60 proven, 40 spoofable/,
      /Evidence, oldest first/,
      /digest\.wrong-password +proven +60 +x\\x1b/,
      /scanner\.user-agent +spoofable +40/,
      /Users at this address/,
      /Lists that cover it/,
      /Earlier bans/,
      /What is enforced/,
      /kamailio edge1: x\\x1b/,
      /To undo it/,
      /companion ban remove 203\.0\.113\.7/,
    ].map((pattern) => out.search(pattern));
    expect(places).not.toContain(-1);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    const json = (await companion(['why', '203.0.113.7', '--json'])).out;
    expectHarmless(json);
    expect(JSON.parse(json)).toMatchObject({ state: 'banned', users: [{ user: HOSTILE, ok: 1, failed: 7 }] });
    expect(out).toMatch(/Proof: proven/);
    expect(out).toMatch(/What rules in shadow would do \(not enforced\)\n {2}ban by scanner\.trick until/);
    expect(out).toMatch(/The message that decided, without its secrets/);
    expect(out).toMatch(/^ {2}User-Agent: x\\x1b/m);
    expect((await companion(['why', '192.0.2.66'])).err).toMatch(/^companion: INTERNAL /);
  });

  test('shadow report tells who would have been hit, customers first', async () => {
    const { code, out } = await companion(['shadow', 'report', '--since', '7d']);
    expect(code).toBe(0);
    expectHarmless(out);
    expect(out).toMatch(/^2 sources would have been hit/m);
    expect(out).toMatch(/At 1 of them customers authenticated/);
    expect(out).toMatch(/^scanner\.trick +3 +2 +1 *$/m);
    expect(out.search(/^198\.51\.100\.9 +quarantine +registered before/m)).toBeLessThan(
      out.search(/^203\.0\.113\.7 +ban +-/m),
    );
    expect(JSON.parse((await companion(['shadow', 'report', '--json'])).out)).toMatchObject({ suspected: 1 });
    expect((await companion(['shadow', 'report', '--since', '200d'])).err).toMatch(/^companion: DURATION_INVALID /);
  });

  test('tune proposes lines for the configuration, and says where there is too little data', async () => {
    const { code, out } = await companion(['tune']);
    expect(code).toBe(0);
    expect(out).toMatch(/^detect\.density\.requests +100 +80 +120 +20000 +raise to 160/m);
    expect(out).toMatch(/^detect\.enumeration\.distinct .*too little data/m);
    expect(out).toMatch(/a proposal needs 10000 windows and 1d/);
    expect(out).toMatch(/^detect:\n {2}density:\n {4}requests: 160$/m);
    expect(JSON.parse((await companion(['tune', '--json'])).out)).toMatchObject({
      rows: [{ proposal: 160 }, { proposal: null }],
    });
  });

  test('why of a Call-ID or a user tells who used it, then the story of each', async () => {
    const { code, out } = await companion(['why', 'abc@203.0.113.7']);
    expect(code).toBe(0);
    expectHarmless(out);
    expect(out).toMatch(/^abc@203\.0\.113\.7 was used by$/m);
    expect(out).toMatch(/203\.0\.113\.7 +call-id/);
    expect(out).toMatch(/^203\.0\.113\.7 is banned/m);
    expect(out).toMatch(/^198\.51\.100\.9 is banned/m);
    expect(JSON.parse((await companion(['why', '1001', '--json'])).out)).toMatchObject({
      text: '1001',
      by: [{ as: 'call-id' }, { as: 'user' }, { as: 'user' }],
      reports: [{ ip: '203.0.113.7' }, { ip: '198.51.100.9' }],
    });
    expect((await companion(['why', 'nobody'])).err).toMatch(/^companion: NOT_FOUND /);
    // letters, digits and colons: a Call-ID of some phones
    expect((await companion(['why', 'ab:12:cd'])).out).toMatch(/^ab:12:cd was used by$/m);
  });
});

describe('watch', () => {
  const watching = async (
    args: readonly string[],
  ): Promise<{ child: ChildProcess; text: { out: string; err: string } }> => {
    const child = launch(args);
    const text = collect(child);
    await until(() => operations.watchers() === 1);
    return { child, text };
  };

  test('one escaped line a decision, until Ctrl-C', async () => {
    const { child, text } = await watching(['watch']);
    operations.emit(decision(0));
    operations.emit(decision(1, { change: 'lift', shadow: true, evidence: '' }));
    await until(() => text.out.split('\n').length === 3);
    expect(text.out).toMatch(
      /^2026-11-20 08:00:00Z ban {11}203\.0\.113\.7 for 1h: decision 0 \[scan\.distinct\] \| x\\x1b\[2J/,
    );
    expect(text.out).toMatch(
      /\n2026-11-20 08:00:00Z lift {10}203\.0\.113\.7 \(shadow: not enforced\): decision 1 \[scan\.distinct\]\n$/,
    );
    expectHarmless(text.out);
    child.kill('SIGINT');
    expect((await once(child, 'close'))[0]).toBe(0);
    await until(() => operations.watchers() === 0);
  });

  test('--json: one object a line; the end of the service exits with 3', async () => {
    const { child, text } = await watching(['watch', '--json']);
    operations.emit(decision(0));
    await until(() => text.out.includes('\n'));
    expect(JSON.parse(text.out)).toEqual(decision(0));
    await door.close();
    expect((await once(child, 'close'))[0]).toBe(3);
    expect(JSON.parse(text.out.split('\n')[1] ?? '')).toMatchObject({ error: { code: 'SERVICE_UNREACHABLE' } });
  });

  test('a reader that stops reading does not make it grow: events are dropped and told', async () => {
    const child = launch(['watch', '--json']);
    await until(() => operations.watchers() === 1);
    child.stdout?.pause();
    for (let index = 0; index < 40_000 && door.stats().watchDropped < 100; index += 1) {
      operations.emit(decision(index));
      if (index % 200 === 0)
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
    }
    expect(door.stats().watchDropped).toBeGreaterThan(0);
    const text = collect(child);
    child.stdout?.resume();
    await until(() => /"dropped":\d+/.test(text.out));
    expect(text.err).toBe('');
  }, 20_000);

  test('a reader that goes away ends it quietly', async () => {
    const { child, text } = await watching(['watch']);
    child.stdout?.destroy();
    for (let index = 0; index < 50 && child.exitCode === null; index += 1) {
      operations.emit(decision(index));
      await new Promise((resolve) => {
        setTimeout(resolve, 20);
      });
    }
    if (child.exitCode === null) await once(child, 'close');
    expect([child.exitCode, text.err]).toEqual([0, '']);
  });
});
