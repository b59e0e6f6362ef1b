import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { companionSchema } from '../../../src/judging/index.ts';
import { rehearse } from '../../../src/rehearse/index.ts';
import { SIP_DATA } from '../../unit/detect/replay-trace.ts';
import { summarise } from './scenario.ts';
import type { Result } from './scenario.ts';

/** Names of the timelines, and whether their sources are customers, as `traces.csv` has it. */
const labelled = (): { readonly name: string; readonly customers: boolean }[] => {
  const table = new URL('traces.csv', SIP_DATA);
  if (!existsSync(table)) return [];
  return readFileSync(table, 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => ({ name: line.slice(0, line.indexOf(',')), customers: /\blegitimate\b/.test(line) }));
};

/** The captured timelines of the data set, replayed. A customer is harmed by any request that would not be served. */
export const playTimelines = (): Result[] =>
  labelled().map(({ name, customers }) => {
    const file = fileURLToPath(new URL(`traces/${name}`, SIP_DATA));
    const { results } = rehearse({ files: [file], policies: [companionSchema.parse({})] });
    const { rows, totals } = results[0]!;
    const { served, ...others } = totals.handled;
    const refused = Object.values(others).reduce((sum, count) => sum + count, 0);
    const flagged = rows.filter(({ flaggedAt }) => flaggedAt !== null);
    const harmed = customers ? Math.max(flagged.length, refused > 0 ? 1 : 0) : 0;
    return summarise(
      `timeline ${name.replace('.jsonl', '')}`,
      customers ? [] : rows.map(({ flaggedAt }) => flaggedAt),
      {
        customers: customers ? rows.length : 0,
        harmed,
        held: customers ? flagged.length : 0,
        harms: harmed === 0 ? [] : [`${refused} requests not served, ${served} served`],
        messages: totals.messages,
        open: undefined,
      },
    );
  });
