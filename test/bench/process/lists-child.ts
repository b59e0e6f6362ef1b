/** Loads as many networks as its argument says, looks addresses up in them, and says what that cost. Run with --expose-gc. */
import { BlockList } from 'node:net';
import { buildNetworkTable, NetworkTable, readNetworks } from '../../../src/enrich/networks/index.ts';
import { quantile } from '../../e2e/kit/figures.ts';

const count = Number(process.argv[2]);
const LOOKUPS = 1_000_000;
const PEER_LOOKUPS = 20_000;
const ROUNDS = 5;

let state = 1;
/** 32 bits, the same ones in each run. */
const random = (): number => {
  state = (state + 0x9e37_79b9) | 0;
  let mixed = Math.imul(state ^ (state >>> 16), 0x21f0_aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a_2d97);
  return (mixed ^ (mixed >>> 15)) >>> 0;
};
const v4 = (bits: number): string => `${bits >>> 24}.${(bits >>> 16) & 255}.${(bits >>> 8) & 255}.${bits & 255}`;
const v6 = (bits: number): string =>
  `2001:${(bits >>> 16).toString(16)}:${(bits & 0xffff).toString(16)}:${(random() & 0xffff).toString(16)}::`;

/** As feeds are: mostly single addresses, then /24 and smaller, a few wide ones, a tenth of IPv6. */
const LENGTHS = [32, 32, 32, 32, 32, 32, 32, 32, 24, 24, 24, 29, 28, 22, 20, 16];
const lines = Array.from({ length: count }, (_, n) =>
  n % 10 === 9 ? `${v6(random())}/${n % 20 === 9 ? 64 : 48}` : `${v4(random())}/${LENGTHS[random() % LENGTHS.length]}`,
);
const bytes = Buffer.from(lines.join('\n'));
const asked = Array.from({ length: 65_536 }, (_, n) => (n % 10 === 9 ? `${v6(random())}1` : v4(random())));

const resident = (): number => {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().rss;
};
const before = resident();
const began = performance.now();
const table = new NetworkTable(buildNetworkTable(readNetworks([{ name: 'deny', bytes }])));
const loadMs = performance.now() - began;
const peak = process.memoryUsage().rss;

let hits = 0;
const nanoseconds = (lookups: number, has: (ip: string) => boolean): number => {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    for (let n = 0; n < lookups; n += 1) if (has(asked[n & 0xffff]!)) hits += 1;
    return ((performance.now() - start) * 1e6) / lookups;
  });
  return quantile(rounds, 0.5);
};
const lookup = nanoseconds(LOOKUPS, (ip) => table.has(ip));
const share = hits / (LOOKUPS * ROUNDS);
const after = resident();

const peer = new BlockList();
const peerBegan = performance.now();
for (const line of lines) {
  const [network = '', prefix = ''] = line.split('/');
  peer.addSubnet(network, Number(prefix), network.includes(':') ? 'ipv6' : 'ipv4');
}
const peerLoadMs = performance.now() - peerBegan;
const peerMemory = resident() - after;
const peerLookup = nanoseconds(PEER_LOOKUPS, (ip) => peer.check(ip, ip.includes(':') ? 'ipv6' : 'ipv4'));

process.stdout.write(
  `${JSON.stringify({ size: table.size, loadMs, lookup, share, before, peak, after, peerLoadMs, peerLookup, peerMemory })}\n`,
);
