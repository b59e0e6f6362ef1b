import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const MAIN = new URL('../../../src/main.ts', import.meta.url).pathname;
const PACK = new URL('../../../packs/tools.yaml', import.meta.url).pathname;
const SVMAP = new URL('../../../packs/messages/svmap-options.sip', import.meta.url).pathname;

const directory = mkdtempSync(join(tmpdir(), 'companion-rules-'));
afterAll(() => rmSync(directory, { recursive: true }));
const write = (name: string, text: string): string => {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
};
const companion = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'rules', ...args], {
    encoding: 'utf8',
    env: { PATH: '/usr/bin:/bin', HOME: directory },
    timeout: 60_000,
  });
  return { code: status, out: stdout, err: stderr };
};
const caseOf = (name: string, verdict: string): string =>
  `  - { name: "${name}", file: ${SVMAP}, expect: { verdict: ${verdict} } }\n`;

const SLOW = { timeout: 60_000 };

test('rules test: a line a case, exit 0 when all hold', SLOW, () => {
  const file = write('good.yaml', `cases:\n${caseOf('svmap', 'quarantine')}`);
  expect(companion('test', file)).toEqual({ code: 0, out: 'ok   svmap\n1 passed, 0 failed\n', err: '' });
});

test('exit 1 when one does not, which says why; --failed is silent about the others', SLOW, () => {
  const file = write('bad.yaml', `cases:\n${caseOf('svmap', 'quarantine')}${caseOf('x\\u001b[31m', 'ban')}`);
  const { code, out } = companion('test', file, '--failed');
  expect(code).toBe(1);
  expect(out).toBe('FAIL x\\x1b[31m: the verdict is quarantine, not ban\n1 passed, 1 failed\n');
});

test('--json: one object a case', SLOW, () => {
  const file = write('json.yaml', `cases:\n${caseOf('svmap', 'ban')}`);
  const { code, out } = companion('test', file, '--json');
  expect(code).toBe(1);
  expect(out.trim()).not.toContain('\n');
  expect(JSON.parse(out)).toMatchObject({
    file,
    name: 'svmap',
    disguise: '',
    ok: false,
    problems: ['the verdict is quarantine, not ban'],
    found: [{ tool: 'sipvicious', entry: 'svmap-tag' }],
  });
});

test('a policy of the operator decides; a pack is tested as well', SLOW, () => {
  const file = write('policy.yaml', `cases:\n${caseOf('svmap', 'allow')}`);
  const config = write('companion.yaml', 'rules: { scanner.fingerprint: off, scanner.user-agent: off }');
  expect(companion('test', file, '--config', config)).toMatchObject({ code: 0 });
  expect(companion('test', PACK).out).toMatch(/^ok {3}svcrack-tag: matches messages\/svcrack-guess\.sip$/m);
});

test('exit 2 for what cannot be read or is wrong, 3 for wrong usage', SLOW, () => {
  expect(companion('test', join(directory, 'nothing.yaml'))).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^companion: CONFIG_UNREADABLE .*there is no such file\.\n$/),
  });
  const wrong = companion(
    'test',
    write('wrong.yaml', 'cases:\n  - { name: a, message: x, expect: { verdict: kick } }\n'),
  );
  expect(wrong).toMatchObject({ code: 2, err: expect.stringMatching(/wrong\.yaml:2:\d+ cases\[0\]\.expect\.verdict/) });
  expect(companion('test').code).toBe(3);
});

test('rules list and rules wire', SLOW, () => {
  const { code, out } = companion('list');
  expect(code).toBe(0);
  expect(out).toMatch(/^scanner\.fingerprint +as shipped$/m);
  expect(out).toMatch(/^svwar-tag +sipvicious +low +tools +From tag carries the extension/m);
  expect(JSON.parse(companion('list', '--json').out)).toMatchObject({
    rules: expect.any(Array),
    entries: expect.any(Array),
  });
  const wire = companion('wire', SVMAP);
  expect(wire).toMatchObject({
    code: 0,
    out: expect.stringContaining('w1-8c989e47 sipvicious (svmap-tag)\n  headers: via,'),
  });
  expect(companion('wire', write('reply.sip', 'SIP/2.0 200 OK\r\n\r\n')).code).toBe(1);
});
