import { escapeText } from '../../model/index.ts';

/** Alarms that stand at a time; what is beyond is counted. */
const MAX_STANDING = 200;
const MAX_CHARS = 500;

/** What an operator has to know until it is mended. */
export interface Alarms {
  /** Raises, changes or (undefined) ends the alarm of this name. Said in the log when it changes. */
  set(name: string, text: string | undefined): void;
  /** What stands, oldest first: `name text`. */
  list(): readonly string[];
  readonly dropped: number;
}

interface AlarmLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export const createAlarms = (log: AlarmLog): Alarms => {
  const standing = new Map<string, string>();
  let dropped = 0;
  return {
    set(name, text) {
      const before = standing.get(name);
      if (text === undefined) {
        if (standing.delete(name)) log.info({ event: 'alarm-over', alarm: name }, `${name}: well again`);
        return;
      }
      const shown = escapeText(text, MAX_CHARS);
      if (shown === before) return;
      if (before === undefined && standing.size >= MAX_STANDING) {
        dropped += 1;
        return;
      }
      standing.set(name, shown);
      log.warn({ event: 'alarm', alarm: name }, `${name}: ${shown}`);
    },
    list: () => [...standing].map(([name, text]) => `${name}: ${text}`),
    get dropped() {
      return dropped;
    },
  };
};
