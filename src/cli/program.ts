import { Command, CommanderError } from 'commander';
import { declareFeeds } from './declare/feeds.ts';
import { declareGeo } from './declare/geo.ts';
import { declareInstallation } from './declare/installation.ts';
import { declareBans, declareList } from './declare/lists.ts';
import { declareMessages } from './declare/messages.ts';
import { declarePatches } from './declare/patches.ts';
import { declareQuestions } from './declare/questions.ts';
import { declareRehearsing } from './declare/rehearsing.ts';
import { declareRules } from './declare/rules.ts';
import { declareService } from './declare/service.ts';
import { EXIT } from './exit-codes.ts';

const SOCKET_HELP = `
The service is looked for at --socket PATH, else at COMPANION_SOCKET, else at the first of these that answers:
$RUNTIME_DIRECTORY/companion.sock, /run/companion/companion.sock, $XDG_RUNTIME_DIR/companion/companion.sock,
and companion.sock in the state directory (/var/lib/companion for root, else ~/.local/state/companion).

Exit codes: 0 done, 1 refused or failed, 3 wrong usage or no service. 'check': 0 clear, 1 blocked, 2 allowed, 3 error.
'replay': 0, 1 when two policies differ, 2 when a file cannot be read. 'rules test': 0, 1 when a case fails, 2 likewise.
Errors are one line on stderr, 'companion: CODE sentence'; with --json {"error":{"code","message"}} on stdout.`;

/** What an action found out; commander itself returns nothing. */
interface Outcome {
  exitCode: number;
}

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
  declareService(program, done);
  declareQuestions(program, done);
  declareBans(program, done);
  declareList(program, 'allow', 'never banned, still authenticated', done);
  declareList(program, 'deny', 'always dropped', done);
  declareFeeds(program, done);
  declareGeo(program, done);
  declareInstallation(program, done);
  declareRehearsing(program, done);
  declareRules(program, done);
  declareMessages(program, done);
  declarePatches(program, done);
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
