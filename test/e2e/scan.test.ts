/** Nobody learns which extensions exist, and whoever asks for many is shut out: Show line 1, scanning. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { figure, tally } from './kit/figures.ts';
import { shapesOf, statusOf } from './kit/sip-text.ts';
import { openRelay, runTool } from './kit/svtools.ts';
import { extensions, openTestbed } from './kit/testbed.ts';
import type { Testbed } from './kit/testbed.ts';
import { requires } from './requirements.ts';

const NET = '127.81.1';
const USERS = extensions(100, 199, (name) => `pw-${name}`);
const METHODS = ['REGISTER', 'OPTIONS', 'INVITE'] as const;

requires(
  'kamailio',
  'kamailio-extra-modules',
  'kamailio-utils-modules',
  'kamailio-sqlite-modules',
  'sipvicious',
)('a scan for extensions', () => {
  let bed: Testbed;
  beforeAll(async () => {
    bed = await openTestbed({ sip: `${NET}.1:15060`, users: USERS, yaml: 'decide: {ban_private: true}\n' });
  });
  afterAll(async () => {
    await bed?.stop();
  });

  test.each(METHODS)(
    'svwar -m %s, as it comes and with --force, learns nothing and ends in quarantine',
    async (method) => {
      const runs = [[], ['--force']].map(async (flags, index) => {
        const relay = await openRelay(`${NET}.${10 + METHODS.indexOf(method) * 2 + index}`, bed.server);
        const where = [`--domain=${bed.domain}`, '-p', String(relay.port), relay.ip];
        const { found, output } = await runTool('svwar', ['-m', method, '-e', '100-250', ...flags, ...where]);
        await sleep(100);
        const why = await bed.operator.why(relay.ip);
        relay.close();
        const said = output.trim().split('\n').at(-1) ?? '';
        figure(
          `svwar -m ${method} ${flags.join('')}`,
          `${relay.sent.length} sent, answers ${tally(relay.answers.map(statusOf))}, ${found.size} extensions; "${said}"`,
        );
        expect([...found.keys()]).toEqual([]);
        expect(shapesOf(relay.answers).size).toBeLessThanOrEqual(1);
        expect(why).toMatchObject({ state: 'quarantined', history: [] });
        expect(await bed.held('companion_state', `q${relay.ip}`)).toBe('1');
        expect(await bed.held('ipban', relay.ip)).toBeUndefined();
      });
      await Promise.all(runs);
    },
  );
});
