/**
 * `npm test`: types, lint, format, dead code and build, each counted as one test, then vitest. The last line is
 * `N passed, N failed`. With CI=true it first installs what the tests need (`npm run setup`), and nothing may be
 * skipped. Arguments are handed to vitest (then the checks are left out): `npm test -- test/unit/model`.
 */
import { spawn } from 'child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'fs';
import { tmpdir } from 'os';
import { delimiter, join, relative } from 'path';
import { install, nodeBinary, requireNode, root } from '../src/prepare.mjs';

const CHECKS = ['types', 'lint', 'format:check', 'deadcode', 'build'];

/** Checks that run at the same time. */
const CHECK_LANES = 2;

/** The whole run must stay below ten minutes; what hangs is ended here. */
const VITEST_DEADLINE_MS = 9 * 60_000;

const isCi = process.env.CI === 'true';
const vitestArguments = process.argv.slice(2);
const total = { passed: 0, failed: 0, skipped: 0 };

const run = (command, args, { capture = false, deadlineMs = 0 } = {}) =>
  new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: ['ignore', capture ? 'pipe' : 'inherit', capture ? 'pipe' : 'inherit'],
      env: { ...process.env, PATH: join(root, 'node_modules', '.bin') + delimiter + process.env.PATH },
    });
    let output = '';
    if (capture) {
      child.stdout.on('data', (chunk) => (output += chunk));
      child.stderr.on('data', (chunk) => (output += chunk));
    }
    let late = false;
    const expire = () => {
      late = true;
      child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), 5_000).unref();
    };
    const timer = deadlineMs > 0 ? setTimeout(expire, deadlineMs) : undefined;
    const finish = (ok) => {
      clearTimeout(timer);
      resolve({ ok, output, late });
    };
    child.on('error', (error) => {
      output += error.message;
      finish(false);
    });
    child.on('close', (code) => finish(code === 0));
  });

const check = async (name) => {
  const started = Date.now();
  const { ok, output } = await run('npm', ['run', '--silent', name], { capture: true });
  const seconds = ((Date.now() - started) / 1_000).toFixed(1);
  console.log(`${ok ? '✓' : '✗'} ${name} (${seconds} s)`);
  if (!ok) console.log(output.trimEnd());
  if (ok) total.passed += 1;
  else total.failed += 1;
};

const checks = async () => {
  const waiting = [...CHECKS];
  const lane = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) await check(name);
  };
  await Promise.all(Array.from({ length: CHECK_LANES }, lane));
};

/** Counts what vitest reports, also files that could not even be loaded. */
const count = (report) => {
  const skipped = new Set();
  for (const file of report.testResults) {
    const statuses = file.assertionResults.map((test) => test.status);
    total.passed += statuses.filter((status) => status === 'passed').length;
    const failures = statuses.filter((status) => status === 'failed').length;
    total.failed += failures > 0 || file.status !== 'failed' ? failures : 1;
    for (const test of file.assertionResults) {
      if (test.status === 'passed' || test.status === 'failed') continue;
      total.skipped += 1;
      skipped.add(`${relative(root, file.name)}: ${test.ancestorTitles[0] || test.title}`);
    }
  }
  return [...skipped];
};

const sayWhatWasSkipped = (skipped) => {
  console.log('\nSkipped on this machine:');
  for (const name of skipped) console.log(`  ${name}`);
  if (skipped.some((name) => name.includes('[needs'))) {
    console.log('Enable them with `npm run setup` (Debian, as root); tests that need root want `npm test` as root.');
  }
  if (!isCi) return;
  console.log('With CI=true nothing may be skipped: each counts as failed.');
  total.failed += total.skipped;
  total.skipped = 0;
};

/** One run of vitest. `projects`: see vitest.config.ts; without any, whatever the arguments name. */
const tests = async (projects) => {
  const folder = mkdtempSync(join(tmpdir(), 'companion-test-'));
  const reportFile = join(folder, 'report.json');
  try {
    const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
    const selection = projects.length === 0 ? vitestArguments : projects.flatMap((project) => ['--project', project]);
    // unit tests give way to those with real servers: a server that is late by 400 ms lets a request go on unasked
    const niceness = projects.includes('fast') ? '5' : '0';
    const { ok, late } = await run(
      'nice',
      ['-n', niceness, nodeBinary(), vitest, 'run', '--config', 'test/vitest.config.ts', ...reporters, ...selection],
      { deadlineMs: VITEST_DEADLINE_MS },
    );
    if (late) console.log(`The tests were ended after ${VITEST_DEADLINE_MS / 60_000} minutes.`);
    if (!existsSync(reportFile)) {
      total.failed += 1;
      return [];
    }
    const failedBefore = total.failed;
    const skipped = count(JSON.parse(readFileSync(reportFile, 'utf8')));
    // For example an error outside of any test.
    if (!ok && total.failed === failedBefore) total.failed += 1;
    return skipped;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

requireNode();
install();
if (isCi) {
  const setup = await run(process.execPath, ['test/setup.mjs']);
  if (!setup.ok) total.failed += 1;
}
if (vitestArguments.length === 0) await checks();
// end-to-end tests mostly wait: the others run beside them
const lanes = vitestArguments.length === 0 ? [['fast'], ['enforce', 'e2e', 'e2e-alone']] : [[]];
const skipped = (await Promise.all(lanes.map(tests))).flat();
if (skipped.length > 0) sayWhatWasSkipped(skipped);

const skippedPart = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
console.log(`\n${total.passed} passed, ${total.failed} failed${skippedPart}`);
process.exitCode = total.failed > 0 ? 1 : 0;
