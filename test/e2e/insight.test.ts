/** What an operator sees on a real server: the message behind a ban without its secrets, and rules that are only rehearsed. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BanRow, ShadowReport, UsedReport } from '../../src/model/index.ts';
import { command, figure, listOf, operate, readMetrics, until } from './kit/companion.ts';
import { guessUdp } from './kit/guesser.ts';
import { openTestbed } from './kit/testbed.ts';
import type { Testbed } from './kit/testbed.ts';
import { createUa } from './kit/ua.ts';
import { openUdp } from './kit/udp-client.ts';
import { requires } from './requirements.ts';

const NET = '127.89.10';
const SERVER = `${NET}.1:15060`;
const OFFICE = `${NET}.20`;
const SCANNER = `${NET}.30`;
const GUESSER = `${NET}.40`;
const YAML = `
decide: { ban_private: true, ban_times: { digest: 3h } }
rules: { scanner.user-agent: shadow }
detect: { scanner_trick: { enabled: false }, scanner_fingerprint: { enabled: false } }
`;

requires(
  'kamailio',
  'kamailio-extra-modules',
  'kamailio-sqlite-modules',
)('what an operator sees', () => {
  let bed: Testbed;
  beforeAll(async () => {
    bed = await openTestbed({ sip: SERVER, users: { alice: 'right-alice', bob: 'right-bob' }, yaml: YAML });
  });
  afterAll(async () => {
    await bed?.stop();
  });

  const probe = async (from: string, times: number): Promise<readonly number[]> => {
    const scanner = await createUa({ server: SERVER, from, user: 'scanner', transport: 'tcp', deadlineMs: 2_000 });
    const codes: number[] = [];
    for (let n = 0; n < times; n += 1) {
      const uri = `sip:${100 + n}@${bed.domain}`;
      codes.push((await scanner.request({ method: 'OPTIONS', uri, headers: ['User-Agent: friendly-scanner'] })).status);
    }
    scanner.close();
    return codes;
  };

  test('a rule in shadow: nobody is hit, and the report tells who would be, customers first', async () => {
    const alice = await createUa({ server: SERVER, from: OFFICE, user: 'alice', password: 'right-alice' });
    expect((await alice.register()).status).toBe(200);
    await until('the registration was told', async () => (await bed.why(OFFICE)).users.some(({ ok }) => ok > 0));
    const codes = [...(await probe(OFFICE, 2)), ...(await probe(SCANNER, 3))];
    // everybody's challenge, no silence
    expect(codes).toEqual(codes.map(() => 407));
    await until('both are in the trail', async () => {
      const { sourcesTotal } = await operate<ShadowReport>(bed.lab, 'shadow.report', { since: '1h' });
      return sourcesTotal === 2;
    });
    const report = await operate<ShadowReport>(bed.lab, 'shadow.report', { since: '1h' });
    figure('rule in shadow', {
      rules: report.rules,
      sources: report.sources.map(({ subject, outcome }) => `${outcome} ${subject}`),
    });
    expect(report).toMatchObject({
      mode: 'enforce',
      suspected: 1,
      sources: [
        { subject: OFFICE, outcome: 'quarantine', by: 'rule', customers: 'before' },
        { subject: SCANNER, outcome: 'ban', by: 'rule', customers: 'none' },
      ],
    });
    expect(await listOf<BanRow>(bed.lab, 'ban.list')).toEqual([]);
    expect((await bed.door.keys('ipban')).size).toBe(0);
    expect((await bed.door.keys('companion_state')).size).toBe(0);
    const why = await bed.why(SCANNER);
    expect(why).toMatchObject({
      state: 'stranger',
      rehearsed: [expect.stringContaining('ban by scanner.user-agent until')],
    });
    expect([...(await readMetrics(bed.lab))].some(([name, value]) => name.includes('shadow-ban') && value === 1)).toBe(
      true,
    );
    expect((await alice.register()).status).toBe(200);
    alice.close();
  });

  test('the message behind a ban, without its secrets, found by user and by Call-ID', async () => {
    const client = await openUdp(GUESSER, bed.server);
    await guessUdp(
      client,
      bed.domain,
      Array.from({ length: 30 }, (_, n) => ({ user: 'bob', password: `wrong-${n}` })),
    );
    client.close();
    const why = await bed.why(GUESSER);
    expect(why).toMatchObject({ state: 'banned', proof: 'proven' });
    const text = why.sample?.text ?? '';
    figure('sample of a guesser', { lines: text.split('\n').length, decided: why.sample?.decided });
    expect(text).toMatch(/^Authorization: Digest .*username="bob"/m);
    expect(text).toMatch(/response=<redacted>/);
    expect(text).not.toMatch(/response="?[0-9a-f]{32}/);
    expect(text).not.toMatch(/nonce="/);
    expect((why.until ?? 0) - (why.since ?? 0)).toBe(3 * 3_600_000);
    const callId = /^Call-ID: (.*)$/m.exec(text)?.[1] ?? '';
    for (const asked of ['bob', callId])
      expect((await operate<UsedReport>(bed.lab, 'used', { text: asked })).by.map(({ ip }) => ip)).toContain(GUESSER);
    const said = await command(bed.lab, 'why', callId);
    expect(said.stdout).toMatch(new RegExp(`^${GUESSER.replaceAll('.', String.raw`\.`)} is banned`, 'm'));
  });

  test('tune says that there is too little data', async () => {
    expect((await command(bed.lab, 'tune')).stdout).toContain('Too little data');
  });
});
