import type { Clock, HookDesk } from '../model/index.ts';
import { createDatagramHook } from './datagram-hook.ts';
import type { HookNode } from './datagram-hook.ts';
import { createEvapiHook } from './evapi/evapi-hook.ts';
import type { EvapiNode } from './evapi/evapi-hook.ts';
import type { Hook, HookHandlers, HookStats } from './hook-core.ts';
import { createHttpHook } from './http-hook.ts';

/** One SIP server, and how its frames come. */
export type TransportNode = HookNode & EvapiNode & { readonly transport: 'datagram' | 'evapi' | 'http' };

export interface HookOptions {
  readonly host: string;
  readonly askPort: number;
  readonly tellPort: number;
  readonly nodes: readonly TransportNode[];
  readonly clock: Clock;
}

/**
 * Opens the doors that the servers need, and shows them as one. A frame is taken only at the door of its server.
 * @throws CompanionError PORT_IN_USE
 */
export const openHook = async (
  options: HookOptions,
  handlers: HookHandlers,
): Promise<Hook & { readonly desk: HookDesk }> => {
  const over = (transport: TransportNode['transport']): readonly TransportNode[] =>
    options.nodes.filter((node) => node.transport === transport);
  const { clock } = options;
  const doors = new Map<TransportNode['transport'], Hook>();
  if (over('datagram').length > 0)
    doors.set('datagram', await createDatagramHook({ ...options, nodes: over('datagram') }, handlers));
  if (over('evapi').length > 0) doors.set('evapi', createEvapiHook({ nodes: over('evapi'), clock }, handlers));
  const http = createHttpHook({ nodes: over('http'), clock }, handlers);
  doors.set('http', http);
  const doorOf = new Map(options.nodes.map(({ name, transport }) => [name, doors.get(transport)]));

  return {
    desk: http.desk,
    silentMs: (node) => doorOf.get(node)?.silentMs(node),
    stats() {
      const all = [...doors.values()].map((door) => door.stats());
      const sum = (name: keyof HookStats): number => all.reduce((total, stats) => total + stats[name], 0);
      return { asks: sum('asks'), tells: sum('tells'), late: sum('late'), lost: sum('lost') };
    },
    async stop() {
      await Promise.all([...doors.values()].map(async (door) => door.stop()));
    },
  };
};
