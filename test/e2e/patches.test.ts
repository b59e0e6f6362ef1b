/** Virtual patches before the parser of a real Kamailio: what they stop, what they let through, what they cost. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isParseFault, parseSip } from '../../src/protocol/sip/message/index.ts';
import { findPatches, kamailioPatches, PATCHES } from '../../src/protocol/sip/patches/index.ts';
import { exploitsOf, harmless, honest } from '../unit/protocol/exploits.ts';
import { labelledMessages } from '../unit/protocol/verdicts.ts';
import { startBareKamailio } from './kit/bare-kamailio.ts';
import type { BareKamailio } from './kit/bare-kamailio.ts';
import { until } from './kit/companion.ts';
import { openTestbed } from './kit/testbed.ts';
import type { Testbed } from './kit/testbed.ts';
import { defining, reconfigure } from './kit/reconfigure.ts';
import { openUdp } from './kit/udp-client.ts';
import { requires } from './requirements.ts';

const BARE = '127.88.2.1';
const LAB = '127.88.3.1';
const inPlace = PATCHES.filter(({ acts }) => acts.includes('pre-parse'));
const symbol = (id: string): string => id.toUpperCase().replace(/[^A-Z0-9]/g, '_');
const counter = (id: string): string => `c.patch_${symbol(id).toLowerCase()}`;

/** Around what a substitution takes (8190, of which half are left for what is escaped), and what can be escaped (32767). */
const EDGES = [
  3_700, 4_100, 7_500, 7_999, 8_000, 8_001, 8_189, 8_190, 8_191, 8_192, 20_000, 32_000, 32_766, 32_768, 60_000,
];

/** With a header of that many bytes behind all others. */
const padded = (bytes: Buffer, size: number, byte: string): Buffer => {
  const end = bytes.indexOf('\r\n\r\n');
  const header = Buffer.from(`\r\nX-Pad: ${byte.repeat(size)}`, 'latin1');
  return Buffer.concat([bytes.subarray(0, end), header, bytes.subarray(end)]);
};

const withBody = (bytes: Buffer, size: number, byte: string): Buffer =>
  Buffer.concat([bytes, Buffer.alloc(size, byte, 'latin1')]);

const unfolded = (bytes: Buffer): Buffer =>
  Buffer.from(bytes.toString('latin1').replaceAll(/\r\n[ \t]+/g, ' '), 'latin1');

/** Counts what comes out behind the patches, whatever the parser then says to it. */
const configOf = (patches: string, defines: readonly string[] = []): string =>
  [
    ...defines.map((name) => `#!define ${name}`),
    'received_route_mode=1',
    ...['pv', 'htable', 'sl', 'textops', 'corex'].map((name) => `loadmodule "${name}.so"`),
    'modparam("htable", "htable", "companion_meta=>size=6;initval=0;")',
    patches,
    'event_route[core:msg-received] {',
    '\troute(COMPANION_EXPLOITS);',
    '\t$var(cp_x) = $shtinc(companion_meta=>passed);',
    '}',
    'request_route { drop; }',
    'reply_route { drop; }',
  ].join('\n');

requires('kamailio')('virtual patches in Kamailio', () => {
  let server: BareKamailio | undefined;
  const socket = createSocket('udp4');
  beforeAll(async () => {
    socket.bind(0, BARE);
    await once(socket, 'listening');
  });
  afterAll(async () => {
    socket.close();
    await server?.stop();
  });

  const sum = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((all, one) => all + one, 0);
  /** Sends one message. @returns the counter that went up: `passed`, or that of a patch */
  const fateOf = async (bytes: Buffer): Promise<string> => {
    const before = await server!.dump('companion_meta');
    socket.send(bytes, 15_060, BARE);
    let after = before;
    await until('counted', async () => sum((after = await server!.dump('companion_meta'))) > sum(before), 2_000, 1);
    return [...after.keys()].find((key) => after.get(key) !== before.get(key))!;
  };

  describe('all of them', () => {
    beforeAll(async () => {
      server = await startBareKamailio(
        BARE,
        configOf(
          kamailioPatches(),
          inPlace.map(({ id }) => `COMPANION_PATCH_${symbol(id)}`),
        ),
      );
    });
    afterAll(async () => {
      await server?.stop();
      server = undefined;
    });

    test('each stops its messages before the parser', async () => {
      const fates: string[] = [];
      for (const { id } of inPlace) {
        for (const exploit of exploitsOf(id)) {
          const fate = await fateOf(exploit);
          if (fate === 'passed') fates.push(`${id} passed: ${exploit.toString('latin1').slice(0, 300)}`);
        }
      }
      expect(fates).toEqual([]);
      const counts = await server!.dump('companion_meta');
      // a message that fits several is counted by the first
      for (const { id } of inPlace) {
        const same = inPlace.filter((patch) => exploitsOf(id).some((bytes) => fits(bytes, patch.id)));
        expect(same.some((patch) => (counts.get(counter(patch.id)) ?? 0) > 0)).toBe(true);
      }
    });

    test('line ends before the first line, and a NUL in quotes, hide nothing', async () => {
      const [exploit] = exploitsOf('CVE-2020-28361');
      expect(await fateOf(Buffer.concat([Buffer.from('\r\n\r\n'), exploit!]))).toBe(counter('CVE-2020-28361'));
      const nul = exploitsOf('CVE-2020-28361').at(-1)!;
      expect(nul.includes(0)).toBe(true);
      expect(await fateOf(nul)).toBe(counter('CVE-2020-28361'));
    });

    test('no padding of any size, in headers or body, leads past them', async () => {
      const fates: string[] = [];
      for (const { id } of inPlace) {
        const [exploit] = exploitsOf(id);
        for (const size of id === 'CVE-2018-14767' ? EDGES : [8_001, 32_768, 60_000]) {
          for (const byte of ['x', '\0', '"']) {
            for (const bytes of [padded(exploit!, size, byte), withBody(exploit!, size, byte)]) {
              const fate = await fateOf(bytes);
              if (fate === 'passed') fates.push(`${id} passed with ${size} of ${JSON.stringify(byte)}`);
            }
          }
        }
      }
      expect(fates).toEqual([]);
    });
  });

  describe('those of software that the operator named', () => {
    beforeAll(async () => {
      server = await startBareKamailio(
        BARE,
        configOf(kamailioPatches('5.1.3'), [
          ...['OPENSIPS', 'ASTERISK', 'FREESWITCH', 'SNGREP', 'LINUX'].map((name) => `COMPANION_BEHIND_${name}`),
          // these stop what is legal, and are on for that version
          'COMPANION_NO_PATCH_CVE_2018_16657',
          'COMPANION_NO_PATCH_CVE_2020_28361',
        ]),
      );
    });
    afterAll(async () => {
      await server?.stop();
      server = undefined;
    });

    test('stop what they are for', async () => {
      for (const id of ['CVE-2018-14767', 'CVE-2017-9372', 'CVE-2023-28098'])
        expect(await fateOf(exploitsOf(id)[0]!)).toBe(counter(id));
    });

    test('read headers of any size, and drop for their size only those that they cannot read', async () => {
      const [plain] = harmless();
      const [exploit] = exploitsOf('CVE-2017-9372');
      const fates: (readonly [what: string, fate: string, expected: string])[] = [];
      for (const size of EDGES) {
        for (const byte of ['x', '\0', '"']) {
          const named = `${size} of ${JSON.stringify(byte)}`;
          const escaped = byte === 'x' ? size : 2 * size;
          fates.push([`body ${named}`, await fateOf(withBody(plain!, size, byte)), 'passed']);
          const header = await fateOf(padded(unfolded(plain!), size, byte));
          fates.push([`header ${named}`, header, size < 32_300 ? 'passed' : 'c.patch_too_large']);
          const folded = await fateOf(padded(plain!, size, byte));
          fates.push([`folded ${named}`, folded, escaped < 7_600 ? 'passed' : 'c.patch_too_large']);
          const stopped = await fateOf(padded(exploit!, size, byte));
          fates.push([`stopped ${named}`, stopped, size < 32_300 ? counter('CVE-2017-9372') : 'c.patch_too_large']);
        }
      }
      expect(fates.filter(([, fate, expected]) => fate !== expected)).toEqual([]);
    });

    test('let everything legal through, as the hook does', async () => {
      const legal = labelledMessages().filter(
        ({ strict, edge }) => strict === 'accept' || strict === 'reject-or-accept' || edge === 'forward',
      );
      const messages = legal.map(({ file, bytes }) => [file, bytes] as const);
      for (const bytes of harmless()) messages.push([bytes.toString('latin1'), bytes]);
      const stopped: string[] = [];
      for (const [name, bytes] of messages) {
        // Kamailio throws the smallest datagrams away before anybody sees them
        if (bytes.length < 32) continue;
        const fate = await fateOf(bytes);
        if (fate !== 'passed') stopped.push(`${name} ${fate}`);
      }
      expect(messages.length).toBeGreaterThan(220);
      expect(stopped).toEqual([]);
    });

    test('nothing of it is an error to Kamailio', () => {
      expect(server!.log()).not.toMatch(/ERROR.*(?:pv_|tr_|lval|subst|regex|htable)/);
    });
  });

  describe('the file as it is, for a server that is not affected', () => {
    beforeAll(async () => {
      server = await startBareKamailio(BARE, configOf(kamailioPatches()));
    });

    test('stops nothing', async () => {
      const messages = [...honest(), ...harmless(), ...inPlace.flatMap(({ id }) => exploitsOf(id))];
      for (const bytes of messages) expect([bytes, await fateOf(bytes)]).toEqual([bytes, 'passed']);
    });
  });
});

const fits = (bytes: Buffer, id: string): boolean => {
  const message = parseSip(bytes);
  return !isParseFault(message) && findPatches(message).some(({ patch }) => patch.id === id);
};

requires(
  'kamailio',
  'kamailio-extra-modules',
  'kamailio-sqlite-modules',
)('patches beside the rest', () => {
  let bed: Testbed;
  beforeAll(async () => {
    bed = await openTestbed({ sip: `${LAB}:15060`, users: { alice: 'wonderland' } });
    await reconfigure(bed.lab, defining('COMPANION_PATCHES\n#!define COMPANION_PATCH_CVE_2020_28361'));
  });
  afterAll(async () => {
    await bed?.stop();
  });

  test('no answer and a counter for an exploit, an answer for the same request without it', async () => {
    const client = await openUdp('127.88.3.2', bed.server);
    const [exploit] = exploitsOf('CVE-2020-28361', client.local);
    const text = exploit!.toString('latin1').replaceAll('example.com', LAB);
    const answer = await client.ask(text.replace('X-Bypass-me : lol', 'X-Bypass-me: lol'), { withinMs: 3_000 });
    expect(answer).toMatch(/^SIP\/2\.0 \d{3} /);
    client.received.length = 0;
    await client.send(text);
    await until('counted', async () => (await bed.counters())['patch_cve_2020_28361'] === 1, 3_000, 20);
    expect(client.received).toEqual([]);
    client.close();
  });

  test('the checked-in file is the one that ran', () => {
    expect(readFileSync(new URL('../../kamailio/companion.cfg', import.meta.url), 'utf8')).toContain(
      '#!ifdef COMPANION_PATCHES\ninclude_file "companion/patches.cfg"',
    );
  });
});
