import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLab } from '../../src/lab/index.ts';
import type { Lab } from '../../src/lab/index.ts';
import { labelledMessages } from '../unit/protocol/verdicts.ts';
import type { LabelledMessage } from '../unit/protocol/verdicts.ts';
import { family, figure, readMetrics, until } from './kit/companion.ts';
import { openDoor } from './kit/door.ts';
import type { Door } from './kit/door.ts';
import { PHONE_AGENT, requestText } from './kit/sip-text.ts';
import { openUdp } from './kit/udp-client.ts';
import type { UdpClient } from './kit/udp-client.ts';
import { requires } from './requirements.ts';

const HOST = '127.80.1.1';
const SERVER = { ip: HOST, port: 15_060 };

/** Refusals of messages that this Kamailio's core lets through, so that only companion stops them. */
const isRefused = ({ edge, file }: LabelledMessage): boolean =>
  /^(?:reject|reject-or-drop)$/.test(edge) && !/zeromf|maxfwd0|bigcode/.test(file);

requires(
  'kamailio',
  'kamailio-extra-modules',
  'kamailio-sqlite-modules',
)('validation: strict, on a real server', () => {
  let lab: Lab;
  let door: Door;
  const home = mkdtempSync(join(tmpdir(), 'companion-validation-'));
  const open: UdpClient[] = [];
  const stranger = async (): Promise<UdpClient> => {
    const client = await openUdp(`127.80.${2 + (open.length >> 7)}.${(open.length & 127) + 1}`, SERVER);
    open.push(client);
    return client;
  };
  /** A harmless request, until it is answered: one `allow`. */
  const passes = async (): Promise<void> => {
    const client = await stranger();
    const aor = `sip:alice@${HOST}`;
    const text = requestText({
      method: 'REGISTER',
      uri: `sip:${HOST}`,
      from: aor,
      to: aor,
      local: client.local,
      agent: PHONE_AGENT,
    });
    const answer = await client.ask(text, { withinMs: 5_000 });
    expect(answer?.slice(0, 11)).toBe('SIP/2.0 401');
  };
  const counted = async () => {
    const metrics = await readMetrics(lab);
    const { allow = 0, drop = 0, challenge = 0 } = family(metrics, 'companion_verdicts_total');
    const { request = 0 } = family(metrics, 'companion_events_total');
    return { allow, drop, challenge, request };
  };

  beforeAll(async () => {
    const config = join(home, 'companion.yaml');
    writeFileSync(config, 'validation: { mode: strict }\n');
    lab = await startLab({ sip: `${HOST}:15060`, users: 'alice:secret', config });
    door = openDoor(lab);
  });
  afterAll(async () => {
    for (const client of open) client.close();
    await lab?.stop();
    rmSync(home, { recursive: true, force: true });
  });

  const messages = labelledMessages().filter(({ file }) => !file.startsWith('sipvicious/'));
  const requests = messages.filter(({ bytes }) => !/^[\r\n]*SIP\//i.test(bytes.toString('latin1', 0, 16)));

  test(
    'no message that is to be forwarded is dropped, and none of the others is let through',
    { timeout: 60_000 },
    async () => {
      let forwarded = 0;
      let refused = 0;
      for (const message of requests) {
        const forward = message.edge === 'forward';
        if (!forward && !isRefused(message)) continue;
        const before = await counted();
        const client = await stranger();
        await client.send(message.bytes);
        // what Kamailio's core refuses nobody is asked about: once the next one is answered this one has been looked at
        await passes();
        await sleep(20);
        const after = await counted();
        const answered = { allow: after.allow - before.allow - 1, drop: after.drop - before.drop };
        if (forward) {
          expect({ file: message.file, drop: answered.drop }).toEqual({ file: message.file, drop: 0 });
          forwarded += answered.allow;
        } else {
          expect({ file: message.file, allow: answered.allow }).toEqual({ file: message.file, allow: 0 });
          refused += answered.drop;
        }
      }
      const metrics = await readMetrics(lab);
      figure('validation', { forwarded, refused, violations: family(metrics, 'companion_violations_total') });
      expect(forwarded).toBeGreaterThan(20);
      expect(refused).toBeGreaterThan(5);
    },
  );

  test('Max-Forwards 0 is answered with 483 by the server, or refused before it', async () => {
    for (const { file, bytes } of messages.filter((message) => /zeromf|maxfwd0/.test(message.file))) {
      const client = await stranger();
      const text = bytes.toString('latin1').replace(/^(Via:[^\r]*?)(;rport)?\r/im, '$1;rport\r');
      const answer = await client.ask(text, { withinMs: 1_000 });
      expect([file, answer?.slice(0, 11)]).toEqual([file, 'SIP/2.0 483']);
    }
  });

  test('a stray reply goes nowhere, least of all to a broadcast address', async () => {
    const before = await door.counter('stray_reply');
    const { bytes } = messages.find(({ file }) => file.includes('via-bcast'))!;
    const client = await stranger();
    await client.send(bytes.toString('latin1').replace('192.0.2.10:5060', `${HOST}:15060`));
    await until('the reply was counted', async () => (await door.counter('stray_reply')) > before, 3_000, 20);
  });
});
