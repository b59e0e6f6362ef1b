import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startControlSocket } from '../../../src/admin/index.ts';
import type { ControlSocket } from '../../../src/admin/index.ts';
import { CompanionError } from '../../../src/model/index.ts';
import { fakeOperations, fakeTokens, traceEvent } from '../admin/fake-operations.ts';
import type { FakeOperations } from '../admin/fake-operations.ts';

const MAIN = new URL('../../../src/main.ts', import.meta.url).pathname;

let dir = '';
let path = '';
let operations: FakeOperations;
let door: ControlSocket;

const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}, input = '') => {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: '/usr/bin:/bin', HOME: dir, COMPANION_SOCKET: path, ...env },
  });
  const text = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (text.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text.err += chunk.toString()));
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return { child, text };
};

const companion = async (args: readonly string[], env: Readonly<Record<string, string>> = {}, input = '') => {
  const { child, text } = run(args, env, input);
  const [code] = (await once(child, 'close')) as [number];
  return { code, ...text };
};

const file = (name: string, text: string): string => {
  const full = join(dir, name);
  writeFileSync(full, text);
  return full;
};

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'companion-cli-'));
  path = join(dir, 'companion.sock');
  operations = fakeOperations();
  door = await startControlSocket({ path, desk: { operations, tokens: fakeTokens() } });
});
afterEach(async () => {
  await door.close();
  rmSync(dir, { recursive: true, force: true });
});

describe('import and export', () => {
  test('rows go over in batches; what is not taken is named with its line; exit 1', async () => {
    const lines = Array.from({ length: 700 }, (_, index) => `10.0.${index >> 8}.${index & 255},note`);
    operations.importReport = {
      added: 499,
      same: 0,
      ended: 0,
      problems: [{ row: 3, subject: 'x', code: 'ADDRESS_INVALID', message: "'x' is not an IP address or CIDR." }],
    };
    const list = file('bans.csv', `ip,note\n${lines.join('\n')}\n,\n,no address\n`);
    const { code, out } = await companion(['ban', 'import', list, '--for', '4h']);
    expect(code).toBe(1);
    expect(out).toContain("bans.csv:5 'x' is not an IP address or CIDR.");
    expect(out).toContain('bans.csv:703 There is no address in this row.');
    expect(out).toContain('998 rows added, 3 not taken.');
    const imports = operations.calls as { banImport?: { rows: unknown[]; durationMs: number; dryRun: boolean } }[];
    expect(imports.map((call) => call.banImport?.rows.length)).toEqual([500, 200]);
    expect(imports[0]?.banImport).toMatchObject({ durationMs: 14_400_000, dryRun: false });
  });

  test('dry run and standard input', async () => {
    const { code, out } = await companion(['deny', 'import', '-', '--dry-run', '--json'], {}, '203.0.113.7\n');
    expect([code, JSON.parse(out)]).toEqual([0, { added: 1, same: 0, ended: 0, dryRun: true, problems: [] }]);
    expect(operations.calls[0]).toMatchObject({ listImport: 'deny', dryRun: true });
  });

  test('a file that is not there, or not text', async () => {
    expect((await companion(['ban', 'import', '/nowhere'])).err).toMatch(
      /Cannot read \/nowhere: there is no such file/,
    );
    writeFileSync(join(dir, 'binary'), Buffer.from([0xff, 0xfe, 0]));
    const { code, err } = await companion(['ban', 'import', join(dir, 'binary')]);
    expect([code, err]).toEqual([3, expect.stringContaining('it is no text')]);
  });

  test("fail2ban's own database, with the ends of its bans", async () => {
    const path = join(dir, 'fail2ban.sqlite3');
    const db = new Database(path);
    db.exec('CREATE TABLE bips(ip TEXT, jail TEXT, timeofban INTEGER, bantime INTEGER, bancount INTEGER, data JSON)');
    const insert = db.prepare('INSERT INTO bips VALUES (?, ?, ?, ?, 1, NULL)');
    insert.run('203.0.113.7', 'asterisk', 1_800_000_000, 3_600);
    insert.run('203.0.113.8', 'recidive', 1_800_000_001, -1);
    db.close();
    expect((await companion(['ban', 'import', path])).code).toBe(0);
    expect(operations.calls[0]).toMatchObject({
      banImport: {
        rows: [
          { subject: '203.0.113.7', note: 'fail2ban asterisk', until: 1_800_003_600_000 },
          { subject: '203.0.113.8', note: 'fail2ban recidive', until: null },
        ],
      },
    });
    new Database(join(dir, 'other.sqlite3')).exec('CREATE TABLE x(y)').close();
    const other = await companion(['ban', 'import', join(dir, 'other.sqlite3')]);
    expect([other.code, other.err]).toEqual([
      3,
      expect.stringMatching(/as a database of fail2ban: no such table: bips/),
    ]);
  });

  test('a template, which import takes as it is', async () => {
    const { code, out } = await companion(['deny', 'template']);
    expect(code).toBe(0);
    expect(out).toMatch(/^# .*\r\nNetwork\/IP Address,Note,Duration\r\n/);
    expect((await companion(['deny', 'import', file('t.csv', out)])).code).toBe(0);
    expect(operations.calls[0]).toMatchObject({
      listImport: 'deny',
      rows: [{ subject: '203.0.113.0/28' }, { subject: '2001:db8::/48' }],
    });
  });

  test('CSV and JSON of bans only, and of lists', async () => {
    const csv = (await companion(['ban', 'export', '--csv'])).out.split('\r\n');
    expect(csv[0]).toBe('Network/IP Address,Note,Until,Since,By');
    expect(csv.slice(1).filter((line) => line !== '')).toHaveLength(2 + 1); // a hostile note brings its own line break
    const json = JSON.parse((await companion(['ban', 'export'])).out) as { total: number };
    expect(json.total).toBe(2);
    expect(JSON.parse((await companion(['allow', 'export'])).out)).toHaveLength(1);
  });

  test('clear wants a word', async () => {
    const refused = await companion(['ban', 'clear']);
    expect([refused.code, refused.err]).toEqual([3, expect.stringContaining('--yes')]);
    expect((await companion(['ban', 'clear', '--yes'])).out).toBe('Lifted 4.\n');
  });
});

describe('questions', () => {
  test('status of the lists, as sipPROT shows it', async () => {
    const all = await companion(['status', '--all']);
    expect(all.out.split('\n').map((line) => line.trim())).toEqual([
      'LIST                 NUM OF IPS',
      'Allow                1',
      'Deny                 0',
      'Dynamic (permanent)  1',
      'Dynamic (temporary)  1',
      '',
    ]);
    expect(JSON.parse((await companion(['status', '--dynamic', '--json'])).out)).toEqual({
      'Dynamic (permanent)': 1,
      'Dynamic (temporary)': 1,
    });
  });

  test('report', async () => {
    const { code, out } = await companion(['report', '--since', '7d']);
    expect(code).toBe(0);
    expect(out).toMatch(/3 decisions against 1 source from/);
    expect(out).toMatch(/203\.0\.113\.7 +ban +3 /);
    // oxlint-disable-next-line no-control-regex -- that is what must not be there
    expect(out.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
    expect(operations.calls).toContainEqual({ report: 7 * 86_400_000 });
  });

  test('feeds: the list, a reading that fails, the switch', async () => {
    const list = await companion(['feed', 'list']);
    expect(list).toMatchObject({
      code: 0,
      out: expect.stringMatching(/voipbl +list +failing +x\\x1b\S+ .* ban +90000 .* x\\x1b/),
    });
    expect((await companion(['feed', 'update', 'voipbl'])).code).toBe(1);
    expect(operations.calls).toContainEqual({ feedUpdate: 'voipbl' });
    expect((await companion(['feed', 'off', 'voipbl'])).out).toMatch(
      /^The feed voipbl is off, also after a restart, until 'enabled' is changed in the configuration\.$/m,
    );
    expect(operations.calls).toContainEqual({ feedSwitch: 'voipbl', on: false, by: expect.stringMatching(/./) });
  });

  test('geo: databases, an address, an update that failed; harmless for the terminal', async () => {
    const status = await companion(['geo', 'status']);
    expect(status).toMatchObject({ code: 0, out: expect.stringMatching(/\/var\/lib\/x\.mmdb/) });
    const shown = await companion(['geo', 'show', '203.0.113.7']);
    expect(shown.out).toMatch(/^203\.0\.113\.7 is in DE, AS64500 x\\x1b/);
    const update = await companion(['geo', 'update']);
    expect(update).toMatchObject({ code: 1, out: expect.stringMatching(/^failed https:\/\/example\.com\/x: x\\x1b/) });
    // oxlint-disable-next-line no-control-regex -- that is what must not be there
    expect(`${status.out}${shown.out}${update.out}`.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  });

  test('trace shows what changes nothing too, harmless for the terminal', async () => {
    const { child, text } = run(['trace', '203.0.113.7']);
    while (operations.watchers() === 0) await new Promise((resolve) => setImmediate(resolve));
    operations.emitTrace(traceEvent(1));
    while (!text.out.includes('\n')) await new Promise((resolve) => setImmediate(resolve));
    child.kill('SIGINT');
    await once(child, 'close');
    expect(text.out).toMatch(/allow +udp:5060 REGISTER user 'x.*stranger score 0\/0/);
    // oxlint-disable-next-line no-control-regex -- that is what must not be there
    expect(text.out.trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  });

  test('reload: what changed; a wrong configuration is exit 1 with every problem', async () => {
    const { code, out } = await companion(['reload']);
    expect([code, out]).toEqual([0, 'Changed: log.level.\nThese differ and need a restart: hook.ask_port.\n']);
    operations.reload = () => Promise.reject(new CompanionError('CONFIG_INVALID', 'Two problems:\na:1:1 x\na:2:1 y'));
    const wrong = await companion(['reload']);
    expect([wrong.code, wrong.err]).toEqual([1, 'companion: CONFIG_INVALID Two problems:\na:1:1 x\na:2:1 y\n']);
  });

  test('tokens', async () => {
    expect((await companion(['token', 'add', 'grafana', '--scope', 'read', 'operate'])).out).toBe('made-for-you\n');
    expect((await companion(['token', 'list'])).out).toMatch(/hook +hook/);
    expect((await companion(['token', 'add', 'x', '--scope', 'everything'])).code).toBe(3);
    expect((await companion(['token', 'remove', 'grafana'])).out).toBe('Removed: grafana.\n');
  });
});

describe('config', () => {
  test('check, explain, schema', async () => {
    const good = file('good.yaml', 'mode: shadow\n');
    expect(await companion(['config', 'check', '--config', good])).toMatchObject({
      code: 0,
      out: `${good} is right.\n`,
    });
    const bad = file('bad.yaml', 'mod: shadow\nallow: [300.1.1.1]\n');
    const wrong = await companion(['config', 'check', '--config', bad]);
    expect(wrong.code).toBe(1);
    expect(wrong.err).toMatch(/bad.yaml:1:1 mod is not a known key; did you mean 'mode'\?\n.*bad.yaml:2:9 allow\[0\]/);
    const explained = await companion(['config', 'explain', 'mode', '--config', good, '--json']);
    expect(JSON.parse(explained.out)).toEqual([expect.objectContaining({ path: 'mode', from: `${good}:1` })]);
    expect((await companion(['config', 'explain', 'decide.ban_time_max', '--config', good])).out).toMatch(
      / 7d +default/,
    );
    const schema = JSON.parse((await companion(['config', 'schema'])).out) as { properties: object };
    expect(Object.keys(schema.properties)).toContain('detect');
  });
});

describe('completion', () => {
  test('bash: words from the script, addresses from the service', async () => {
    const script = (await companion(['completion', 'bash'])).out;
    const bin = join(dir, 'companion');
    writeFileSync(bin, `#!/bin/sh\nexec ${process.execPath} ${MAIN} "$@"\n`, { mode: 0o755 });
    const complete = async (...words: string[]): Promise<string[]> => {
      const line = `${script}
COMP_WORDS=(companion ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _companion
printf '%s\\n' "\${COMPREPLY[@]}"`;
      const child = spawn('bash', ['-c', line], {
        env: { PATH: `${dir}:/usr/bin:/bin`, HOME: dir, COMPANION_SOCKET: path },
      });
      let out = '';
      child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
      await once(child, 'close');
      return out.split('\n').filter((word) => word !== '');
    };
    expect(await complete('st')).toEqual(['status']);
    expect(await complete('ban', 're')).toEqual(['remove']);
    expect(await complete('ban', 'add', '--fo')).toEqual(['--for', '--force']);
    expect(await complete('completion', '')).toEqual(expect.arrayContaining(['bash', 'zsh', 'fish']));
    expect(await complete('ban', 'remove', '203')).toEqual(['203.0.113.7', '198.51.100.0/24']);
    expect(operations.calls).toContainEqual({ complete: 'held', prefix: '203' });
  });

  test.each(['bash', 'zsh', 'fish'])('%s reads its script', async (shell) => {
    const script = file(`completion.${shell}`, (await companion(['completion', shell])).out);
    expect(readFileSync(script, 'utf8')).toContain('ban remove');
    const checked = spawnSync(shell, ['-n', script], { encoding: 'utf8' });
    if (checked.error === undefined) expect([checked.status, checked.stderr]).toEqual([0, '']);
    else expect((checked.error as NodeJS.ErrnoException).code).toBe('ENOENT'); // not on this machine
  });

  test('says nothing without a service', async () => {
    expect(await companion(['complete', 'held', ''], { COMPANION_SOCKET: '/nowhere' })).toEqual({
      code: 0,
      out: '',
      err: '',
    });
  });
});
