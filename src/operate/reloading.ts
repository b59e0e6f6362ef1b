import type { ReloadReport } from '../model/index.ts';
import type { VigilLog } from './insight/vigil.ts';

export interface ReloadingLog extends VigilLog {
  error(fields: object, message: string): void;
}

/**
 * Reads the configuration again and says in the log what came of it.
 * @param before may throw before anything is changed: then, as when the swap throws, the old configuration goes on
 */
export const createReloading =
  (log: ReloadingLog, before: () => void, swap: () => ReloadReport): (() => ReloadReport) =>
  () => {
    try {
      before();
      const report = swap();
      log.info({ event: 'reloaded', ...report }, 'the configuration was read again');
      return report;
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      log.error({ event: 'reload-refused', problem }, 'the new configuration is wrong: the old one goes on');
      throw error;
    }
  };
