import { Argument } from 'commander';
import type { Command } from 'commander';
import type { ConfigOptions } from '../commands/run/configuration.ts';
import type { TokenAddOptions } from '../commands/installation/token.ts';
import type { CommonOptions } from '../options.ts';
import { asking } from './declaring.ts';
import type { Done } from './declaring.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

const declareConfig = (program: Command, done: Done): void => {
  const config = program.command('config').description('look at the configuration, without the service');
  const file = (command: Command): Command =>
    command
      .option('--config <file>', 'configuration (default: as with run)')
      .option('--json', 'print JSON for programs');
  file(config.command('check').description('is it right? every problem as file:line:col path message')).action(
    async (options: ConfigOptions) =>
      done(import('../commands/run/configuration.ts').then(({ configCheck }) => configCheck(options))),
  );
  file(config.command('explain').description('every setting in force, where it comes from, what it is for'))
    .argument('[path]', 'only settings whose path begins so, e.g. detect.density')
    .action(async (path: string | undefined, options: ConfigOptions) =>
      done(import('../commands/run/configuration.ts').then(({ configExplain }) => configExplain(path, options))),
    );
  config
    .command('schema')
    .description('its JSON schema, for editors')
    .action(async () => done(import('../commands/run/configuration.ts').then(({ configSchema }) => configSchema())));
};

/** `config`, `token`, `fail2ban`, `completion`. */
export const declareInstallation = (program: Command, done: Done): void => {
  declareConfig(program, done);
  const token = program.command('token').description('tokens for the HTTP API');
  asking(token.command('add').description('make a token; it is shown once').argument('<name>'))
    .option('--scope <scope...>', 'read, operate, hook (default: read)', ['read'])
    .action(async (name: string, options: TokenAddOptions) =>
      done(import('../commands/installation/token.ts').then(({ tokenAdd }) => tokenAdd(name, options))),
    );
  asking(token.command('list').description('names and scopes')).action(async (options: CommonOptions) =>
    done(import('../commands/installation/token.ts').then(({ tokenList }) => tokenList(options))),
  );
  asking(token.command('remove').description('take a token back').argument('<name>')).action(
    async (name: string, options: CommonOptions) =>
      done(import('../commands/installation/token.ts').then(({ tokenRemove }) => tokenRemove(name, options))),
  );
  program
    .command('fail2ban')
    .description('print the filter or the jail with which fail2ban reads our decisions')
    .addArgument(new Argument('<file>').choices(['filter', 'jail']))
    .action(async (what: 'filter' | 'jail') =>
      done(import('../commands/installation/fail2ban.ts').then(({ fail2ban }) => fail2ban(what))),
    );
  program
    .command('completion')
    .description('print the completion script of a shell, e.g. for: source <(companion completion bash)')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action(async (shell: (typeof SHELLS)[number]) =>
      done(import('../completion/script.ts').then(({ printScript }) => printScript(shell, program))),
    );
};
