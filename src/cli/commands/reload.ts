import type { ReloadReport } from '../../model/index.ts';
import { ask } from '../ask.ts';
import { author } from '../author.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommonOptions } from '../options.ts';
import { printJson, printLines } from '../output/print.ts';
import { paint, shown } from '../output/text.ts';

/** `companion reload`: exit 1, with every problem, when the new configuration is wrong; the old one goes on then. */
export const reload = async (options: CommonOptions): Promise<number> => {
  const report = await ask(options, (client) => client.call<ReloadReport>('reload', { author: author() }));
  if (options.json) {
    printJson(report);
    return EXIT.ok;
  }
  const { changed, needRestart } = report;
  printLines([
    changed.length === 0 ? 'Nothing to change.' : `Changed: ${changed.map(shown).join(', ')}.`,
    ...(needRestart.length === 0
      ? []
      : [paint('yellow', `These differ and need a restart: ${needRestart.map(shown).join(', ')}.`)]),
  ]);
  return EXIT.ok;
};
