import { handleSignals } from '../../system/index.ts';
import { EXIT } from '../exit-codes.ts';
import { typed } from '../failure.ts';
import { shown } from '../output/text.ts';

export interface RunOptions {
  readonly config?: string | undefined;
  readonly mode?: 'shadow' | 'enforce' | undefined;
  readonly debug?: true | undefined;
}

const complain = (error: unknown): void => {
  const { code, message } = typed(error);
  process.stderr.write(`companion: ${code} ${shown(message)}\n`);
};

/** `companion run`: the service in the foreground, until SIGTERM or SIGINT (exit 0 when it stopped in good order). */
export const run = async (options: RunOptions): Promise<number> => {
  const { startCompanion } = await import('../../app.ts');
  const starting = startCompanion({
    ...(options.config === undefined ? {} : { configFile: options.config }),
    ...(options.mode === undefined ? {} : { mode: options.mode }),
    ...(options.debug === undefined ? {} : { debug: true }),
  });
  const unhandle = handleSignals({
    stop: async () => (await starting).stop(),
    reload: () => {
      process.stderr.write('companion: reloading is not supported yet; restart to read the configuration again\n');
      return Promise.resolve();
    },
    report: complain,
  });
  try {
    await starting;
  } catch (error) {
    unhandle();
    throw error;
  }
  return EXIT.ok;
};
