/** `nodes[].allowlist_only`: who is not known there gets no answer; its neighbour on the same companion answers everybody. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CheckReport } from '../../src/model/index.ts';
import { startCluster } from './kit/cluster.ts';
import type { Cluster, ClusterServer } from './kit/cluster.ts';
import { operate, until } from './kit/companion.ts';
import { requestText, statusOf } from './kit/sip-text.ts';
import { createUa } from './kit/ua.ts';
import type { Ua } from './kit/ua.ts';
import { openUdp } from './kit/udp-client.ts';
import { requires } from './requirements.ts';

const PHONE = '127.87.21.1';
/** Silence is heard for so long: an ask that nobody answers would have been challenged by then. */
const SILENT_MS = 1_500;
/** Tries on a machine that stands still meanwhile. */
const TRIES = 6;
/** A challenge has so much time on busy cores. */
const ANSWER_MS = 8_000;

requires(
  'kamailio',
  'kamailio-sqlite-modules',
  'kamailio-extra-modules',
)('a server for known phones only', () => {
  let cluster: Cluster;
  let closed: ClusterServer;
  let open: ClusterServer;
  let strangers = 0;
  const phones: Ua[] = [];

  beforeAll(async () => {
    cluster = await startCluster(
      [
        { name: 'closed', sip: '127.87.7.1:15060', secret: 'secret-of-the-closed', allowlistOnly: true },
        { name: 'open', sip: '127.87.7.2:15060', secret: 'secret-of-the-open' },
      ],
      [],
    );
    [closed, open] = cluster.servers as [ClusterServer, ClusterServer];
    await cluster.connected('closed', 'open');
  }, 60_000);
  afterAll(async () => {
    for (const phone of phones) phone.close();
    await cluster?.stop();
  });

  const counter = async (server: ClusterServer, name: string): Promise<number> =>
    Number((await server.get('companion_meta', `c.${name}`)) ?? 0);
  const asked = async (server: ClusterServer): Promise<number> => counter(server, 'ask');

  /** Nobody answers this, but where Kamailio went on without a verdict, as it must when none comes in 400 ms: then again. */
  const isShutOut = async (attempt: () => Promise<number>): Promise<void> => {
    const wentOn = async (): Promise<number> =>
      (await counter(closed, 'ask_timeout')) + (await counter(closed, 'unasked'));
    for (let tries = 1; ; tries += 1) {
      const before = await wentOn();
      const status = await attempt();
      if (status === 0) return;
      if (tries === TRIES || (await wentOn()) === before) expect(status).toBe(0);
    }
  };

  /** A request of somebody new. @returns the status of the first answer; 0 for silence */
  const stranger = async ({ server }: ClusterServer, method: string, withinMs: number): Promise<number> => {
    strangers += 1;
    const client = await openUdp(`127.87.20.${strangers}`, server);
    const aor = `sip:alice@${server.ip}`;
    const answer = await client.ask(
      requestText({ method, uri: `sip:${server.ip}`, from: aor, to: aor, local: client.local }),
      { withinMs },
    );
    client.close();
    return statusOf(answer ?? '');
  };
  const phoneAt = async ({ server }: ClusterServer, password = 'secret', deadlineMs = ANSWER_MS): Promise<Ua> => {
    const phone = await createUa({
      server: `${server.ip}:${server.port}`,
      from: PHONE,
      user: 'alice',
      password,
      deadlineMs,
    });
    phones.push(phone);
    return phone;
  };

  test.each(['REGISTER', 'INVITE', 'OPTIONS', 'SUBSCRIBE'])(
    "a stranger's %s is asked about and gets silence; next door it is answered",
    async (method) => {
      const before = await asked(closed);
      await isShutOut(async () => stranger(closed, method, SILENT_MS));
      expect(await asked(closed)).toBeGreaterThan(before);
      expect(await stranger(open, method, ANSWER_MS)).toBeGreaterThan(0);
    },
  );

  /** A phone with the right password at an address that nobody knows. */
  const newPhone = async (transport: 'udp' | 'tcp'): Promise<number> => {
    strangers += 1;
    const { ip, port } = closed.server;
    const from = `127.87.22.${strangers}`;
    const server = `${ip}:${port}`;
    const phone = await createUa({ server, from, user: 'alice', password: 'secret', transport, deadlineMs: SILENT_MS });
    const { status } = await phone.register();
    phone.close();
    return status;
  };

  test('nor over TCP, nor for a password', async () => {
    await isShutOut(async () => newPhone('tcp'));
    await isShutOut(async () => newPhone('udp'));
  });

  test('silence is no ban: what a stranger does is judged as anywhere', async () => {
    expect(await operate<CheckReport>(cluster, 'check', { ip: '127.87.20.1' })).toMatchObject({ result: 'clear' });
  });

  test('the address on the allow list opens it, and a wrong password is refused there too', async () => {
    await operate(cluster, 'allow.add', { subject: PHONE, note: 'new phone' });
    await until('the entry is a key', async () => (await closed.get('companion_net', `a${PHONE}`)) !== undefined);
    expect((await (await phoneAt(closed, 'wrong')).register()).status).toBeGreaterThanOrEqual(400);
    expect(await (await phoneAt(closed)).register()).toMatchObject({ status: 200 });
  });

  test('who is registered stays in without the entry, also with a new socket at that address', async () => {
    await operate(cluster, 'allow.remove', { subject: PHONE });
    await until('the key is gone', async () => (await closed.get('companion_net', `a${PHONE}`)) === undefined);
    expect(await phones.at(-1)!.register()).toMatchObject({ status: 200 });
    expect(await (await phoneAt(closed)).register()).toMatchObject({ status: 200 });
    // and nobody else
    await isShutOut(async () => stranger(closed, 'REGISTER', SILENT_MS));
  });

  test('who has signed off is a stranger again', async () => {
    const signedOff = async (): Promise<void> => {
      for (const phone of phones) await phone.register(0);
      await until(
        'no key says that it is known',
        async () => (await closed.count('companion_good')) === 0,
        20_000,
        100,
      );
    };
    await signedOff();
    await isShutOut(async () => {
      const { status } = await (await phoneAt(closed, 'secret', SILENT_MS)).register();
      if (status !== 0) await signedOff();
      return status;
    });
  });
});
