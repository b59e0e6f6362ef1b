import type { Command } from 'commander';
import type { CommonOptions } from '../options.ts';
import { asking } from './declaring.ts';
import type { Done } from './declaring.ts';

/** `geo status|show|update`. */
export const declareGeo = (program: Command, done: Done): void => {
  const geo = program.command('geo').description('countries and networks of addresses');
  asking(geo.command('status').description('which databases are in use, and how old they are')).action(
    async (options: CommonOptions) => done(import('../commands/geo.ts').then(({ geoStatus }) => geoStatus(options))),
  );
  asking(geo.command('show').description('where an address is, and whether that is blocked').argument('<ip>')).action(
    async (ip: string, options: CommonOptions) =>
      done(import('../commands/geo.ts').then(({ geoShow }) => geoShow(ip, options))),
  );
  asking(geo.command('update').description('fetch the configured databases; the old ones stay when that fails')).action(
    async (options: CommonOptions) => done(import('../commands/geo.ts').then(({ geoUpdate }) => geoUpdate(options))),
  );
};
