import type { Command } from 'commander';
import type { CommonOptions } from '../options.ts';
import { asking } from './declaring.ts';
import type { Done } from './declaring.ts';

/** `feed list|update|on|off`. */
export const declareFeeds = (program: Command, done: Done): void => {
  const feed = program.command('feed').description("other people's lists of attackers");
  asking(feed.command('list').description('what each lists, when it was read, what was left out')).action(
    async (options: CommonOptions) => done(import('../commands/feeds.ts').then(({ feedList }) => feedList(options))),
  );
  asking(feed.command('update').description('read one now, or all of them').argument('[name]')).action(
    async (name: string | undefined, options: CommonOptions) =>
      done(import('../commands/feeds.ts').then(({ feedUpdate }) => feedUpdate(name, options))),
  );
  for (const word of ['on', 'off'] as const)
    asking(
      feed
        .command(word)
        .description(word === 'on' ? 'listen to it again' : 'as if it were not there, also after a restart')
        .argument('<name>'),
    ).action(async (name: string, options: CommonOptions) =>
      done(import('../commands/feeds.ts').then(({ feedSwitch }) => feedSwitch(name, word === 'on', options))),
    );
};
