import { Option } from 'commander';
import type { Command } from 'commander';
import type { RunOptions } from '../commands/run.ts';
import type { StatusOptions } from '../commands/status.ts';
import type { CommonOptions } from '../options.ts';
import { asking } from './declaring.ts';
import type { Done } from './declaring.ts';

/** `run`, `status`, `watch`, `reload`, `version`. */
export const declareService = (program: Command, done: Done): void => {
  program
    .command('run')
    .description('run the service in the foreground')
    .option(
      '--config <file>',
      'configuration (default: COMPANION_CONFIG, then /etc/companion/companion.yaml, then all defaults)',
    )
    .addOption(
      new Option('--mode <mode>', 'enforce, or shadow: decide and record, but enforce nothing').choices([
        'shadow',
        'enforce',
      ]),
    )
    .option('--debug', 'log every step')
    .action(async (options: RunOptions) => done(import('../commands/run.ts').then(({ run }) => run(options))));
  asking(program.command('status').description('is the server protected, and by what'))
    .option('--all', 'how many addresses each list holds')
    .option('--allow', 'the same of the allow list')
    .option('--deny', 'the same of the deny list')
    .option('--dynamic', 'the same of bans, permanent and temporary')
    .action(async (options: StatusOptions) =>
      done(import('../commands/status.ts').then(({ status }) => status(options))),
    );
  asking(program.command('watch').description('show every decision as it is made, until Ctrl-C')).action(
    async (options: CommonOptions) => done(import('../commands/watch.ts').then(({ watch }) => watch(options))),
  );
  asking(
    program
      .command('reload')
      .description('read the configuration again; when it is wrong the old one goes on (exit 1)'),
  ).action(async (options: CommonOptions) =>
    done(import('../commands/reload.ts').then(({ reload }) => reload(options))),
  );
  program
    .command('version')
    .description('version of this command')
    .option('--json', 'print JSON for programs')
    .action(async (options: CommonOptions) =>
      done(import('../commands/version.ts').then(({ version }) => version(options))),
    );
};
