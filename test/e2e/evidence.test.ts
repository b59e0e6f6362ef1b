/** What an operator knows about an attack outlives a companion that is killed: the message, its Call-ID, a feed switched off. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FeedRow, StatusReport, UsedReport } from '../../src/model/index.ts';
import { command, family, listOf, operate, readMetrics, until } from './kit/companion.ts';
import { requestText } from './kit/sip-text.ts';
import { openTestbed } from './kit/testbed.ts';
import type { Testbed } from './kit/testbed.ts';
import { openUdp } from './kit/udp-client.ts';
import { requires } from './requirements.ts';

const SCANNER = '127.87.31.1';
const CALL_ID = 'evidence-of-the-night@scanner';

requires(
  'kamailio',
  'kamailio-extra-modules',
  'kamailio-sqlite-modules',
)('evidence', () => {
  let bed: Testbed;
  const folder = mkdtempSync(join(tmpdir(), 'evidence-'));
  beforeAll(async () => {
    writeFileSync(join(folder, 'list'), '203.0.113.7\n');
    const yaml = `feeds: [{ name: others, type: list, file: ${join(folder, 'list')} }]`;
    bed = await openTestbed({ sip: '127.87.8.1:15060', users: { alice: 'wonderland' }, yaml });
  }, 60_000);
  afterAll(async () => {
    await bed?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const feed = async (): Promise<FeedRow | undefined> => (await listOf<FeedRow>(bed.lab, 'feed.list'))[0];

  test('outlives a companion that is killed', async () => {
    const scanner = await openUdp(SCANNER, bed.server);
    const aor = `sip:alice@${bed.domain}`;
    const parts = { method: 'REGISTER', uri: `sip:${bed.domain}`, from: aor, to: aor, local: scanner.local };
    await until('it is held, and the message is known', async () => {
      await scanner.send(requestText({ ...parts, agent: 'friendly-scanner', callId: CALL_ID }));
      return (await bed.why(SCANNER)).sample?.decided === true;
    });
    scanner.close();
    const before = await bed.why(SCANNER);
    expect(before.sample?.text).toContain('friendly-scanner');
    expect((await command(bed.lab, 'feed', 'off', 'others')).stdout).toContain('also after a restart');
    await until(
      'it is on the disk',
      async () => family(await readMetrics(bed.lab), 'companion_memos')['waiting'] === 0,
    );

    const { companion } = bed.lab.pids();
    process.kill(companion, 'SIGKILL');
    await until(
      'another companion answers',
      async () => {
        if (bed.lab.pids().companion === companion) return false;
        return (await operate<StatusReport>(bed.lab, 'status').catch(() => undefined)) !== undefined;
      },
      30_000,
      100,
    );
    await until('the message is back', async () => (await bed.why(SCANNER)).sample !== undefined);
    const after = await bed.why(SCANNER);
    expect(after.sample).toEqual(before.sample);
    expect(after.shapes).toEqual(before.shapes);
    const { by } = await operate<UsedReport>(bed.lab, 'used', { text: CALL_ID });
    expect(by).toMatchObject([{ as: 'call-id', ip: SCANNER }]);
    expect(await feed()).toMatchObject({ on: false, switched: { by: expect.stringContaining('operator') } });
    expect((await command(bed.lab, 'feed', 'list')).stdout).toMatch(/others +list +off +operator\S* \d{4}-/);
    expect((await command(bed.lab, 'feed', 'on', 'others')).stdout).toContain('as the configuration says');
    expect(await feed()).toMatchObject({ on: true, switched: null });
  });
});
