import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { quantile } from '../../e2e/kit/figures.ts';
import { until } from '../../e2e/kit/companion.ts';
import { round, short } from '../report.ts';
import type { Row } from '../report.ts';
import { openCaller } from './caller.ts';
import type { Caller } from './caller.ts';
import { prepareServer, startProgram } from './server.ts';

const IP = '127.85.0.';
/** Rounds of each kind, taken in turn, so that whatever else the machine does hits both alike. */
const ROUNDS = 5;
const TRIPS = 600;
const LOAD_MS = 1_500;
const AT_ONCE = 32;
const AIM_P50 = 1.2;
const AIM_P99 = 1.5;

/** Says in the answer how the request passed, and keeps the budgets out of the way. */
export const marked = (text: string): string =>
  text
    .replace('"wt_timer", 2000', '"wt_timer", 200')
    .replace('send_reply("200", "Keepalive");', 'append_to_reply("X-Companion: $avp(cp)\\r\\n");\n\t\t$&');
const unhooked = (text: string): string => marked(text).replace('\troute(COMPANION);\n', '');
const DEFINES = [
  'COMPANION_ASKS_PER_SECOND 1000000',
  'COMPANION_ASKS_IN_FLIGHT 1000000',
  'COMPANION_TELLS_PER_SECOND 1000000',
  'COMPANION_GOOD_PER_SECOND 1000000',
];
/** What a load test of one machine needs: density and buckets would quarantine its few sources. */
const YAML =
  'detect: { density: { requests: 10000, prefix_requests: 10000 }, method_bucket: { options: { per_second: 100000, burst: 100000 } } }\n';

const NULL_RESPONDER = fileURLToPath(new URL('null-responder.ts', import.meta.url));

interface Peer {
  readonly caller: Caller;
  readonly trips: number[];
  readonly rates: number[];
  stop(): Promise<void>;
}

/** Kamailio and what answers its hook: nobody, a null responder, or companion. `good`: its callers are known-good. */
const openPeer = async (number: number, other: 'nobody' | 'null' | 'companion', good: boolean): Promise<Peer> => {
  const ip = `${IP}${number}`;
  const server = await prepareServer({
    sip: `${ip}:15060`,
    users: 'alice:secret,bob:secret',
    change: other === 'nobody' ? unhooked : marked,
    defines: DEFINES,
    yaml: YAML,
  });
  const { host, ask, tell, control } = server.prepared.line;
  const peer =
    other === 'companion'
      ? [server.startCompanion()]
      : other === 'null'
        ? [
            startProgram(
              process.execPath,
              [NULL_RESPONDER, host, `${ask}`, `${tell}`, `${control}`, server.secrets.down],
              server.log,
            ),
          ]
        : [];
  const kamailio = server.startKamailio();
  await until('Kamailio answers', async () => (await server.keys('ipban')) !== undefined, 20_000);
  if (other === 'companion') await server.connected();
  await sleep(1_000);
  const caller = await openCaller({ ip, port: 15_060 }, 64, 120 + number, 'alice');
  if (good) await caller.authenticate('secret');
  return {
    caller,
    trips: [],
    rates: [],
    async stop() {
      caller.close();
      await Promise.all([kamailio, ...peer].map(async (program) => program.stop()));
      await server.close();
    },
  };
};

const ms = (value: number): string => `${round(value, 3)} ms`;

/** What the hook costs a request, and what companion adds to it: the same requests to four servers, in turn. */
export const measureHook = async (): Promise<Row[]> => {
  const peers: Peer[] = [];
  try {
    for (const [other, good] of [
      ['nobody', false],
      ['null', false],
      ['companion', false],
      ['companion', true],
    ] as const)
      peers.push(await openPeer(peers.length + 1, other, good));
    const [none, bare, ask, tell] = peers as [Peer, Peer, Peer, Peer];
    for (const { caller } of peers) await caller.oneAfterTheOther(TRIPS);
    for (let turn = 0; turn < ROUNDS; turn += 1) {
      for (const { caller, trips } of peers) trips.push(...(await caller.oneAfterTheOther(TRIPS)));
    }
    const unasked = ask.caller.unasked + bare.caller.unasked;
    for (const { caller } of peers) await caller.atOnce(AT_ONCE, LOAD_MS / 2);
    for (let turn = 0; turn < ROUNDS; turn += 1) {
      for (const { caller, rates } of peers) rates.push(await caller.atOnce(AT_ONCE, LOAD_MS));
    }
    const at = ({ trips }: Peer, share: number): number => quantile(trips, share);
    const rate = ({ rates }: Peer): number => quantile(rates, 0.5);
    const trip = (name: string, share: number, aim: number): Row => {
      const ratio = at(ask, share) / at(bare, share);
      return {
        what: `ask round trip, ${name}`,
        measured: `${ms(at(ask, share))} (${round(ratio)}×)`,
        beside: `null responder ${ms(at(bare, share))}, no hook ${ms(at(none, share))}`,
        aim: `≤ ${aim}× null`,
        met: ratio <= aim,
        figures: { ms: at(ask, share), null: at(bare, share), none: at(none, share), ratio: round(ratio), unasked },
      };
    };
    const load = (name: string, peer: Peer, beside: string): Row => ({
      what: `requests a second, ${name}`,
      measured: `${short(rate(peer))} (${round(rate(peer) / rate(none))}× of no hook)`,
      beside,
      figures: { rate: round(rate(peer), 0), none: round(rate(none), 0), ratio: round(rate(peer) / rate(none)) },
    });
    return [
      trip('p50', 0.5, AIM_P50),
      trip('p99', 0.99, AIM_P99),
      load('tell', tell, `no hook ${short(rate(none))}, ${AT_ONCE} under way, one client process`),
      load('ask', ask, `null responder ${short(rate(bare))} (${round(rate(bare) / rate(none))}×)`),
    ];
  } finally {
    await Promise.all(peers.map(async (peer) => peer.stop()));
  }
};
