import type { RuleListing } from '../../../cases/index.ts';
import { EXIT } from '../../exit-codes.ts';
import { printJson, printLines } from '../../output/print.ts';
import { table } from '../../output/table.ts';
import type { Column } from '../../output/table.ts';
import { paint, terminalWidth } from '../../output/text.ts';
import { loadPolicy } from './load-policy.ts';

export interface RulesListOptions {
  readonly config?: string | undefined;
  readonly json?: true | undefined;
}

const RULES: readonly Column<RuleListing['rules'][number]>[] = [
  { title: 'RULE', cell: ({ rule }) => rule },
  {
    title: 'SETTING',
    cell: ({ setting }) => setting,
    style: ({ setting }) => (setting === 'as shipped' ? 'dim' : 'cyan'),
  },
];

const ENTRIES: readonly Column<RuleListing['entries'][number]>[] = [
  { title: 'ENTRY', cell: ({ name }) => name },
  { title: 'TOOL', cell: ({ tool }) => tool },
  { title: 'RISK', cell: ({ risk }) => risk, spare: 2 },
  { title: 'PACK', cell: ({ pack }) => pack, spare: 1 },
  { title: 'WHAT GIVES IT AWAY', cell: ({ detail }) => detail, shrinks: true },
];

/** `companion rules list`: every rule with its setting, every known tool. */
export const rulesList = async (options: RulesListOptions): Promise<number> => {
  const [policy, { listRules }] = await Promise.all([loadPolicy(options.config), import('../../../cases/index.ts')]);
  const listing = listRules(policy);
  if (options.json) printJson(listing);
  else {
    const width = terminalWidth();
    printLines([
      ...table(listing.rules, RULES, width),
      '',
      paint('bold', 'Known tools'),
      ...table(listing.entries, ENTRIES, width),
    ]);
  }
  return EXIT.ok;
};
