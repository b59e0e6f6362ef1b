/** What evapi costs beside datagrams, and where resumed routes run: the fourth trap, measured. */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { startLab } from '../../src/lab/index.ts';
import type { Lab } from '../../src/lab/index.ts';
import { EXAMPLE_CONFIG } from '../../src/lab/prepare/layout.ts';
import { family, figure, readMetrics, until } from './kit/companion.ts';
import { quantile } from './kit/figures.ts';
import { openDoor } from './kit/door.ts';
import { defining, reconfigure } from './kit/reconfigure.ts';
import { requestText, statusOf } from './kit/sip-text.ts';
import { openUdp } from './kit/udp-client.ts';
import { requires } from './requirements.ts';

const HOST = '127.83.7.1';
const SERVER = { ip: HOST, port: 15_060 };
const ONE_AFTER_THE_OTHER = 500;
const AT_ONCE = 24;
const LOOP_MS = 1_500;
/** What a look-up in a database costs. */
const SLOW_ROUTE_US = 3_000;

/** The shipped configuration with budgets out of the way, and a second half of request_route that takes its time. */
const measured =
  (lab: Lab, slowUs: number, ...defines: readonly string[]) =>
  (text: string): string => {
    const shipped = readFileSync(EXAMPLE_CONFIG, 'utf8');
    const copy = join(lab.directory, `measured-${slowUs}.cfg`);
    const slow = shipped
      .replace('include_file "companion.cfg"', `include_file "${join(dirname(EXAMPLE_CONFIG), 'companion.cfg')}"`)
      .replace('"wt_timer", 2000', '"wt_timer", 200')
      .replace('route[COMPANION_CONTINUE] {', `$&\n\tusleep("${slowUs}");`);
    writeFileSync(copy, slowUs === 0 ? slow.replace('usleep("0");', '') : slow);
    const knobs = ['COMPANION_ASKS_PER_SECOND 1000000', 'COMPANION_ASKS_IN_FLIGHT 1000000'];
    return [...knobs, ...defines].reduce(
      (all, words) => defining(words)(all),
      text
        .replace(/#!define COMPANION_(?:ASKS_|EVAPI_ONE)[^\n]*\n/g, '')
        .replace(/include_file "[^"]*(?:kamailio|measured-\d+)\.cfg"/, `include_file "${copy}"`),
    );
  };

const optionsFrom = (local: string): string => {
  const uri = `sip:100@${HOST}`;
  return requestText({ method: 'OPTIONS', uri, from: uri, to: uri, local });
};

/** Round trips of strangers' requests, one after the other. */
const roundTrips = async (): Promise<readonly number[]> => {
  const client = await openUdp('127.83.70.1', SERVER);
  const times: number[] = [];
  for (let n = 0; n < ONE_AFTER_THE_OTHER; n += 1) {
    const text = optionsFrom(client.local);
    const began = performance.now();
    const answer = await client.ask(text, { withinMs: 2_000 });
    if (answer !== undefined && statusOf(answer) === 407) times.push(performance.now() - began);
  }
  client.close();
  return times;
};

/** As many requests as come back, with so many under way. @returns answers a second */
const throughput = async (): Promise<number> => {
  const clients = await Promise.all(
    Array.from({ length: AT_ONCE }, async (_, n) => openUdp(`127.83.71.${n + 1}`, SERVER)),
  );
  const end = performance.now() + LOOP_MS;
  let answered = 0;
  await Promise.all(
    clients.map(async (client) => {
      while (performance.now() < end) {
        const answer = await client.ask(optionsFrom(client.local), { withinMs: 1_000 });
        if (answer !== undefined && statusOf(answer) === 407) answered += 1;
      }
      client.close();
    }),
  );
  return Math.round((answered * 1_000) / LOOP_MS);
};

/** Kamailio with other settings, companion asked again. */
const restarted = async (lab: Lab, change: (text: string) => string): Promise<void> => {
  await reconfigure(lab, change);
  const client = await openUdp('127.83.72.1', SERVER);
  await until('asks', async () => {
    await client.ask(optionsFrom(client.local), { withinMs: 500 });
    return (await openDoor(lab).counter('ask')) > 0;
  });
  client.close();
};

interface Measured {
  readonly p50: number;
  readonly p99: number;
  readonly perSecond: number;
  readonly slowPerSecond: number;
  /** Passed without a question, because the breaker was open. */
  readonly unaskedFast: number;
  readonly unasked: number;
}

requires(
  'kamailio',
  'kamailio-extra-modules',
  'kamailio-sqlite-modules',
)('evapi beside datagrams', () => {
  const measure = async (transport: 'datagram' | 'evapi', ...defines: readonly string[]): Promise<Measured> => {
    const lab = await startLab({ sip: `${HOST}:15060`, transport, mode: 'shadow' });
    try {
      await restarted(lab, measured(lab, 0, ...defines));
      await roundTrips();
      const times = await roundTrips();
      const perSecond = await throughput();
      expect(family(await readMetrics(lab), 'companion_hook_total')['lost']).toBe(0);
      const unaskedFast = await openDoor(lab).counter('unasked');
      await restarted(lab, measured(lab, SLOW_ROUTE_US, ...defines));
      // the better of two: whatever else the machine does for a moment is no property of evapi
      const slowPerSecond = Math.max(await throughput(), await throughput());
      const unasked = await openDoor(lab).counter('unasked');
      const round = (value: number): number => Math.round(value * 100) / 100;
      return {
        p50: round(quantile(times, 0.5)),
        p99: round(quantile(times, 0.99)),
        perSecond,
        slowPerSecond,
        unaskedFast,
        unasked,
      };
    } finally {
      await lab.stop();
    }
  };

  test('resumed in all workers it keeps up with datagrams; in its one process a slow route holds up all others', async () => {
    const datagram = await measure('datagram');
    const evapi = await measure('evapi');
    const oneProcess = await measure('evapi', 'COMPANION_EVAPI_ONE_PROCESS');
    figure('datagram', { ...datagram });
    figure('evapi', { ...evapi });
    figure('evapi, one process', { ...oneProcess });
    expect(evapi.p50).toBeLessThan(datagram.p50 * 3 + 1);
    expect(evapi.slowPerSecond).toBeGreaterThan(oneProcess.slowPerSecond * 1.5);
  });
});
