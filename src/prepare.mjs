/**
 * What `npm start` and `npm test` share, before anything is installed: is this Node.js new enough, are the
 * dependencies there, which Node.js runs the program. Plain JavaScript without dependencies, readable by old versions
 * of Node.js, so that those get a sentence and not a stack trace.
 */
import { spawnSync } from 'child_process';
import { existsSync, readFileSync } from 'fs';
import { delimiter, dirname, join, sep } from 'path';
import { fileURLToPath } from 'url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Older ones are past their end of life, and some of the tools do not run on them. */
const OLDEST_LAUNCHER = 20;

/** The Node.js among the dependencies. */
const bundledNode = join(root, 'node_modules', 'node', 'bin', 'node');

const version = process.versions.node.split('.').map(Number);

/** The range in package.json `engines`. */
const runsCompanion = () =>
  (version[0] === 22 && version[1] >= 19) || (version[0] === 24 && version[1] >= 11) || version[0] >= 26;

const refuse = () => {
  console.error(
    `NODE_TOO_OLD: Companion needs Node.js 24 (at least 22.19) and this is ${process.versions.node}: ` +
      'install a current one with `npm install -g node@24` (as root) or from https://nodejs.org/en/download, ' +
      'open a new shell and try again.',
  );
  process.exit(1);
};

export const requireNode = () => {
  if (version[0] < OLDEST_LAUNCHER) refuse();
};

/** The Node.js that runs the program: this one, or the newer one among the dependencies. */
export const nodeBinary = () => {
  if (runsCompanion()) return process.execPath;
  if (!existsSync(bundledNode)) refuse();
  return bundledNode;
};

/** True when node_modules holds exactly what package-lock.json asks for. */
const isInstalled = () => {
  const installedLock = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installedLock)) return false;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const present = JSON.parse(readFileSync(installedLock, 'utf8')).packages;
  return Object.keys(wanted).every((path) => {
    if (path === '') return true;
    if (!present[path]) return Boolean(wanted[path].optional || wanted[path].devOptional);
    return present[path].version === wanted[path].version && present[path].integrity === wanted[path].integrity;
  });
};

/** The PATH without our own node_modules/.bin: `npm ci` takes that away while it runs. */
const systemPath = () =>
  (process.env.PATH || '')
    .split(delimiter)
    .filter((folder) => !folder.endsWith(join(sep, 'node_modules', '.bin')))
    .join(delimiter);

const npm = (args) => {
  const result = spawnSync('npm', [...args, '--loglevel=error', '--no-audit', '--no-fund'], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, PATH: systemPath() },
    shell: process.platform === 'win32',
  });
  if (result.status === 0) return;
  process.stderr.write(`${result.stdout || ''}${result.stderr || ''}`);
  console.error(`The dependencies could not be installed: \`npm ${args.join(' ')}\` failed (see above).`);
  process.exit(1);
};

/**
 * Installs the dependencies when they are missing or not those of package-lock.json. Install scripts stay off: npm 10
 * does not know `allowScripts` and would compile better-sqlite3, which brings its binaries along. Only `node` needs
 * its script, and only where the Node.js at hand is too old.
 */
export const install = () => {
  const needsPackages = !isInstalled();
  const needsNode = !runsCompanion() && (needsPackages || !existsSync(bundledNode));
  if (needsPackages || needsNode) console.log('Installing the dependencies …');
  if (needsPackages) npm(['ci', '--ignore-scripts']);
  if (needsNode) npm(['rebuild', 'node', '--ignore-scripts=false']);
};

/** Compiles src to dist. */
export const build = () => {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const result = spawnSync(nodeBinary(), [compiler, '-p', '.tsconfig.build.json'], { cwd: root, encoding: 'utf8' });
  if (result.status === 0) return;
  process.stderr.write(`${result.stdout || ''}${result.stderr || ''}`);
  console.error('The sources do not compile (see above); Companion was not started.');
  process.exit(1);
};
