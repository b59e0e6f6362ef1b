import type { Command } from 'commander';
import type { BanAddOptions, BanListOptions } from '../commands/lists/bans.ts';
import type { ClearOptions } from '../commands/lists/clear.ts';
import type { ListAddOptions } from '../commands/lists/entries.ts';
import type { ExportOptions } from '../commands/lists/export.ts';
import type { ImportKind, ImportOptions } from '../commands/lists/import.ts';
import type { CommonOptions } from '../options.ts';
import { asking } from './declaring.ts';
import type { Done } from './declaring.ts';

const exchange = (command: Command, kind: ImportKind, done: Done): void => {
  const reading = asking(
    command
      .command('import')
      .description(
        'take over a file: CSV, a plain list, or JSON; - reads standard input; exit 1 when a row is not taken',
      )
      .argument('<file>'),
  )
    .option('--dry-run', 'look at every row, change nothing')
    .option('--for <duration>', 'for rows that name no end: 4h, 7d or permanent');
  if (kind === 'ban') reading.option('--force', 'even if registered phones, a peer or an allow entry would be hit');
  if (kind === 'deny') reading.option('--force', 'even if registered phones would be hit');
  reading.action(async (file: string, options: ImportOptions) =>
    done(import('../commands/lists/import.ts').then(({ importRows }) => importRows(kind, file, options))),
  );
  command
    .command('template')
    .description('print a CSV to fill in and import')
    .action(async () => done(import('../commands/lists/template.ts').then(({ template }) => template(kind))));
  asking(command.command('export').description('print it as JSON, for import here or elsewhere'))
    .option('--csv', 'as CSV')
    .action(async (options: ExportOptions) =>
      done(import('../commands/lists/export.ts').then(({ exportRows }) => exportRows(kind, options))),
    );
};

/** `ban add|list|remove|clear|import|export`. */
export const declareBans = (program: Command, done: Done): void => {
  const ban = program.command('ban').description('ban addresses, lift bans');
  asking(ban.command('add').description('ban an address or network by hand').argument('<address>'))
    .option('--for <duration>', 'how long: 90s, 15m, 4h, 7d or permanent (default: the first rung of the ladder)')
    .option('--reason <text>', 'why, for whoever asks later', 'banned by hand')
    .option('--force', 'even if registered phones, a peer or an allow entry would be hit')
    .action(async (address: string, options: BanAddOptions) =>
      done(import('../commands/lists/bans.ts').then(({ banAdd }) => banAdd(address, options))),
    );
  asking(ban.command('list').description('who is banned now'))
    .option('--all', 'quarantines and throttles too')
    .action(async (options: BanListOptions) =>
      done(import('../commands/lists/bans.ts').then(({ banList }) => banList(options))),
    );
  asking(
    ban
      .command('remove')
      .description('lift every ban, quarantine and throttle of an address, everywhere')
      .argument('<address>'),
  ).action(async (address: string, options: CommonOptions) =>
    done(import('../commands/lists/bans.ts').then(({ banRemove }) => banRemove(address, options))),
  );
  asking(ban.command('clear').description('lift every ban, quarantine and throttle there is'))
    .option('--yes', 'without a question')
    .action(async (options: ClearOptions) =>
      done(import('../commands/lists/clear.ts').then(({ banClear }) => banClear(options))),
    );
  exchange(ban, 'ban', done);
};

/** `allow …` and `deny …`. */
export const declareList = (program: Command, list: 'allow' | 'deny', does: string, done: Done): void => {
  const command = program.command(list).description(`the ${list} list: ${does}`);
  const add = asking(
    command
      .command('add')
      .description(`put an address or network${list === 'allow' ? ' or name' : ''} on the ${list} list`)
      .argument('<address>'),
  )
    .option('--note <text>', 'what it is', '')
    .option('--for <duration>', 'how long: 90s, 15m, 4h, 7d or permanent', 'permanent');
  if (list === 'deny') add.option('--force', 'even if registered phones would be hit');
  add.action(async (address: string, options: ListAddOptions) =>
    done(import('../commands/lists/entries.ts').then(({ listAdd }) => listAdd(list, address, options))),
  );
  asking(command.command('list').description(`show the ${list} list`)).action(async (options: CommonOptions) =>
    done(import('../commands/lists/entries.ts').then(({ listShow }) => listShow(list, options))),
  );
  asking(command.command('remove').description(`take an entry off the ${list} list`).argument('<address>')).action(
    async (address: string, options: CommonOptions) =>
      done(import('../commands/lists/entries.ts').then(({ listRemove }) => listRemove(list, address, options))),
  );
  exchange(command, list, done);
};
