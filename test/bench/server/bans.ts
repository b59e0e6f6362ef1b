import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { statusOf } from '../../../src/lab/control.ts';
import { openRecords } from '../../../src/store/index.ts';
import type { Memo } from '../../../src/model/index.ts';
import { systemClock } from '../../../src/system/index.ts';
import { until } from '../../e2e/kit/companion.ts';
import { quantile } from '../../e2e/kit/figures.ts';
import { banOf, bannedOf } from '../process/engine.ts';
import { round } from '../report.ts';
import type { Row } from '../report.ts';
import { openCaller } from './caller.ts';
import { marked } from './hook.ts';
import { prepareServer } from './server.ts';
import type { Running, Server } from './server.ts';

const IP = '127.85.0.9';
const BANS = 100_000;
const ROUNDS = 3;
const AIM_PUSHED_MS = 3_000;
const AIM_RESTART_MS = 2_000;
const DEADLINE_MS = 60_000;

/** As many memos as are kept, of the size that they have. */
const MEMOS: readonly (readonly [Memo['kind'], number, string])[] = [
  ['customer', 50_000, JSON.stringify({ since: 0 })],
  ['decision', 20_000, JSON.stringify({ rules: ['scanner.user-agent', 'enumeration.distinct'] })],
  ['false-alarm', 2_000, JSON.stringify({ how: 'registered-since', rules: ['enumeration.distinct'] })],
  [
    'evidence',
    2_000,
    JSON.stringify({ node: 'bench', text: 'x'.repeat(2_000), ip: IP, callId: 'c', users: ['alice'], shapes: [] }),
  ],
];

/** Bans as a companion that ran before would have left them. */
const fillDatabase = async (server: Server): Promise<void> => {
  const file = join(server.prepared.layout.state, 'companion.sqlite');
  const records = await openRecords({ file, clock: systemClock, queueLimit: BANS });
  const now = Date.now();
  for (let n = 0; n < BANS; n += 1)
    records.remember({ op: 'put', entry: banOf(bannedOf(n), now, now + 86_400_000) }, now);
  while (records.stats().queued > 0) await records.flush().catch(() => undefined);
  for (const [kind, count, body] of MEMOS) {
    const memo = (_: unknown, n: number): Memo => ({
      kind,
      key: bannedOf(n),
      at: now + n,
      until: now + 86_400_000,
      body,
    });
    await records.keep(Array.from({ length: count }, memo));
  }
  await records.close();
};

const answers = async (server: Server): Promise<void> => {
  await until('Kamailio answers', async () => (await server.keys('ipban')) !== undefined, 20_000, 5);
};

/** An empty Kamailio starts beside a companion with bans. */
const push = async (
  server: Server,
  kamailio: Running,
): Promise<{ readonly pushed: number; readonly agreed: number }> => {
  const { socket } = server.prepared.layout;
  await answers(server);
  const began = performance.now();
  await until('all bans are there', async () => ((await server.keys('ipban')) ?? 0) >= BANS, DEADLINE_MS, 20);
  const pushed = performance.now() - began;
  await until(
    'companion says that both agree',
    async () => {
      const node = (await statusOf(socket))?.nodes[0];
      return (
        node?.state === 'connected' &&
        node.drift === 0 &&
        node.entries['queued'] === 0 &&
        (node.entries['ipban'] ?? 0) >= BANS
      );
    },
    DEADLINE_MS,
    20,
  );
  if (kamailio.pid === 0) throw new Error('Kamailio did not start');
  return { pushed, agreed: performance.now() - began };
};

/** From the start of the process to the first request that it was asked about. */
const restart = async (
  server: Server,
  companion: Running,
): Promise<{ readonly ms: number; readonly companion: Running }> => {
  await companion.stop('SIGKILL');
  await sleep(4_000);
  const caller = await openCaller({ ip: IP, port: 15_060 }, 64, 125, 'alice');
  try {
    const began = performance.now();
    const again = server.startCompanion();
    await until('companion is asked', async () => (await caller.standing()) === 'stranger', DEADLINE_MS, 5);
    return { ms: performance.now() - began, companion: again };
  } finally {
    caller.close();
  }
};

/** 100,000 bans: into an empty Kamailio, and through a restart of companion. */
export const measureBans = async (): Promise<Row[]> => {
  const server = await prepareServer({ sip: `${IP}:15060`, change: marked });
  const running: Running[] = [];
  try {
    await fillDatabase(server);
    let companion = server.startCompanion();
    running.push(companion);
    await until('companion runs', async () => (await statusOf(server.prepared.layout.socket)) !== undefined, 30_000);
    const pushes: Awaited<ReturnType<typeof push>>[] = [];
    let kamailio: Running | undefined;
    for (let turn = 0; turn < ROUNDS; turn += 1) {
      await kamailio?.stop();
      kamailio = server.startKamailio();
      running.push(kamailio);
      pushes.push(await push(server, kamailio));
    }
    const restarts: number[] = [];
    for (let turn = 0; turn < ROUNDS; turn += 1) {
      const again = await restart(server, companion);
      companion = again.companion;
      running.push(companion);
      restarts.push(again.ms);
    }
    const agreed = quantile(
      pushes.map((one) => one.agreed),
      0.5,
    );
    const pushed = quantile(
      pushes.map((one) => one.pushed),
      0.5,
    );
    const restarted = quantile(restarts, 0.5);
    const seconds = (value: number): string => `${round(value / 1_000, 1)} s`;
    return [
      {
        what: '100 k bans pushed and reconciled',
        measured: seconds(agreed),
        beside: `pushed after ${seconds(pushed)}; from Kamailio's first answer, median of ${ROUNDS}`,
        aim: `≤ ${seconds(AIM_PUSHED_MS)}`,
        met: agreed <= AIM_PUSHED_MS,
        figures: { agreedMs: round(agreed, 0), pushedMs: round(pushed, 0) },
      },
      {
        what: 'restart with 100 k bans',
        measured: seconds(restarted),
        beside: `process start to first answered ask; worst of ${ROUNDS} ${seconds(Math.max(...restarts))}`,
        aim: `≤ ${seconds(AIM_RESTART_MS)}`,
        met: restarted <= AIM_RESTART_MS,
        figures: { ms: round(restarted, 0), worstMs: round(Math.max(...restarts), 0) },
      },
    ];
  } finally {
    await Promise.all(running.map(async (program) => program.stop()));
    await server.close();
  }
};
