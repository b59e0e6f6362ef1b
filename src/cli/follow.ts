import { jsonLine } from '../protocol/index.ts';
import { ask } from './ask.ts';
import { EXIT } from './exit-codes.ts';
import type { CommonOptions } from './options.ts';
import { coloured } from './output/text.ts';

export interface Following<E> {
  readonly method: 'watch' | 'trace';
  readonly params: object;
  /** Said on standard error to a human at a terminal. */
  readonly banner: string;
  /** What is missing when this reader was too slow. */
  readonly what: string;
  readonly line: (event: E) => string;
  readonly options: CommonOptions;
}

/** Prints a stream of the service, a line an event, until Ctrl-C (exit 0). */
export const follow = async <E>({ method, params, banner, what, line, options }: Following<E>): Promise<number> => {
  const interrupted = new Promise<'interrupted'>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => {
        resolve('interrupted');
      });
  });
  await ask(options, async (client) => {
    let blocked = false;
    const write = (text: string): void => {
      if (process.stdout.write(`${text}\n`) || blocked) return;
      blocked = true;
      client.pause();
      process.stdout.once('drain', () => {
        blocked = false;
        client.resume();
      });
    };
    if (options.json !== true && coloured()) process.stderr.write(`${banner}\n`);
    const ended = client.stream(method, params, {
      event: (event) => {
        write(options.json ? jsonLine(event) : line(event as E));
      },
      dropped: (count) => {
        write(
          options.json ? jsonLine({ dropped: count }) : `… ${count} ${what} are missing here: this reader was too slow`,
        );
      },
    });
    return Promise.race([ended, interrupted]);
  });
  return EXIT.ok;
};
