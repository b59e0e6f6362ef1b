import type { Clock } from '../model/index.ts';
import { openControlSocket } from './control/control-socket.ts';
import type { ControlSocket } from './control/control-socket.ts';
import type { TokenStore } from './access/token-file.ts';
import { startHttp } from './http/server.ts';
import type { HttpDoor, HttpOptions } from './http/server.ts';
import type { Desk } from './routes/index.ts';

export interface DoorsParts {
  readonly operations: Desk['operations'];
  readonly tokens: TokenStore;
  readonly hook: Desk['hook'];
  readonly onBug: (error: unknown) => void;
  readonly clock: Clock;
  /** Where the control socket may stand, in order. */
  readonly socketPaths: readonly string[];
  /** false: no HTTP. */
  readonly http: Omit<HttpOptions, 'operations' | 'tokens' | 'hook' | 'onBug' | 'clock'> | false;
}

export interface Doors {
  readonly control: ControlSocket;
  readonly http: HttpDoor | undefined;
  stats(): Record<'control' | 'http', Record<string, number>>;
  close(): Promise<void>;
}

/**
 * Opens both doors; the control socket last: whoever gets an answer there finds all others open.
 * @throws CompanionError PORT_IN_USE, CONFIG_UNREADABLE
 */
export const openDoors = async ({ socketPaths, http: httpOptions, ...desk }: DoorsParts): Promise<Doors> => {
  const { operations, tokens, onBug } = desk;
  const http = httpOptions === false ? undefined : await startHttp({ ...httpOptions, ...desk });
  const control = await openControlSocket(socketPaths, { desk: { operations, tokens }, onBug });
  return {
    control,
    http,
    stats: () => ({ control: { ...control.stats() }, http: { ...http?.stats() } }),
    close: async () => {
      await Promise.allSettled([control.close(), http?.close()]);
    },
  };
};
