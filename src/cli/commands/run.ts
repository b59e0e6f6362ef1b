import { handleSignals } from '../../system/index.ts';
import { EXIT } from '../exit-codes.ts';
import { typed } from '../failure.ts';
import { nextSteps } from '../output/next-steps.ts';
import { shown } from '../output/text.ts';

/** From the complaint about a failed start to the end of the process. */
const GONE_AFTER_MS = 300;

/** A server that is there answers sooner. */
const GUIDE_AFTER_MS = 1_500;

export interface RunOptions {
  readonly config?: string | undefined;
  readonly mode?: 'shadow' | 'enforce' | undefined;
  readonly debug?: true | undefined;
}

const complain = (error: unknown): void => {
  const { code, message } = typed(error);
  const lines = code === 'CONFIG_INVALID' ? message.split('\n') : [message];
  process.stderr.write(`companion: ${code} ${lines.map(shown).join('\n')}\n`);
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
    reload: async () => {
      const { needRestart } = (await starting).reload();
      if (needRestart.length > 0)
        process.stderr.write(`companion: reloaded; these need a restart: ${needRestart.join(', ')}\n`);
    },
    report: complain,
  });
  try {
    const companion = await starting;
    const guide = setTimeout(() => {
      if (companion.status().nodes.every(({ state }) => state === 'down'))
        process.stderr.write(nextSteps(companion.places));
    }, GUIDE_AFTER_MS);
    guide.unref();
  } catch (error) {
    unhandle();
    // doors that were open before the one that failed must not keep half a service alive: nobody would start it again
    setTimeout(() => process.exit(), GONE_AFTER_MS).unref();
    throw error;
  }
  return EXIT.ok;
};
