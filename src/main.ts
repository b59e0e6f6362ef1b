#!/usr/bin/env -S node --max-semi-space-size=8
/**
 * The command `companion`. Looks at the Node.js version before anything else is loaded: an old one must answer with
 * one sentence, not with a syntax error out of some library. What `cli/index.ts` imports at its top stays plain.
 *
 * The flag in the first line: under load V8 would let the space of young objects grow to 134 MB and never give them back;
 * with 8 MB a half it collects more often and each time less, and the service stays a hundred MB smaller.
 */
import { nodeProblem, runCli } from './cli/index.ts';

const problem = nodeProblem(process.versions.node);
if (problem === undefined) {
  process.exitCode = await runCli(process.argv.slice(2));
} else {
  process.stderr.write(`companion: NODE_TOO_OLD ${problem}\n`);
  process.exitCode = 3;
}
