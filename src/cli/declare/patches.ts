import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import type { PatchesListOptions } from '../commands/message/patches.ts';
import { asking } from './declaring.ts';
import type { Done } from './declaring.ts';

const version = (text: string): string => {
  if (!/^\d{1,4}(?:\.\d{1,4}){1,3}[\w.-]{0,20}$/.test(text))
    throw new InvalidArgumentError('Write a version such as 5.6.3.');
  return text;
};

/** `patches list|kamailio`. */
export const declarePatches = (program: Command, done: Done): void => {
  const patches = program.command('patches').description('virtual patches: messages that known bugs of servers need');
  asking(patches.command('list').description('each one: what it is for, whether it is on, and why'))
    .option('--config <file>', 'configuration (default: as with run)')
    .option('--version <version>', 'of Kamailio, instead of what the service reads from it', version)
    .action(async (options: PatchesListOptions) =>
      done(import('../commands/message/patches.ts').then(({ patchesList }) => patchesList(options))),
    );
  patches
    .command('kamailio')
    .description('print the include that stops them before its parser')
    .option('--version <version>', 'switched on by itself: what this version needs', version)
    .action(async (options: { readonly version?: string }) =>
      done(import('../commands/message/patches.ts').then(({ patchesKamailio }) => patchesKamailio(options))),
    );
};
