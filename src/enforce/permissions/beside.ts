import type { KamailioEnforcer } from '../kamailio/enforcer.ts';
import { createAddressFile } from './address-file.ts';
import { createAddressTable } from './address-table.ts';
import { createPermissionsEnforcer } from './enforcer.ts';
import type { PermissionsEnforcer, PermissionsOptions } from './enforcer.ts';

/** Which server's groups, and where its permissions module reads them: exactly one of `file` and `sqlite`. */
export interface PermissionsSettings {
  readonly node: string;
  readonly file?: string | undefined;
  readonly sqlite?: string | undefined;
  readonly table: string;
  readonly allow_group: number;
  readonly deny_group: number;
}

/** A server whose tables and whose permissions groups both follow the ledger: one server to whoever looks at it. */
const beside = (server: KamailioEnforcer, permissions: PermissionsEnforcer): KamailioEnforcer => ({
  name: server.name,
  rpc: server.rpc,
  apply(changes) {
    server.apply(changes);
    permissions.apply(changes);
  },
  poke() {
    server.poke();
    permissions.poke();
  },
  async holds(ip, about) {
    const both = await Promise.all([server.holds(ip, about), permissions.holds(ip)]);
    return both.flat();
  },
  status() {
    const [tables, groups] = [server.status(), permissions.status()];
    const isHalf = groups.state === 'degraded';
    return {
      ...tables,
      state: isHalf && tables.state === 'connected' ? 'degraded' : tables.state,
      entries: { ...tables.entries, ...groups.entries },
      lastError: [tables.lastError, isHalf ? groups.lastError : ''].filter((text) => text !== '').join(' '),
    };
  },
  counters: () => ({ ...server.counters(), ...permissions.counters() }),
  async stop() {
    await Promise.all([permissions.stop(), server.stop()]);
  },
});

/** The server as it is, or with the permissions groups that the settings name for it. */
export const withPermissions = (
  server: KamailioEnforcer,
  settings: readonly PermissionsSettings[],
  parts: Pick<PermissionsOptions, 'clock' | 'log' | 'desired'>,
): KamailioEnforcer => {
  const setting = settings.find(({ node }) => node === server.name);
  if (setting === undefined) return server;
  const groups = { allow: setting.allow_group, deny: setting.deny_group };
  const book =
    setting.file === undefined
      ? createAddressTable(setting.sqlite ?? '', setting.table, groups)
      : createAddressFile(setting.file, groups);
  return beside(server, createPermissionsEnforcer({ ...parts, name: server.name, rpc: server.rpc, book, groups }));
};
