import type { Command } from 'commander';
import type { RulesListOptions } from '../commands/rules/list.ts';
import type { RulesTestOptions } from '../commands/rules/test.ts';
import type { RulesWireOptions } from '../commands/rules/wire.ts';
import type { Done } from './declaring.ts';

const looking = (command: Command): Command =>
  command
    .option('--config <file>', 'policy (default: all defaults, without your configuration)')
    .option('--json', 'print JSON for programs');

/** `rules test|list|wire`. */
export const declareRules = (program: Command, done: Done): void => {
  const rules = program.command('rules').description('look at the rules and at packs of tools, without the service');
  looking(
    rules
      .command('test')
      .description(
        'run cases (message or timeline, and the verdict that is expected) or the tests of a pack; exit code 1 when one fails, 2 when a file cannot be read',
      )
      .argument('<file...>', 'YAML files of cases, or packs'),
  )
    .option('--failed', 'say only what failed')
    .action(async (files: string[], options: RulesTestOptions) =>
      done(import('../commands/rules/test.ts').then(({ rulesTest }) => rulesTest(files, options))),
    );
  looking(rules.command('list').description('every rule and its setting, every known tool')).action(
    async (options: RulesListOptions) =>
      done(import('../commands/rules/list.ts').then(({ rulesList }) => rulesList(options))),
  );
  looking(
    rules
      .command('wire')
      .description('how messages are built: the id that operators share, and every feature behind it')
      .argument('<file...>', 'one message each, as it was on the wire'),
  ).action(async (files: string[], options: RulesWireOptions) =>
    done(import('../commands/rules/wire.ts').then(({ rulesWire }) => rulesWire(files, options))),
  );
};
