/** `npm start`: installs and builds what is missing, then runs `companion run`. More arguments are passed on to it. */
import { spawn } from 'child_process';
import { join } from 'path';
import { build, install, nodeBinary, requireNode, root } from './prepare.mjs';

requireNode();
install();
build();

// As in the first line of main.ts.
const flags = ['--max-semi-space-size=8'];
const child = spawn(nodeBinary(), [...flags, join(root, 'dist', 'main.js'), 'run', ...process.argv.slice(2)], {
  stdio: 'inherit',
});

// A terminal sends Ctrl-C to the whole process group: then the child already has it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2']) {
  process.on(signal, () => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  });
}

child.on('error', (error) => {
  console.error(`Companion cannot be started: ${error.message}`);
  process.exit(1);
});

child.on('exit', (code, signal) => {
  // As a shell reports a child that a signal ended.
  process.exit(signal === null ? code : 128 + (signal === 'SIGTERM' ? 15 : signal === 'SIGINT' ? 2 : 9));
});
