#!/usr/bin/env node
/**
 * The command `companion`. Looks at the Node.js version before anything else is loaded: an old one must answer with
 * one sentence, not with a syntax error out of some library. What `cli/index.ts` imports at its top stays plain.
 */
import { nodeProblem, runCli } from './cli/index.ts';

const problem = nodeProblem(process.versions.node);
if (problem === undefined) {
  process.exitCode = await runCli(process.argv.slice(2));
} else {
  process.stderr.write(`companion: NODE_TOO_OLD ${problem}\n`);
  process.exitCode = 3;
}
