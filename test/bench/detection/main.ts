/**
 * `npm run bench:detection`: what is noticed, after how many messages, and whom it costs. Exit code 1 when a customer is
 * harmed, or an attack goes unnoticed that is not known to. With `--json` one object a line.
 */
import { fileURLToPath } from 'node:url';
import { SIP_DATA } from '../../unit/detect/replay-trace.ts';
import { detectionTable, markdownOf } from './table.ts';
import type { Result } from './scenario.ts';

const json = process.argv.includes('--json');
const results: Result[] = [];
for (const result of detectionTable()) {
  results.push(result);
  if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else process.stderr.write(`${result.name} …\n`);
}
if (!json) process.stdout.write(`${markdownOf(results)}\n`);
if (!results.some(({ name }) => name.startsWith('timeline ')))
  process.stderr.write(`The captured timelines are left out: there is no data set at ${fileURLToPath(SIP_DATA)}.\n`);
for (const { name, harms, open } of results) {
  for (const harm of harms) process.stderr.write(`${name}: harmed ${harm}\n`);
  if (open !== undefined) process.stderr.write(`${name}: open, ${open}\n`);
}
const failed = results.some(
  ({ harmed, flagged, attackers, open }) => harmed > 0 || (open === undefined && flagged < attackers),
);
process.exitCode = failed ? 1 : 0;
