import type { Command } from 'commander';
import type { ReplayOptions } from '../commands/replay.ts';
import type { Done } from './declaring.ts';

/** `replay`. */
export const declareRehearsing = (program: Command, done: Done): void => {
  program
    .command('replay')
    .description(
      'what would have happened: judges captures (pcap, pcapng, HEP, JSONL timelines) without the service; exit code 1 when two policies differ, 2 when a file cannot be read',
    )
    .argument('<file...>', 'captures in order of time; - reads standard input')
    .option('--config <file>', 'policy (default: as with run)')
    .option('--against <file>', 'an older policy: show what differs')
    .option('--server <addresses>', 'addresses of the SIP server, with commas (default: found out)')
    .option('--all', 'every source')
    .option('--json', 'one JSON object a source and line')
    .action(async (files: string[], options: ReplayOptions) =>
      done(import('../commands/replay.ts').then(({ replay }) => replay(files, options))),
    );
};
