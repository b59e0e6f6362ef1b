import { Argument, Option } from 'commander';
import type { Command } from 'commander';
import type { ValidateOptions } from '../commands/message/validate.ts';
import type { Done } from './declaring.ts';

/** `validate` and `explain`: about SIP messages, without the service. */
export const declareMessages = (program: Command, done: Done): void => {
  program
    .command('validate')
    .description('hold SIP messages against the standard: one file a message, one line a file')
    .argument('<file...>', 'messages as they were on the wire; - reads standard input')
    .addOption(
      new Option('--mode <mode>', 'how strictly').choices(['permissive', 'strict', 'paranoid']).default('strict'),
    )
    .addOption(new Option('--transport <transport>', 'how they came').choices(['udp', 'tcp']).default('udp'))
    .option('--disable <rule...>', 'rules that do not count')
    .option('--exit-code', 'exit with 1 when a message is refused')
    .option('--json', 'one JSON object a file and line')
    .action(async (files: string[], options: ValidateOptions) =>
      done(import('../commands/message/validate.ts').then(({ validate }) => validate(files, options))),
    );
  const explain = program.command('explain').description('what numbers and names mean');
  explain
    .command('sanity')
    .description("bits of Kamailio's sanity_check, and our rules for them; without numbers all of them")
    .addArgument(new Argument('[checks]', 'the first number, e.g. 17895'))
    .addArgument(new Argument('[uris]', 'the second number, e.g. 7'))
    .option('--json', 'print JSON for programs')
    .action(async (checks: string | undefined, uris: string | undefined, options: { readonly json?: boolean }) =>
      done(
        import('../commands/message/explain.ts').then(({ explainSanityBits }) =>
          explainSanityBits(checks, uris, options),
        ),
      ),
    );
  explain
    .command('rules')
    .description('every rule of the validator: severity, and what follows in each mode')
    .argument('[rule]', 'only this one')
    .option('--json', 'print JSON for programs')
    .action(async (name: string | undefined, options: { readonly json?: boolean }) =>
      done(import('../commands/message/explain.ts').then(({ explainRules }) => explainRules(name, options))),
    );
};
