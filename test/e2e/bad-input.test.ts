/** Whatever is wrong is said in a clear sentence, and nothing is lost: Show line 3 of the product, seen from outside. */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { TestContext } from 'vitest';
import type { BanRow, CheckReport, StatusReport } from '../../src/model/index.ts';
import { FakeKamailio } from '../unit/enforce/fake-kamailio.ts';
import type { Misbehaviour } from '../unit/enforce/fake-kamailio.ts';
import { listOf, operate, until } from './kit/companion.ts';
import { prepareService } from './kit/service.ts';
import type { Service } from './kit/service.ts';
import { requires } from './requirements.ts';

const NET = '127.83.100';
/** Of the HTTP door, everywhere. */
const PORT = 2_020;
let last = 0;

/** What one test may use; whatever it opened is closed after it. The tests run beside each other. */
const workshop = ({ onTestFinished }: Pick<TestContext, 'onTestFinished'>) => {
  const close = (act: () => unknown): void => onTestFinished(async () => void (await act()));
  return {
    close,
    service: (options: { readonly state?: string; readonly through?: readonly string[] } = {}): Service => {
      last += 1;
      const one = prepareService({ host: `${NET}.${last}`, ...options });
      close(async () => one.close());
      return one;
    },
  };
};
type Workshop = ReturnType<typeof workshop>;

const subjects = async (one: Service): Promise<readonly string[]> =>
  (await listOf<BanRow>(one, 'ban.list')).map(({ subject }) => subject).toSorted();
const stateOf = async (one: Service, ip: string): Promise<string> =>
  (await operate<CheckReport>(one, 'check', { ip })).state;
const banned = async (one: Service, subject: string): Promise<unknown> =>
  operate(one, 'ban.add', { subject, reason: 'test', author: 'test' });
const statusOf = async (one: Service): Promise<StatusReport> => operate(one, 'status');

interface Answer {
  readonly status: number;
  readonly text: string;
}
const post = async (
  host: string,
  path: string,
  token: string,
  body: Buffer | string,
  chunked = false,
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const headers = {
      ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
      ...(chunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': Buffer.byteLength(body) }),
    };
    const asked = request({ host, port: PORT, path, method: 'POST', headers, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    // whoever is refused while sending may find the connection closed
    asked.on('error', (error: NodeJS.ErrnoException) =>
      /EPIPE|ECONNRESET/.test(error.code ?? '') ? resolve({ status: -1, text: '' }) : reject(error),
    );
    asked.end(body);
  });

describe.concurrent('a configuration', () => {
  test.concurrent('with unknown keys, wrong networks and wrong values: every mistake at once, with its place, and nothing is made', async (context) => {
    const { service } = workshop(context);
    const one = service();
    const yaml = [
      'decide: { ban_tim: 1h, quarantine_time: soon }',
      'allow: [203.0.113.0/33, 300.1.2.3]',
      'detect: { enumeration: { distinct: many } }',
      'colour: red',
    ];
    expect(await one.start(yaml.join('\n'))).toBe(1);
    const complaint = one.output();
    expect(complaint).toMatch(/^companion: CONFIG_INVALID /);
    for (const mistake of [
      /companion\.yaml:\d+:\d+ decide\.ban_tim /,
      /companion\.yaml:\d+:\d+ decide\.quarantine_time .*soon/,
      /companion\.yaml:\d+:\d+ allow\S* .*203\.0\.113\.0\/33/,
      /companion\.yaml:\d+:\d+ allow\S* .*300\.1\.2\.3/,
      /companion\.yaml:\d+:\d+ detect\.enumeration\.distinct /,
      /companion\.yaml:\d+:\d+ colour /,
    ])
      expect(complaint).toMatch(mistake);
    expect(readdirSync(one.state)).toEqual([]);
  });
});

describe.concurrent('rows that cannot be read', () => {
  test.concurrent('are named with file, line and reason; the others are taken', async (context) => {
    const { service } = workshop(context);
    const one = service();
    expect(await one.start()).toBeUndefined();
    const file = join(one.state, '..', 'bans.csv');
    const rows = [
      'IP,Note,Until',
      '203.0.113.1,fine,2999-01-01T00:00:00Z',
      '203.0.113.0/99,wrong length,',
      'sip:evil@example.com,no address,',
      '203.0.113.2,wrong time,tomorrow',
      ',nothing,',
      '127.0.0.1,this machine,',
      '"203.0.113.3","\u001b[2J=cmd()",permanent',
      '2001:db8::/32,a network,permanent',
    ];
    writeFileSync(file, rows.join('\r\n'));
    const { code, stdout } = await one.command('ban', 'import', file);
    expect(code).toBe(1);
    const said = (line: number, what: RegExp): void => {
      const found = stdout.split('\n').find((text) => text.includes(`bans.csv:${line}`));
      expect(found).toMatch(what);
    };
    said(3, /203\.0\.113\.0\/99/);
    said(4, /sip:evil@example\.com/);
    said(5, /'tomorrow' is not a time/);
    said(6, /no address/);
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toMatch(/\d rows added, \d not taken\./);
    const held = await subjects(one);
    expect(held).toEqual(expect.arrayContaining(['203.0.113.1', '203.0.113.3', '2001:db8::/32']));
    expect(held).not.toContain('203.0.113.2');
    for (const bad of ['203.0.113.0/99', 'x'])
      expect((await one.command('ban', 'add', bad)).stderr).toMatch(/^companion: ADDRESS_INVALID .+\./);
  });
});

describe.concurrent('a database', () => {
  const bans = Array.from({ length: 60 }, (_, n) => `203.0.113.${n + 1}`);
  const filled = async ({ service }: Workshop): Promise<{ readonly one: Service; readonly file: string }> => {
    const one = service();
    expect(await one.start()).toBeUndefined();
    const list = join(one.state, '..', 'bans.csv');
    writeFileSync(list, bans.join('\n'));
    expect((await one.command('ban', 'import', list)).code).toBe(0);
    expect((await one.command('allow', 'add', '198.51.100.0/24')).code).toBe(0);
    expect(await one.end()).toBe(0);
    return { one, file: join(one.state, 'companion.sqlite') };
  };

  test.concurrent('with damaged pages is kept aside and named, and what can be read of it stands again', async (context) => {
    const { one, file } = await filled(workshop(context));
    const bytes = readFileSync(file);
    // the pages in the middle: rows of bans and their indexes
    const page = 4_096 * Math.floor(bytes.length / 4_096 / 2);
    bytes.fill(0xa5, page, page + 2 * 4_096);
    writeFileSync(file, bytes);
    expect(await one.start()).toBeUndefined();
    const [aside] = readdirSync(one.state).filter((name) => /\.corrupt-[^.]+$/.test(name));
    expect(aside).toBeDefined();
    expect(readFileSync(join(one.state, aside!)).equals(bytes)).toBe(true);
    const line = one.log().find(({ event }) => event === 'store-damaged');
    expect(line?.msg).toMatch(
      /The database .* was damaged .* kept as .*\.corrupt-.* what could still be read: \d+ entries/,
    );
    expect((await statusOf(one)).database).toBe(line?.msg);
    expect((await one.command('status')).stdout).toContain('was damaged');
    const held = await subjects(one);
    expect(held.length).toBeGreaterThan(20);
    expect(held.filter((subject) => !bans.includes(subject))).toEqual([]);
    expect(await stateOf(one, '198.51.100.9')).toBe('allowed');
    // the new one is a database like any other
    await banned(one, '192.0.2.1');
    expect(await one.end()).toBe(0);
    expect(await one.start()).toBeUndefined();
    expect(await subjects(one)).toEqual([...held, '192.0.2.1'].toSorted());
    expect((await statusOf(one)).database).toBeUndefined();
  });

  test.concurrent('that is something else, or of a newer version: the first is kept aside, the second is left alone', async (context) => {
    const { one, file } = await filled(workshop(context));
    const newer = readFileSync(file);
    newer.writeUInt32BE(99, 60);
    writeFileSync(file, newer);
    expect(await one.start()).toBe(1);
    expect(one.output()).toMatch(/^companion: STORE_FAILED .* newer companion .* Install that version again/m);
    expect(readFileSync(file).equals(newer)).toBe(true);
    writeFileSync(file, 'no database at all\n'.repeat(1_000));
    expect(await one.start()).toBeUndefined();
    expect(one.output()).toMatch(/was damaged .*not a database.* kept as .* nothing/);
    expect(await subjects(one)).toEqual([]);
  });
});

describe.concurrent('files of the state directory', () => {
  test.concurrent('that others may read, or that are cut short, are named with what to do', async (context) => {
    const { service } = workshop(context);
    const one = service();
    expect(await one.start()).toBeUndefined();
    expect(await one.end()).toBe(0);
    const secret = join(one.state, 'secret');
    const before = readFileSync(secret);
    writeFileSync(secret, before.subarray(0, 20));
    expect(await one.start()).toBe(1);
    expect(one.output()).toMatch(/STORE_FAILED Cannot use the secret file .*secret: it does not hold 64 .* Restore it/);
    writeFileSync(secret, before);
    writeFileSync(join(one.state, 'tokens.json'), '{"tokens":[', { mode: 0o600 });
    expect(await one.start()).toBe(1);
    expect(one.output()).toMatch(/STORE_FAILED Cannot use the token file .*: it is damaged\. Restore it/);
    expect(readFileSync(join(one.state, 'tokens.json'), 'utf8')).toBe('{"tokens":[');
  });
});

describe.concurrent('a disk', () =>
  requires('root', 'unshare')('that is full', () => {
    /** A small file system that only the service sees, and its way in; from here it is below /proc. */
    const smallDisk = async ({
      close,
    }: Workshop): Promise<{
      readonly state: string;
      readonly through: string[];
      readonly seen: string;
    }> => {
      const mount = mkdtempSync(join(tmpdir(), 'full-'));
      close(() => rmSync(mount, { recursive: true, force: true }));
      const script = 'mount -t tmpfs -o size=2m,mode=700 tmpfs "$0" && echo ready && exec sleep 120';
      const holder = spawn('unshare', ['-m', '--propagation', 'private', 'sh', '-c', script, mount]);
      close(() => holder.kill('SIGKILL'));
      await once(holder.stdout, 'data', { signal: AbortSignal.timeout(5_000) });
      const seen = `/proc/${holder.pid}/root${mount}`;
      return { state: mount, through: ['nsenter', '-t', String(holder.pid), '-m'], seen };
    };
    const fill = (seen: string): void => {
      try {
        for (let n = 0; ; n += 1) writeFileSync(join(seen, `filler-${n}`), Buffer.alloc(4_096));
      } catch (error) {
        expect(String(error)).toContain('ENOSPC');
      }
    };
    const makeRoom = (seen: string): void => {
      for (const name of readdirSync(seen)) if (name.startsWith('filler')) rmSync(join(seen, name));
    };

    test.concurrent('it goes on judging and says so, also started anew; nothing that was stored is lost, the rest is written later', async (context) => {
      const shop = workshop(context);
      const disk = await smallDisk(shop);
      const one = shop.service(disk);
      expect(await one.start()).toBeUndefined();
      await banned(one, '203.0.113.1');
      expect(await one.end()).toBe(0);
      expect(await one.start()).toBeUndefined();
      await banned(one, '203.0.113.2');
      await until('it is written', () => statSync(join(disk.seen, 'companion.sqlite-wal')).size > 0);

      fill(disk.seen);
      const many = Array.from({ length: 400 }, (_, n) => `198.51.100.${n % 200}/32 ${'a long reason '.repeat(15)}`);
      const list = join(one.ready.socket, '..', 'bans.csv');
      writeFileSync(list, many.join('\n'));
      expect((await one.command('ban', 'import', list)).code).toBe(0);
      expect(await stateOf(one, '198.51.100.7')).toBe('banned');
      const troubled = async (): Promise<string> => (await statusOf(one)).database ?? '';
      await until('it says so', async () => (await troubled()) !== '');
      expect(await troubled()).toMatch(
        /Cannot use the database .*Check that the disk has room.* \d+ changes wait in memory/,
      );
      const said = (): number => one.log().filter(({ event }) => event === 'store-failing').length;
      await until('the log says so', () => said() > 0);
      expect(said()).toBe(1);
      // a token is on disk or it is not made
      const refused = await one.command('token', 'add', 'grafana');
      expect([refused.code, refused.stderr]).toEqual([
        1,
        expect.stringMatching(/STORE_FAILED .*ENOSPC.*Nothing was changed/),
      ]);
      expect(readdirSync(disk.seen).filter((name) => name.startsWith('tokens.json'))).toEqual([]);

      // with room again it is written, without being asked
      makeRoom(disk.seen);
      await until('it recovers', async () => (await troubled()) === '', 15_000, 200);
      await until('the log says that, too', () => one.log().some(({ event }) => event === 'store-recovered'));
      const held = await subjects(one);
      expect(held).toHaveLength(202);

      // killed, and started on a disk without a free byte
      fill(disk.seen);
      await one.end('SIGKILL');
      fill(disk.seen);
      expect(await one.start()).toBeUndefined();
      expect(await subjects(one)).toEqual(held);
      await banned(one, '192.0.2.99');
      expect(await stateOf(one, '192.0.2.99')).toBe('banned');
      makeRoom(disk.seen);
      expect(await one.end()).toBe(0);
      expect(await one.start()).toBeUndefined();
      expect(await subjects(one)).toEqual([...held, '192.0.2.99'].toSorted());
    });

    test.concurrent('from the first start: a sentence, and no half-written file is left', async (context) => {
      const shop = workshop(context);
      const disk = await smallDisk(shop);
      const one = shop.service(disk);
      fill(disk.seen);
      expect(await one.start()).toBe(1);
      expect(one.output()).toMatch(/^companion: STORE_FAILED Cannot use .*ENOSPC.* Make room on its disk/);
      makeRoom(disk.seen);
      expect(readdirSync(disk.seen)).toEqual([]);
      expect(await one.start()).toBeUndefined();
    });
  }));

describe.concurrent('a port in use', () => {
  const NODE = 'nodes: [{ name: pbx }]';
  const taken = async ({ close }: Workshop, host: string, port: number, kind: 'udp' | 'tcp'): Promise<void> => {
    if (kind === 'udp') {
      const socket = createSocket('udp4');
      socket.bind(port, host);
      await once(socket, 'listening');
      close(() => socket.close());
    } else {
      const server = createServer().listen(port, host);
      await once(server, 'listening');
      close(() => server.close());
    }
  };

  test.concurrent.for([
    ['asks', 27_900, 'udp', /Cannot listen for SIP servers on udp [\d.]+:27900: another program .*hook\.ask_port/],
    ['tells', 27_901, 'udp', /Cannot listen for SIP servers on udp [\d.]+:27901: another program .*hook\.tell_port/],
    ['HTTP', 2_020, 'tcp', /Cannot listen for HTTP on [\d.]+:2020: another program .*http\.listen/],
  ] as const)('for %s is named with its setting, and the service ends', async ([, port, kind, sentence], context) => {
    const shop = workshop(context);
    const one = shop.service();
    await taken(shop, one.host, port, kind);
    expect(await one.start(NODE)).toBe(1);
    expect(one.output()).toMatch(/^companion: PORT_IN_USE /m);
    expect(one.output()).toMatch(sentence);
  });

  test.concurrent('a second companion at the same socket ends; the first goes on', async (context) => {
    const { service } = workshop(context);
    const one = service();
    expect(await one.start()).toBeUndefined();
    const other = service({ state: join(one.state, '..', 'other') });
    expect(await other.start(`socket: ${one.ready.socket}`)).toBe(1);
    expect(other.output()).toMatch(/PORT_IN_USE Cannot open the control socket .*: another companion is running there/);
    expect((await one.command('status')).code).toBe(0);
  });

  test.concurrent('an address that this machine does not have is not called a port in use', async (context) => {
    const { service } = workshop(context);
    const one = service();
    expect(await one.start(`${NODE}\nhook: { listen: 192.0.2.77 }`)).toBe(1);
    expect(one.output()).toMatch(/192\.0\.2\.77:27900: this machine does not have that address\. Set hook\.listen/);
  });
});

test.concurrent('a Kamailio that refuses, answers nonsense or hangs is told apart, hurts no other server, and gets all once it can', async (context) => {
  const { service, close } = workshop(context);
  const [bad, good] = [new FakeKamailio(), new FakeKamailio()];
  await Promise.all([bad.start(), good.start()]);
  close(async () => Promise.all([bad.stop(), good.stop()]));
  const hanging: (() => void)[] = [];
  const nonsense: Readonly<Record<string, readonly [Misbehaviour, RegExp]>> = {
    'a wrong token': [(_call, response) => Boolean(response.writeHead(401).end('no')), /refused the token.* secret/],
    'a closed door': [
      (_call, response) => Boolean(response.writeHead(403).end('')),
      /does not let this method or address in/,
    ],
    'no RPC at this path': [
      (_call, response) => Boolean(response.writeHead(404).end('<html>')),
      /nothing listens at this path/,
    ],
    HTML: [(_call, response) => Boolean(response.end('<html>It works!</html>')), /the answer is not JSON/],
    'other JSON': [(_call, response) => Boolean(response.end('[1,{"a":null}]')), /the answer is not JSON-RPC/],
    'an endless answer': [
      (_call, response) => Boolean(response.end('x'.repeat(3_000_000))),
      /the answer is too long|not JSON/,
    ],
    'results of other shapes': [
      ({ method }, response) =>
        Boolean(
          response.end(
            JSON.stringify({ jsonrpc: '2.0', id: 1, result: method === 'core.uptime' ? 'soon' : [null, 7] }),
          ),
        ),
      /the answer has no up_since/,
    ],
    silence: [(_call, response) => Boolean(hanging.push(() => response.destroy())), /no answer from .* within \d+ ms/],
  };
  const one = service();
  const nodes = [bad, good].map(({ url }, n) => `{ name: ${n === 0 ? 'bad' : 'good'}, rpc: '${url}' }`);
  const [[, [first]]] = Object.entries(nonsense) as [[string, readonly [Misbehaviour, RegExp]]];
  bad.misbehave = first;
  expect(await one.start(`nodes: [${nodes.join(', ')}]`)).toBeUndefined();
  const nodeOf = async (name: string) => (await statusOf(one)).nodes.find((node) => node.name === name)!;
  for (const [what, [misbehave, sentence]] of Object.entries(nonsense)) {
    bad.misbehave = misbehave;
    await until(`${what} is said`, async () => sentence.test((await nodeOf('bad')).lastError), 10_000, 100);
    const { state, lastError } = await nodeOf('bad');
    expect([what, state, lastError.length < 400]).toEqual([what, 'down', true]);
  }
  // what is decided meanwhile is enforced where it can be, and not forgotten for the other
  await banned(one, '203.0.113.5');
  await until('the good one has it', () => good.table('ipban').has('203.0.113.5'));
  expect((await nodeOf('good')).state).toBe('degraded');
  expect(bad.table('ipban').size).toBe(0);
  bad.misbehave = () => false;
  for (const end of hanging) end();
  await until('the other has it', () => bad.table('ipban').has('203.0.113.5'));
  expect(one.log().filter(({ level }) => Number(level) >= 50)).toEqual([]);
});

describe.concurrent('the API', () => {
  test.concurrent('without a token, with a wrong one, with 10 MB, with half a request: an answer or the end, and others are served', async (context) => {
    const { service, close } = workshop(context);
    const one = service();
    expect(await one.start()).toBeUndefined();
    const { host } = one;
    const port = PORT;
    const { token } = one.ready;
    const ban = '{"subject":"203.0.113.9"}';

    // slow clients: a byte now and then, headers or body; and some that say nothing
    const slow: { readonly socket: Socket; readonly kind: string; endedAt: number; text: string }[] = [];
    const began = performance.now();
    for (const kind of ['headers', 'body', 'silent'])
      for (let n = 0; n < 10; n += 1) {
        const socket = connect(port, host);
        const client = { socket, kind, endedAt: 0, text: '' };
        socket.on('error', () => undefined);
        socket.on('data', (chunk: Buffer) => (client.text += chunk.toString()));
        socket.on('close', () => (client.endedAt = performance.now() - began));
        if (kind === 'headers') socket.write('POST /v1/bans HTTP/1.1\r\nHost: x\r\n');
        if (kind === 'body')
          socket.write(
            `POST /v1/bans HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Length: 25\r\n\r\n{`,
          );
        slow.push(client);
      }
    close(() => slow.forEach(({ socket }) => socket.destroy()));
    const dripping = setInterval(() => {
      for (const { socket, kind } of slow)
        if (kind !== 'silent' && !socket.destroyed) socket.write(kind === 'body' ? ' ' : 'X');
    }, 700);
    close(() => clearInterval(dripping));

    // meanwhile
    expect((await fetch(`http://${host}:${port}/healthz`)).status).toBe(200);
    for (const wrong of ['', 'wrong', token.slice(1), `${token} `.repeat(3)]) {
      const { status, text } = await post(host, '/v1/bans', wrong, ban);
      expect(status).toBe(401);
      expect(text).toMatch(/"code":"UNAUTHORIZED".*"Authorization: Bearer <token>\.|missing or wrong/);
    }
    const ten = Buffer.alloc(10_000_000, 0x20);
    for (const chunked of [false, true])
      for (const path of ['/v1/bans', '/v1/bans/import', '/v1/decide', '/healthz']) {
        const { status, text } = await post(host, path, token, ten, chunked);
        expect([path, chunked, status === 413 || status === -1]).toEqual([path, chunked, true]);
        if (status === 413) expect(text).toMatch(/A body may have at most \d+ bytes/);
      }
    expect((await post(host, '/v1/bans', token, '{"subject":"300.1.2.3"}')).text).toMatch(
      /"ADDRESS_INVALID".*300\.1\.2\.3/,
    );
    expect((await post(host, '/v1/bans', token, '{"subject":')).text).toMatch(/The body is not JSON/);
    expect((await post(host, '/v1/bans', token, ban)).status).toBe(200);
    // 10 MB on one line of the control socket
    const control = connect(one.ready.socket);
    let answer = '';
    control.on('error', () => undefined);
    control.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    control.write(ten);
    await until('it is closed', () => control.destroyed, 5_000);
    expect(answer).toMatch(/^$|REQUEST_INVALID/);

    const ended = (kind: string) => slow.filter((client) => client.kind === kind && client.endedAt > 0);
    await until('slow ones are gone', () => ended('headers').length === 10 && ended('body').length === 10, 15_000);
    for (const { text } of ended('headers')) expect(text).toMatch(/^(HTTP\/1\.1 408 |$)/);
    expect(Math.max(...ended('body').map(({ endedAt }) => endedAt))).toBeLessThan(14_000);
    expect(await subjects(one)).toEqual(['203.0.113.9']);
    const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${one.pid()}/status`, 'utf8'))?.[1]) / 1_024;
    expect(rss).toBeLessThan(400);
    expect(one.log().filter(({ level }) => Number(level) >= 50)).toEqual([]);
  });
});
