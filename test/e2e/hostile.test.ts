import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startLab } from '../../src/lab/index.ts';
import type { Lab } from '../../src/lab/index.ts';
import type { BanRow } from '../../src/model/index.ts';
import { command, ENTRY, family, figure, listOf, logOf, operate, readMetrics, until } from './kit/companion.ts';
import { openDoor } from './kit/door.ts';
import type { Door } from './kit/door.ts';
import { token } from './kit/sip-text.ts';
import { createUa } from './kit/ua.ts';
import type { Ua } from './kit/ua.ts';
import { requires } from './requirements.ts';

const SIP = '127.82.4.1:15060';
const HOST = '127.82.4.1';

/** One character a byte. */
const VALUES: Readonly<Record<string, string>> = {
  quotes: `a"'\`<>;&|$(id)`,
  nul: 'a\x00b',
  'NUL first': '\x00ab',
  crlf: 'a\r\nX-Injected: 1',
  cr: 'a\rb',
  lf: 'a\n b',
  'invalid UTF-8': 'a\xff\xfe\xc0\xaf\xed\xa0\x80',
  ansi: 'a\x1b[2J\x1b[31mred\x07\x9b31m',
  json: 'a","ev":"req","answer":"allow"}{"x":"',
  sql: `a'; DROP TABLE entries;--`,
  null: '<null>',
  frame: 'a C1 secret A kamailio 1 1.1 1 1 udp 10.0.0.1 1 10.0.0.2 1 n stranger 1 0 QQ==',
  variables: 'a$var(x)$shv(cphb)$si{s.len}%n%s%00%0d%0a\\r\\n',
  bidi: 'a\xe2\x80\xaeb\xe2\x80\x8bc',
  long: 'A'.repeat(4_000),
};

interface Parts {
  readonly method: string;
  readonly uriUser: string;
  readonly fromName: string;
  readonly fromUser: string;
  readonly toUser: string;
  readonly callId: string;
  readonly agent: string;
}
const PLAIN: Parts = {
  method: 'OPTIONS',
  uriUser: '100',
  fromName: 'x',
  fromUser: '100',
  toUser: '100',
  callId: '',
  agent: 'Phone',
};
const PLACES = Object.keys(PLAIN) as readonly (keyof Parts)[];

const message = (ua: Ua, parts: Parts, more: readonly string[] = [], body = ''): string =>
  [
    `${parts.method} sip:${parts.uriUser}@${HOST} SIP/2.0`,
    `Via: SIP/2.0/UDP ${ua.local};rport;branch=z9hG4bK${token()}`,
    'Max-Forwards: 70',
    `From: "${parts.fromName}" <sip:${parts.fromUser}@${HOST}>;tag=${token()}`,
    `To: <sip:${parts.toUser}@${HOST}>`,
    `Call-ID: ${parts.callId}${token()}`,
    `CSeq: 1 ${parts.method}`,
    `Contact: <sip:100@${ua.local}>`,
    `User-Agent: ${parts.agent}`,
    ...more,
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');

/** What Kamailio's core may refuse before any script. */
const REFUSED_BY_CORE = /in (?:from|to|uri)|^NUL first in method/;
/** Control characters, but for the ends of lines. */
const RAW_CONTROL = /[\x00-\x08\x0b-\x1f\x7f\u0080-\u009f\u202a-\u202e\u2066-\u2069]/;

describe.each(['datagram', 'evapi'] as const)('hostile values over %s', (transport) =>
  requires(
    'kamailio',
    'kamailio-extra-modules',
    'kamailio-sqlite-modules',
  )('in requests', () => {
    let lab: Lab;
    let door: Door;
    const open: Ua[] = [];
    let nextAddress = 0;
    const stranger = async (over: 'udp' | 'tcp' = 'udp', user = 'x'): Promise<Ua> => {
      nextAddress += 1;
      const from = `127.82.${30 + (nextAddress >> 7)}.${(nextAddress & 127) + 1}`;
      const ua = await createUa({ server: SIP, from, user, transport: over, deadlineMs: 5_000 });
      open.push(ua);
      return ua;
    };
    /** Everything that Kamailio handed to companion or dropped for its size, and what the parser of either refused. */
    const counted = async () => {
      const metrics = await readMetrics(lab);
      const { request = 0, outcome = 0 } = family(metrics, 'companion_events_total');
      return { request, outcome, tooLarge: await door.counter('too_large') };
    };
    const sum = (counts: Awaited<ReturnType<typeof counted>>): number =>
      counts.request + counts.outcome + counts.tooLarge;

    beforeAll(async () => {
      lab = await startLab({ sip: SIP, users: 'alice:secret,bob:secret', transport });
      door = openDoor(lab);
    });
    afterAll(async () => {
      for (const ua of open) ua.close();
      await lab?.stop();
    });

    test('each that is answered is counted, wherever it stands, and every frame stays whole', async () => {
      const unseen: string[] = [];
      const answered: string[] = [];
      for (const [name, value] of Object.entries(VALUES)) {
        for (const place of PLACES) {
          const before = sum(await counted());
          const ua = await stranger();
          ua.send(message(ua, { ...PLAIN, [place]: value }));
          const isSeen = async (): Promise<boolean> => sum(await counted()) > before;
          const waitMs = REFUSED_BY_CORE.test(`${name} in ${place}`) ? 80 : 2_000;
          let seen = await until('seen', isSeen, waitMs, 5).catch(() => undefined);
          // who was answered was seen by Kamailio: on busy cores companion may be later
          if (seen === undefined && ua.received.length > 0)
            seen = await until('seen', isSeen, 2_000, 5).catch(() => undefined);
          if (ua.received.length > 0) answered.push(`${name} in ${place}`);
          if (seen === undefined) unseen.push(`${name} in ${place}`);
        }
      }
      const before = await counted();
      const ua = await stranger();
      ua.send(message(ua, PLAIN).replace('CSeq: 1 OPTIONS', 'CSeq: 1 INVITE'));
      await until('what sanity_check refuses is told', async () => (await counted()).outcome > before.outcome);
      const drops = family(await readMetrics(lab), 'companion_drops_total');
      figure('hostile', { counted: await counted(), answered: answered.length, drops });
      // Kamailio's core refuses these before any script
      figure('hostile', { unseen });
      expect(unseen.filter((one) => answered.includes(one))).toEqual([]);
      expect(unseen.filter((one) => !REFUSED_BY_CORE.test(one))).toEqual([]);
      expect(Object.keys(drops).filter((kind) => !kind.startsWith('unreadable-'))).toEqual([]);
      expect(Object.values(drops).reduce((all, one) => all + one, 0)).toBeLessThan(20);
    });

    // what follows a frame is the same for every transport
    if (transport === 'datagram')
      test('evidence that quotes them is escaped in why, ban list, watch and the log', async () => {
        const watching = spawn(process.execPath, [ENTRY, 'watch', '--socket', lab.ready.socket], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        let watched = '';
        watching.stdout.on('data', (chunk: Buffer) => (watched += chunk.toString()));
        // it tells nothing before it listens
        await until(
          'it watches',
          async () => {
            const subject = '192.0.2.200';
            await operate(lab, 'ban.add', { subject, reason: 'test', author: 'test' });
            await operate(lab, 'ban.remove', { subject, author: 'test' });
            return watched !== '';
          },
          10_000,
          100,
        );
        const accused: string[] = [];
        for (const [name, value] of Object.entries(VALUES)) {
          if (/crlf|^lf|^cr$|NUL first/.test(name)) continue;
          // guesses at one user, on a nonce of our own
          const guesser = await stranger();
          const challenged = await guesser.request({ method: 'REGISTER', uri: `sip:${HOST}` });
          const nonce = /nonce="([^"]+)"/.exec(challenged.text)?.[1] ?? '';
          const user = value.replaceAll(/["\\]/g, '\\$&');
          for (let n = 0; n < 8; n += 1) {
            const digest = `username="${user}", realm="${HOST}", nonce="${nonce}", uri="sip:${HOST}", response="${token()}${token()}"`;
            guesser.send(message(guesser, { ...PLAIN, method: 'REGISTER' }, [`Authorization: Digest ${digest}`]));
            await sleep(2);
          }
          accused.push(guesser.local);
        }
        // names asked for, from addresses that are proven; those that nobody answered for count after four seconds
        const scanners = await Promise.all(
          ['invalid UTF-8', 'bidi', 'quotes', 'nul', 'json'].map(async (name) => ({
            value: VALUES[name]!,
            ua: await stranger('tcp'),
          })),
        );
        for (let n = 100; n < 145; n += 1) {
          if (n === 140) await sleep(4_300);
          for (const { value, ua } of scanners)
            ua.send(message(ua, { ...PLAIN, uriUser: `${n * 7}${value}` }).replace('/UDP', '/TCP'));
          await sleep(2);
        }
        for (const { ua } of scanners) accused.push(ua.local);
        let rows: readonly BanRow[] = [];
        const isThere = async (): Promise<boolean> => {
          rows = await listOf<BanRow>(lab, 'ban.list');
          return rows.length >= 8 && rows.some(({ kind }) => kind === 'ban');
        };
        await until('a ban and more', isThere, 8_000, 100).catch(() => undefined);
        const addresses = [...new Set(rows.map(({ subject }) => subject))].filter((ip) =>
          accused.some((local) => local.startsWith(`${ip}:`)),
        );
        const outputs: string[] = [];
        const jsons: string[] = [];
        const ask = async (...args: readonly string[]): Promise<void> => {
          const [plain, json] = await Promise.all([command(lab, ...args), command(lab, ...args, '--json')]);
          outputs.push(plain.stdout, plain.stderr);
          jsons.push(json.stdout);
        };
        await ask('ban', 'list', '--all');
        for (const ip of addresses.slice(0, 6)) await ask('why', ip);
        await ask('status');
        watching.kill('SIGTERM');
        const log = logOf(lab, 'companion').trim().split('\n');
        const decisions = log
          .map((line) => JSON.parse(line) as Record<string, unknown>)
          .filter(({ event }) => event === 'decision');
        figure('hostile', {
          held: rows.map(({ kind, rules, reason }) => `${kind} ${rules[0] ?? reason}`),
          decisions: decisions.length,
        });
        figure('hostile', {
          quoted: outputs
            .join('')
            .match(/(?:user|names).{0,90}\\x.{0,40}/g)
            ?.slice(0, 4),
        });
        const api = await fetch(`${lab.ready.api}/api/sip-guardian/bans`, {
          headers: { authorization: `Bearer ${lab.ready.token}` },
        });
        expect(((await api.json()) as { total: number }).total).toBeGreaterThan(0);

        expect(rows.length).toBeGreaterThanOrEqual(8);
        expect(addresses.length).toBeGreaterThanOrEqual(4);
        expect(decisions.length).toBeGreaterThanOrEqual(8);
        expect(watched.trim().split('\n').length).toBeGreaterThanOrEqual(8);
        for (const text of [...outputs, watched, ...log]) expect(RAW_CONTROL.exec(text)).toBeNull();
        for (const json of jsons) {
          expect(RAW_CONTROL.exec(json)).toBeNull();
          JSON.parse(json);
        }
        // what the attacker wrote was kept, as text
        expect(log.some((line) => /\\\\x(?:1b|07|80|00)/.test(line))).toBe(true);
        expect(await door.counter('bad_frame')).toBe(0);
      });

    test('what is larger than an ask is dropped and counted for strangers, and passes with bound credentials', async () => {
      const big = async (over: 'udp' | 'tcp', parts: Partial<Parts>, more: readonly string[]): Promise<number> => {
        const ua = await stranger(over);
        const before = await door.counter('too_large');
        ua.send(message(ua, { ...PLAIN, ...parts }, more).replace('/UDP', `/${over.toUpperCase()}`));
        const counts = until('dropped and counted', async () => (await door.counter('too_large')) === before + 1);
        await counts;
        await sleep(50);
        return ua.received.length;
      };
      const manyHeaders = Array.from({ length: 5_000 }, (_, n) => `X-${n}: y`);
      const answers = [
        await big('udp', { agent: 'A'.repeat(60_000) }, []),
        await big('udp', {}, manyHeaders),
        await big('udp', { fromName: 'B'.repeat(20_000) }, []),
        await big('tcp', { agent: 'A'.repeat(12_000) }, []),
        await big('tcp', {}, manyHeaders.slice(0, 1_200)),
      ];
      expect(answers).toEqual([0, 0, 0, 0, 0]);
      // a thousand headers that fit are read
      const small = await stranger();
      const before = await counted();
      small.send(
        message(
          small,
          PLAIN,
          Array.from({ length: 1_000 }, () => 'a:'),
        ),
      );
      await until('counted', async () => (await counted()).request > before.request);
      // and a customer's own are served
      for (const [over, user] of [
        ['udp', 'alice'],
        ['tcp', 'bob'],
      ] as const) {
        const phone = await stranger(over, user);
        const { request } = await counted();
        const uri = `sip:${HOST}`;
        const headers = [`Contact: <sip:${user}@${phone.local}>`, 'Expires: 60'];
        const register = { method: 'REGISTER', uri, to: `<sip:${user}@${HOST}>` };
        expect((await phone.request({ ...register, headers })).status).toBe(401);
        const reply = await phone.authenticated(
          { ...register, headers: [...headers, ...(over === 'udp' ? manyHeaders : manyHeaders.slice(0, 600))] },
          phone.transactions[0],
        );
        figure('large', { transport, over, status: reply.status, ms: reply.ms });
        expect(reply.status).toBe(200);
        expect((await counted()).request).toBeGreaterThanOrEqual(request + 2);
      }
      const drops = family(await readMetrics(lab), 'companion_drops_total');
      expect(Object.keys(drops).filter((kind) => !kind.startsWith('unreadable-'))).toEqual([]);
    });
  }),
);
