/**
 * `npm run setup`: installs what the end-to-end tests need from Debian, and starts none of it. Quick and harmless when
 * all is there.
 */
import { spawnSync } from 'child_process';
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'fs';

const PACKAGES = [
  'kamailio',
  'kamailio-extra-modules',
  'kamailio-utils-modules',
  'kamailio-sqlite-modules',
  'sip-tester',
  'sipvicious',
  'sqlite3',
  'iproute2',
  'baresip-core',
  'fail2ban',
];

/** Debian asks this file whether a service may be started on installation; 101 means no. */
const POLICY = '/usr/sbin/policy-rc.d';
const SAVED_POLICY = '/usr/sbin/policy-rc.d.before-companion-setup';
const DENY_ALL = '#!/bin/sh\n# Put here by `npm run setup` of Companion while it installs packages.\nexit 101\n';

const fail = (sentence) => {
  console.error(sentence);
  process.exit(1);
};

const isPresent = (name) => {
  const result = spawnSync('dpkg-query', ['-W', '-f', '${db:Status-Abbrev}', name], { encoding: 'utf8' });
  return result.status === 0 && result.stdout.startsWith('ii');
};

const forbidServices = () => {
  // Our own text, or a saved policy, comes from a run that was cut off: then there is nothing new to save.
  const isOurs = existsSync(POLICY) && readFileSync(POLICY, 'utf8') === DENY_ALL;
  if (existsSync(POLICY) && !isOurs && !existsSync(SAVED_POLICY)) renameSync(POLICY, SAVED_POLICY);
  writeFileSync(POLICY, DENY_ALL);
  chmodSync(POLICY, 0o755);
};

const restoreServices = () => {
  rmSync(POLICY, { force: true });
  if (existsSync(SAVED_POLICY)) renameSync(SAVED_POLICY, POLICY);
};

const apt = (args) => {
  const options = ['-qq', '-o', 'Acquire::Retries=3', '-o', 'DPkg::Lock::Timeout=120'];
  const result = spawnSync('apt-get', [...options, ...args], {
    encoding: 'utf8',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' },
  });
  return { ok: result.status === 0, output: `${result.stdout || ''}${result.stderr || ''}` };
};

if (spawnSync('dpkg-query', ['--version']).status !== 0) {
  fail(
    'npm run setup works on Debian and its relatives only: install kamailio, sipp, sipvicious and sqlite3 yourself.',
  );
}
const missing = PACKAGES.filter((name) => !isPresent(name));
if (missing.length === 0) {
  console.log('Everything that the tests need is installed.');
  process.exit(0);
}
if (process.getuid() !== 0) {
  fail(`npm run setup must run as root to install ${missing.join(' ')}: try \`sudo npm run setup\`.`);
}

console.log(`Installing ${missing.join(' ')} (no service is started) …`);
// Signals end apt-get, which shares our process group; staying alive gives the policy back.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
forbidServices();
let failure = '';
try {
  apt(['update']);
  const install = apt(['install', '-y', '--no-install-recommends', ...missing]);
  if (!install.ok) failure = install.output;
} finally {
  restoreServices();
}
if (failure) fail(`${failure}\napt-get could not install ${missing.join(' ')} (see above).`);
console.log('Done.');
