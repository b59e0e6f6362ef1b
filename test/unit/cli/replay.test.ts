import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  createWriteStream,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { SIP_DATA } from '../detect/replay-trace.ts';

const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
const CRACK = fileURLToPath(new URL('traces/svcrack-numeric.jsonl', SIP_DATA));
const folder = mkdtempSync(join(tmpdir(), 'companion-replay-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const write = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};
const defaults = write('default.yaml', '{}');
const allowing = write('allowing.yaml', 'allow: [198.51.100.66]\n');

const replay = (args: readonly string[], input?: Buffer): { code: number | null; out: string; err: string } => {
  const run = spawnSync(process.execPath, [MAIN, 'replay', ...args], {
    env: { HOME: folder },
    input,
    encoding: 'utf8',
  });
  return { code: run.status, out: run.stdout, err: run.stderr };
};

test('one JSON object a source, without a service', () => {
  const { code, out } = replay([CRACK, '--config', defaults, '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toEqual({
    ip: '198.51.100.66',
    messages: 104,
    flaggedAt: 1,
    state: 'banned',
    rules: expect.arrayContaining(['scanner.user-agent', 'scanner.fingerprint']) as string[],
  });
});

test('started as it is installed, with little room for young objects, it does the same in a process with more', () => {
  const installed = (args: readonly string[], input?: Buffer) =>
    spawnSync(process.execPath, ['--max-semi-space-size=8', MAIN, 'replay', ...args], {
      env: { HOME: folder },
      input,
      encoding: 'utf8',
    });
  const plain = replay([CRACK, '--config', defaults, '--json']);
  expect(installed([CRACK, '--config', defaults, '--json'])).toMatchObject({ status: 0, stdout: plain.out });
  expect(installed(['-', '--config', defaults, '--json'], readFileSync(CRACK)).stdout).toBe(plain.out);
  expect(installed([CRACK, '--config', defaults, '--against', allowing]).status).toBe(1);
  expect(installed([join(folder, 'gone.pcap')]).status).toBe(2);
});

test('a table, what the server was, what was not judged; also from standard input', () => {
  const { code, out } = replay(['-', '--config', defaults], readFileSync(CRACK));
  expect(code).toBe(0);
  expect(out).toMatch(/^SOURCE +MESSAGES +FLAGGED AT +STATE +RULES$/m);
  expect(out).toMatch(/^198\.51\.100\.66 +104 +message 1 +banned +scanner/m);
  expect(out).toContain('Server 192.0.2.10;');
  expect(out).toContain('Not judged: nothing');
});

test('standard input may be a pipe that does not wait, whose writer is slow', async () => {
  const lines = readFileSync(CRACK);
  const pipe = join(folder, 'pipe');
  spawnSync('sh', ['-c', 'mkfifo "$0"', pipe]);
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = createWriteStream(pipe);
  await once(writer, 'open');
  const child = spawn(process.execPath, [MAIN, 'replay', '-', '--config', defaults, '--json'], {
    env: { HOME: folder },
    stdio: [reader, 'pipe', 'inherit'],
  });
  const closed = once(child, 'close') as Promise<[number | null]>;
  closeSync(reader);
  let out = '';
  child.stdout!.on('data', (chunk: Buffer) => (out += chunk.toString()));
  writer.write(lines.subarray(0, 1_000));
  // a reader that does not wait has given up by then, or on a busy machine not begun
  await sleep(1_500);
  writer.end(lines.subarray(1_000));
  const [code] = await closed;
  expect([code, JSON.parse(out)]).toMatchObject([0, { messages: 104, flaggedAt: 1 }]);
});

test('policies that differ: exit code 1, and how', { timeout: 30_000 }, () => {
  const { code, out } = replay([CRACK, '--config', allowing, '--against', defaults]);
  expect(code).toBe(1);
  expect(out).toMatch(/198\.51\.100\.66 +message 1 → - +banned → allowed/);
  const same = replay([CRACK, '--config', defaults, '--against', defaults]);
  expect(same.code).toBe(0);
  expect(same.out).toContain('Both policies treat every source the same.');
  const json = replay([CRACK, '--config', allowing, '--against', defaults, '--json']);
  expect(json.code).toBe(1);
  expect(JSON.parse(json.out)).toMatchObject({ state: 'allowed', before: { state: 'banned', flaggedAt: 1 } });
});

test.each([
  ['a file that is not there', join(folder, 'none.pcap'), 'CAPTURE_UNREADABLE', 'there is no such file'],
  ['a directory', folder, 'CAPTURE_UNREADABLE', 'directory'],
  ['another file', write('text', 'hello'), 'CAPTURE_UNREADABLE', 'no pcap, pcapng, HEP capture or JSONL timeline'],
  ['a timeline of nothing', write('lines', '{}\n{}\n'), 'CAPTURE_UNREADABLE', 'holds no message (timeline-line)'],
  ['a wrong policy', `--config=${write('wrong.yaml', 'decied: {}')}`, 'CONFIG_INVALID', 'decied'],
])('%s: exit code 2 and a sentence', (_name, argument, errorCode, sentence) => {
  const { code, out, err } = replay([argument, CRACK]);
  expect(code).toBe(2);
  expect(out).toBe('');
  expect(err).toContain(errorCode);
  expect(err).toContain(sentence);
});

test('wrong usage is 3', () => {
  expect(replay([]).code).toBe(3);
  expect(replay([CRACK, '--server', 'example.net'])).toMatchObject({ code: 3, out: '' });
});
