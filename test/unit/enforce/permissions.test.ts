/** Written, reloaded one at a time, compared: against a server that can be made to misbehave. */
import { afterEach, expect, test } from 'vitest';
import type { AddressBook } from '../../../src/enforce/permissions/book.ts';
import { createPermissionsEnforcer } from '../../../src/enforce/permissions/enforcer.ts';
import type { PermissionsEnforcer } from '../../../src/enforce/permissions/enforcer.ts';
import type { Row } from '../../../src/enforce/permissions/rows.ts';
import { RpcError } from '../../../src/enforce/kamailio/door/rpc.ts';
import type { KamailioRpc } from '../../../src/enforce/kamailio/door/rpc.ts';
import type { Entry, ListEntry } from '../../../src/model/index.ts';

const GROUPS = { allow: 9_001, deny: 9_002 };
const SPACING = 120;
const listed = (kind: 'allow' | 'deny', subject: string): ListEntry => ({
  kind,
  subject,
  until: null,
  since: 0,
  origin: 'operator',
  reason: '',
  note: '',
  author: '',
});

/** A permissions module in memory, which reads the book when it is told to. */
const createServer = () => {
  const state = {
    loaded: true,
    book: [] as readonly Row[],
    held: [] as readonly Row[],
    reloads: [] as number[],
    refuse: '' as string,
    maxNetworks: 512,
    away: false,
    broken: '',
  };
  const answer = (method: string): unknown => {
    if (state.away) throw new RpcError('unreachable', `${method}: no connection.`);
    switch (method) {
      case 'core.modules':
        return state.loaded ? ['tm', 'permissions'] : ['tm'];
      case 'permissions.addressReload': {
        if (state.refuse !== '') throw new RpcError('rpc', `${method}: Kamailio answered 500 ${state.refuse}`, 500);
        state.reloads.push(performance.now());
        const single = state.book.filter(({ mask }) => mask === 32);
        state.held = [...single, ...state.book.filter(({ mask }) => mask < 32).slice(0, state.maxNetworks)];
        return 'Reload OK';
      }
      case 'permissions.addressDump':
        return state.held.filter(({ mask }) => mask === 32).map(({ group, ip }) => ({ group, item: { ip, port: 0 } }));
      case 'permissions.subnetDump':
        return state.held.filter(({ mask }) => mask < 32).map(({ group, ip, mask }) => ({ group, item: { ip, mask } }));
      default:
        throw new Error(method);
    }
  };
  const rpc = { call: async (method: string) => answer(method) } as unknown as KamailioRpc;
  const book: AddressBook = {
    place: 'the book',
    write: async (rows) => {
      if (state.broken !== '') throw new Error(state.broken);
      const isSame = JSON.stringify(rows) === JSON.stringify(state.book);
      state.book = rows;
      return !isSame;
    },
  };
  return { state, rpc, book };
};

const open: PermissionsEnforcer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map(async (one) => one.stop()));
});

const start = (server: ReturnType<typeof createServer>, ledger: Entry[], roundMs = 40) => {
  const warnings: string[] = [];
  const log = { info: () => undefined, warn: (fields: object) => void warnings.push(JSON.stringify(fields)) };
  const clock = { now: () => performance.now() };
  const { rpc, book } = server;
  const options = { name: 'kamailio', rpc, book, groups: GROUPS, clock, log, spacingMs: SPACING, roundMs };
  const enforcer = createPermissionsEnforcer({ ...options, desired: () => ledger });
  open.push(enforcer);
  const put = (...entries: readonly ListEntry[]): void => {
    ledger.push(...entries);
    enforcer.apply(entries.map((entry) => ({ op: 'put' as const, entry })));
  };
  return { enforcer, warnings, put };
};

test('the lists are written, loaded once, and then only looked after', async () => {
  const server = createServer();
  const { enforcer } = start(server, [listed('allow', '203.0.113.0/24'), listed('deny', '198.51.100.7/32')]);
  await expect.poll(() => enforcer.status().state).toBe('connected');
  expect(server.state.held).toHaveLength(2);
  expect(enforcer.status().entries).toEqual({ permissions_allow: 1, permissions_deny: 1, permissions_left: 0 });
  await new Promise((resolve) => setTimeout(resolve, 3 * SPACING));
  expect(server.state.reloads).toHaveLength(1);
  expect(await enforcer.holds('198.51.100.7')).toEqual(['denied by permissions: group 9002 holds 198.51.100.7/32']);
});

test('reloads stay apart, however fast the lists change, and the last state wins', async () => {
  const server = createServer();
  const { enforcer, put } = start(server, []);
  for (let n = 0; n < 30; n += 1) {
    put(listed('deny', `10.0.0.${n}/32`));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await expect.poll(() => server.state.held.length, { timeout: 3_000 }).toBe(30);
  const gaps = server.state.reloads.slice(1).map((at, index) => at - server.state.reloads[index]!);
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(SPACING - 2);
  await expect.poll(() => enforcer.status().state).toBe('connected');
});

test('a refused reload is tried again, without counting as trouble', async () => {
  const server = createServer();
  server.state.refuse = 'ongoing reload';
  const { enforcer, warnings } = start(server, [listed('deny', '10.0.0.1/32')]);
  await expect.poll(() => enforcer.counters()['permissions_reload_refused']).toBeGreaterThan(0);
  server.state.refuse = '';
  await expect.poll(() => server.state.held.length, { timeout: 3_000 }).toBe(1);
  await expect.poll(() => enforcer.status().state).toBe('connected');
  expect(warnings).toEqual([]);
});

test('what is wrong is said once, and mended when it can be', async () => {
  const server = createServer();
  server.state.refuse = 'Reload failed.';
  const { enforcer, warnings } = start(server, [listed('deny', '10.0.0.1/32')]);
  await expect.poll(() => enforcer.status().lastError).toMatch(/Reload failed.*wrong line in the book/);
  expect(enforcer.status().state).toBe('degraded');
  await new Promise((resolve) => setTimeout(resolve, 2 * SPACING));
  expect(warnings).toHaveLength(1);
  server.state.refuse = '';
  await expect.poll(() => enforcer.status().state, { timeout: 3_000 }).toBe('connected');
  server.state.broken = 'Cannot write: no space left';
  await expect.poll(() => enforcer.status().lastError).toContain('no space left');
  server.state.broken = '';
  server.state.away = true;
  await expect.poll(() => enforcer.status().state).toBe('down');
});

test('a full list of networks is found out, and not hammered', async () => {
  const server = createServer();
  server.state.maxNetworks = 2;
  const nets = ['10.1.0.0/16', '10.2.0.0/16', '10.3.0.0/16'].map((net) => listed('deny', net));
  const { enforcer } = start(server, nets);
  await expect.poll(() => enforcer.status().lastError).toMatch(/networks is full \(2\): 1 of our 3/);
  await new Promise((resolve) => setTimeout(resolve, 4 * SPACING));
  expect(server.state.reloads).toHaveLength(1);
  expect(enforcer.status()).toMatchObject({ state: 'degraded', drift: 1 });
});

test('what somebody else did to the server is mended', async () => {
  const server = createServer();
  const { enforcer } = start(server, [listed('allow', '10.0.0.1/32')]);
  await expect.poll(() => enforcer.status().state).toBe('connected');
  server.state.held = [];
  await expect.poll(() => server.state.held.length, { timeout: 3_000 }).toBe(1);
});

test('without the module nothing is reloaded, and it is said what to do', async () => {
  const server = createServer();
  server.state.loaded = false;
  const { enforcer } = start(server, [listed('allow', '10.0.0.1/32')]);
  await expect.poll(() => enforcer.status().lastError).toContain('COMPANION_PERMISSIONS');
  expect(server.state.reloads).toEqual([]);
  expect(await enforcer.holds('10.0.0.1')).toEqual([]);
});
