import { Argument, Command, CommanderError, Option } from 'commander';
import { EXIT } from './exit-codes.ts';
import type { BanAddOptions, BanListOptions } from './commands/ban.ts';
import type { ListAddOptions } from './commands/lists.ts';
import type { RunOptions } from './commands/run.ts';
import type { CommonOptions } from './options.ts';

const SOCKET_HELP = `
The service is looked for at --socket PATH, else at COMPANION_SOCKET, else at the first of these that answers:
$RUNTIME_DIRECTORY/companion.sock, /run/companion/companion.sock, $XDG_RUNTIME_DIR/companion/companion.sock,
and companion.sock in the state directory (/var/lib/companion for root, else ~/.local/state/companion).

Exit codes: 0 done, 1 refused or failed, 3 wrong usage or no service. 'check': 0 clear, 1 blocked, 2 allowed, 3 error.
Errors are one line on stderr, 'companion: CODE sentence'; with --json {"error":{"code","message"}} on stdout.`;

/** What an action found out; commander itself returns nothing. */
interface Outcome {
  exitCode: number;
}

const asking = (command: Command): Command =>
  command.option('--json', 'print JSON for programs').option('--socket <path>', 'control socket of the service');

const addBan = (program: Command, done: (code: Promise<number>) => Promise<void>): void => {
  const ban = program.command('ban').description('ban addresses, lift bans');
  asking(ban.command('add').description('ban an address or network by hand').argument('<address>'))
    .option('--for <duration>', 'how long: 90s, 15m, 4h, 7d or permanent (default: the first rung of the ladder)')
    .option('--reason <text>', 'why, for whoever asks later', 'banned by hand')
    .option('--force', 'even if registered phones, a peer or an allow entry would be hit')
    .action(async (address: string, options: BanAddOptions) =>
      done(import('./commands/ban.ts').then(({ banAdd }) => banAdd(address, options))),
    );
  asking(ban.command('list').description('who is banned now'))
    .option('--all', 'quarantines and throttles too')
    .action(async (options: BanListOptions) =>
      done(import('./commands/ban.ts').then(({ banList }) => banList(options))),
    );
  asking(
    ban
      .command('remove')
      .description('lift every ban, quarantine and throttle of an address, everywhere')
      .argument('<address>'),
  ).action(async (address: string, options: CommonOptions) =>
    done(import('./commands/ban.ts').then(({ banRemove }) => banRemove(address, options))),
  );
};

const addList = (
  program: Command,
  list: 'allow' | 'deny',
  does: string,
  done: (code: Promise<number>) => Promise<void>,
): void => {
  const command = program.command(list).description(`the ${list} list: ${does}`);
  asking(command.command('add').description(`put an address or network on the ${list} list`).argument('<address>'))
    .option('--note <text>', 'what it is', '')
    .option('--for <duration>', 'how long: 90s, 15m, 4h, 7d or permanent', 'permanent')
    .action(async (address: string, options: ListAddOptions) =>
      done(import('./commands/lists.ts').then(({ listAdd }) => listAdd(list, address, options))),
    );
  asking(command.command('list').description(`show the ${list} list`)).action(async (options: CommonOptions) =>
    done(import('./commands/lists.ts').then(({ listShow }) => listShow(list, options))),
  );
  asking(
    command.command('remove').description(`take an address or network off the ${list} list`).argument('<address>'),
  ).action(async (address: string, options: CommonOptions) =>
    done(import('./commands/lists.ts').then(({ listRemove }) => listRemove(list, address, options))),
  );
};

const build = (outcome: Outcome): Command => {
  const done = async (code: Promise<number>): Promise<void> => {
    outcome.exitCode = await code;
  };
  const program = new Command('companion')
    .description('Protects Kamailio, OpenSIPS and any PBX from scanners, password guessers, toll fraud and floods.')
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .showSuggestionAfterError()
    .addHelpText('after', SOCKET_HELP);
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
    .action(async (options: RunOptions) => done(import('./commands/run.ts').then(({ run }) => run(options))));
  asking(program.command('status').description('is the server protected, and by what')).action(
    async (options: CommonOptions) => done(import('./commands/status.ts').then(({ status }) => status(options))),
  );
  asking(program.command('watch').description('show every decision as it is made, until Ctrl-C')).action(
    async (options: CommonOptions) => done(import('./commands/watch.ts').then(({ watch }) => watch(options))),
  );
  asking(
    program
      .command('check')
      .description('is an address blocked? exit code 0 clear, 1 blocked, 2 allowed, 3 error')
      .addArgument(new Argument('<ip>')),
  ).action(async (ip: string, options: CommonOptions) =>
    done(import('./commands/check.ts').then(({ check }) => check(ip, options))),
  );
  asking(
    program
      .command('why')
      .description('what companion thinks of an address, on what evidence, and how to undo it')
      .argument('<ip>'),
  ).action(async (ip: string, options: CommonOptions) =>
    done(import('./commands/why.ts').then(({ why }) => why(ip, options))),
  );
  addBan(program, done);
  addList(program, 'allow', 'never banned, still authenticated', done);
  addList(program, 'deny', 'always dropped', done);
  program
    .command('version')
    .description('version of this command')
    .option('--json', 'print JSON for programs')
    .action(async (options: CommonOptions) =>
      done(import('./commands/version.ts').then(({ version }) => version(options))),
    );
  return program;
};

/** Reads the arguments (without node and script) and runs the command. @returns the exit code */
export const runProgram = async (args: readonly string[]): Promise<number> => {
  // `companion watch | head` ends without a stack trace.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failed);
  });
  const outcome: Outcome = { exitCode: EXIT.ok };
  const json = args.includes('--json');
  try {
    await build(outcome).parseAsync(args, { from: 'user' });
    return outcome.exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    // Help instead of a missing subcommand was printed already.
    if (error instanceof CommanderError && error.code === 'commander.help') return EXIT.notAsked;
    const { reportFailure, usageError } = await import('./failure.ts');
    const code = reportFailure(error instanceof CommanderError ? usageError(error.message) : error, json);
    return args[0] === 'check' ? EXIT.notAsked : code;
  }
};
