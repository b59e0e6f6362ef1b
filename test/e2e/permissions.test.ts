/** Allow and deny lists as groups of Kamailio's permissions module: in its address file, and in its sqlite table. */
import Database from 'better-sqlite3';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StatusReport } from '../../src/model/index.ts';
import { figure, logOf, operate, until } from './kit/companion.ts';
import { defining, reconfigure, resettle } from './kit/reconfigure.ts';
import { PHONE_AGENT, requestText, statusOf } from './kit/sip-text.ts';
import { openStockBed } from './kit/stock.ts';
import { openTestbed } from './kit/testbed.ts';
import type { Testbed } from './kit/testbed.ts';
import { createUa } from './kit/ua.ts';
import { openUdp } from './kit/udp-client.ts';
import { requires } from './requirements.ts';

const USERS = { alice: 'wonderland', bob: 'builder' };
/** Companion gathers, waits for reload_delta (5 s), reloads. */
const LOADED_WITHIN_MS = 20_000;
const OWN_GROUPS = [9_001, 9_002];

interface Item {
  readonly group: number;
  readonly item: { readonly ip: string; readonly mask?: number };
}

/** What Kamailio has loaded, as `9001 10.0.0.0/8`. */
const heldBy = async (bed: Testbed): Promise<readonly string[]> => {
  const lists = await Promise.all([
    bed.door.call<readonly Item[]>('permissions.addressDump'),
    bed.door.call<readonly Item[]>('permissions.subnetDump'),
  ]);
  return lists.flat().map(({ group, item }) => `${group} ${item.ip}${item.mask === undefined ? '' : `/${item.mask}`}`);
};
const ownOf = (held: readonly string[]): readonly string[] =>
  held.filter((row) => OWN_GROUPS.includes(Number(row.split(' ')[0]))).toSorted();
const nodeOf = async (bed: Testbed) => (await operate<StatusReport>(bed.lab, 'status')).nodes[0]!;
const addTo = async (bed: Testbed, list: 'allow' | 'deny', ...subjects: readonly string[]): Promise<void> => {
  for (const subject of subjects) await operate(bed.lab, `${list}.add`, { subject, note: '', author: 'test' });
};
const untilHeld = async (bed: Testbed, ...rows: readonly string[]): Promise<number> =>
  until(
    `Kamailio holds ${rows.join(', ')}`,
    async () => JSON.stringify(ownOf(await heldBy(bed))) === JSON.stringify(rows.toSorted()),
    LOADED_WITHIN_MS,
    200,
  );
/** The status of the answer to one request without credentials; 0 for none. */
const answerTo = async (bed: Testbed, ip: string, method: string): Promise<number> => {
  const client = await openUdp(ip, bed.server);
  const uri = method === 'REGISTER' ? `sip:${bed.domain}` : `sip:bob@${bed.domain}`;
  const aor = `sip:alice@${bed.domain}`;
  const to = method === 'REGISTER' ? aor : uri;
  const text = requestText({ method, uri, from: aor, to, local: client.local, agent: PHONE_AGENT });
  const answer = await client.ask(text, { withinMs: 700, fits: (one) => statusOf(one) >= 200 });
  client.close();
  return statusOf(answer ?? '');
};

requires(
  'kamailio',
  'kamailio-extra-modules',
  'kamailio-utils-modules',
  'kamailio-sqlite-modules',
)('the permissions module', () => {
  describe('with an address file', () => {
    const NET = '127.84.2';
    const OPERATORS = '# ours\n1 127.84.2.90 32 0 gateway\n\t2  10.9.9.0   24 0 mine\r\n7 10.8.0.0 16 5060';
    const folder = mkdtempSync(join(tmpdir(), 'permissions-'));
    const file = join(folder, 'address.list');
    let bed: Testbed;
    beforeAll(async () => {
      writeFileSync(file, '');
      bed = await openTestbed({ sip: `${NET}.1:15060`, users: USERS, yaml: 'decide: {ban_private: true}\n' });
      await reconfigure(bed.lab, (text) =>
        defining('COMPANION_PERMISSIONS')(defining(`COMPANION_PERMISSIONS_FILE "${file}"`)(text)),
      );
    });
    afterAll(async () => {
      await bed?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    test('Kamailio starts with an empty file, and companion finds what the operator writes there', async () => {
      expect(await heldBy(bed)).toEqual([]);
      writeFileSync(file, OPERATORS, { mode: 0o640 });
      await resettle(bed.lab, (yaml) => `${yaml}permissions: [{ file: ${file} }]\n`);
      await until('it has written', () => readFileSync(file, 'latin1').includes('# companion'));
      expect(readFileSync(file, 'latin1').startsWith(OPERATORS)).toBe(true);
    });

    test('the lists are loaded, IPv4 and IPv6, addresses and networks; other groups are untouched', async () => {
      const mode = statSync(file).mode;
      await addTo(bed, 'allow', `${NET}.50`, '203.0.113.0/25', '2001:db8:8000::/33', '2001:db8:2::5');
      await addTo(bed, 'deny', `${NET}.60`, '127.84.3.0/24', '198.51.100.0/22');
      const ms = await untilHeld(
        bed,
        `9001 ${NET}.50`,
        '9001 203.0.113.0/25',
        '9001 2001:db8:8000::/33',
        '9001 2001:db8:2::/64',
        `9002 ${NET}.60`,
        '9002 127.84.3.0/24',
        '9002 198.51.100.0/22',
      );
      figure('permissions', { loadedAfterMs: ms });
      const text = readFileSync(file, 'latin1');
      expect(text.startsWith(`${OPERATORS}\n`)).toBe(true);
      expect(statSync(file).mode).toBe(mode);
      expect(await heldBy(bed)).toEqual(expect.arrayContaining(['1 127.84.2.90', '2 10.9.9.0/24', '7 10.8.0.0/16']));
      await until('it says so', async () => (await nodeOf(bed)).state === 'connected');
      const { entries } = await nodeOf(bed);
      expect(entries).toMatchObject({ permissions_allow: 4, permissions_deny: 3 });
      const why = await bed.why('127.84.3.9');
      expect(why.enforced.flatMap(({ holds }) => holds).join()).toContain('group 9002 holds 127.84.3.0/24');
    });

    test('the groups alone decide: denied is dropped, allowed is served though banned, digest is never skipped', async () => {
      process.kill(bed.lab.pids().companion, 'SIGSTOP');
      try {
        for (const key of (await bed.door.keys('companion_net')).keys())
          await bed.door.call('htable.delete', 'companion_net', key);
        await bed.door.call('htable.setxs', 'ipban', `${NET}.50`, 'somebody', 60);
        await bed.door.call('htable.setxs', 'ipban', `${NET}.90`, 'somebody', 60);
        const methods = ['REGISTER', 'INVITE', 'MESSAGE', 'SUBSCRIBE', 'BYE', 'REFER'];
        const allowed = await Promise.all(methods.map(async (method) => answerTo(bed, `${NET}.50`, method)));
        const [denied, deniedNet, banned] = await Promise.all(
          [`${NET}.60`, '127.84.3.7', `${NET}.90`].map(async (ip) => answerTo(bed, ip, 'REGISTER')),
        );
        const stranger = await answerTo(bed, `${NET}.70`, 'REGISTER');
        figure('permissions', { allowed, denied, deniedNet, banned, stranger });
        expect(allowed).toEqual([401, 407, 407, 407, 407, 407]);
        expect([denied, deniedNet]).toEqual([0, 0]);
        // a group of the operator's own means nothing to us
        expect(banned).toBe(0);
        expect(stranger).toBe(401);
        const right = { server: bed.lab.ready.sip, from: `${NET}.50`, user: 'alice', password: USERS.alice };
        const alice = await createUa(right);
        const wrong = await createUa({ ...right, password: 'guess' });
        const statuses = [(await alice.register()).status, (await wrong.register()).status];
        expect(statuses).toEqual([200, 401]);
        alice.close();
        wrong.close();
      } finally {
        process.kill(bed.lab.pids().companion, 'SIGCONT');
      }
    });

    test('reloads stay apart, also from those of the operator, and entries go as they came', async () => {
      const before = logOf(bed.lab, 'kamailio').length;
      await until(
        'the operator reloads',
        async () =>
          bed.door.call('permissions.addressReload').then(
            () => true,
            () => false,
          ),
        10_000,
        500,
      );
      for (const subject of ['203.0.113.0/25', '2001:db8:8000::/33', '2001:db8:2::5', `${NET}.50`])
        await operate(bed.lab, 'allow.remove', { subject, author: 'test' });
      for (const subject of [`${NET}.60`, '127.84.3.0/24'])
        await operate(bed.lab, 'deny.remove', { subject, author: 'test' });
      const ms = await untilHeld(bed, '9002 198.51.100.0/22');
      figure('permissions', { removedAfterMs: ms });
      const complaints = logOf(bed.lab, 'kamailio').slice(before).split('\n');
      expect(complaints.filter((line) => /\b(?:ERROR|CRITICAL)\b/.test(line) && !/ongoing reload/.test(line))).toEqual(
        [],
      );
      await operate(bed.lab, 'deny.remove', { subject: '198.51.100.0/22', author: 'test' });
      await untilHeld(bed);
      const [lines, ours] = readFileSync(file, 'latin1').split('# companion');
      expect(lines).toBe(`${OPERATORS}\n`);
      expect(ours?.split('\n')).toHaveLength(2);
    });

    test('a full list of networks is told, and never costs the operator one of his', async () => {
      const nets = Array.from({ length: 600 }, (_, n) => `10.${20 + (n >> 8)}.${n & 255}.0/24`);
      await resettle(bed.lab, (yaml) => `${yaml}deny: [${nets.map((net) => `'${net}'`).join(', ')}]\n`);
      await until('it says so', async () => /max_subnets/.test((await nodeOf(bed)).lastError), LOADED_WITHIN_MS);
      const node = await nodeOf(bed);
      const held = await heldBy(bed);
      figure('permissions full', { held: held.length, says: node.lastError });
      expect(node.state).toBe('degraded');
      expect(held).toEqual(expect.arrayContaining(['1 127.84.2.90', '2 10.9.9.0/24', '7 10.8.0.0/16']));
      // still, nothing of it is let through: the other tables hold what does not fit there
      expect(await bed.check('10.22.80.1')).toMatchObject({ result: 'blocked' });
    });
  });

  describe('with a sqlite table', () => {
    const NET = '127.84.4';
    let bed: Testbed;
    let database: Database.Database;
    beforeAll(async () => {
      bed = await openStockBed({
        sip: `${NET}.1:15060`,
        users: USERS,
        yaml: 'decide: {ban_private: true}\n',
        defines: ['WITH_AUTH', 'WITH_IPAUTH', 'WITH_USRLOCDB'],
        trusted: [
          [1, `${NET}.90`, 32],
          [5, '10.9.0.0', 16],
        ],
      });
      const file = join(bed.lab.directory, 'kamailio.sqlite');
      database = new Database(file, { timeout: 5_000 });
      await resettle(bed.lab, (yaml) => `${yaml}permissions: [{ sqlite: ${file} }]\n`);
    });
    afterAll(async () => {
      database?.close();
      await bed?.stop();
    });
    const rows = (): readonly string[] =>
      (
        database.prepare('SELECT id, grp, ip_addr, mask FROM address ORDER BY id').all() as Record<string, unknown>[]
      ).map(({ id, grp, ip_addr: ip, mask }) => `${String(id)}: ${String(grp)} ${String(ip)}/${String(mask)}`);

    test('the lists are loaded; rows of the operator stay first, and as they are', async () => {
      await addTo(bed, 'allow', `${NET}.50`, '203.0.113.0/25');
      await addTo(bed, 'deny', '127.84.5.0/24', '2001:db8::/33');
      const wanted = [`9001 ${NET}.50`, '9001 203.0.113.0/25', '9002 127.84.5.0/24', '9002 2001:db8::/33'];
      const ms = await untilHeld(bed, ...wanted);
      figure('permissions sqlite', { loadedAfterMs: ms, rows: rows() });
      expect(rows().slice(0, 2)).toEqual([`1: 1 ${NET}.90/32`, '2: 5 10.9.0.0/16']);
      expect(rows()).toHaveLength(6);
      await until('it says so', async () => (await nodeOf(bed)).state === 'connected');
    });

    test("an allow entry skips no digest, also where the operator's own group does", async () => {
      const methods = ['REGISTER', 'INVITE', 'MESSAGE', 'SUBSCRIBE'];
      const allowed = await Promise.all(methods.map(async (method) => answerTo(bed, `${NET}.50`, method)));
      const gateway = await answerTo(bed, `${NET}.90`, 'INVITE');
      const denied = await answerTo(bed, '127.84.5.7', 'REGISTER');
      figure('permissions sqlite', { allowed, gateway, denied });
      expect(allowed).toEqual([401, 407, 407, 407]);
      // let in without digest: bob is not registered
      expect(gateway).toBe(480);
      expect(denied).toBe(0);
    });
  });
});
