/** Loads as many networks as its argument says, looks addresses up in them, and says what that cost. Run with --expose-gc. */
import { BlockList } from 'node:net';
import { buildNetworkTable, NetworkTable, readNetworks } from '../../../src/enrich/networks/index.ts';
import { quantile } from '../../e2e/kit/figures.ts';
import { askedAddresses, denyLines } from './deny-lines.ts';

const count = Number(process.argv[2]);
const LOOKUPS = 1_000_000;
const PEER_LOOKUPS = 20_000;
const ROUNDS = 5;

const lines = denyLines(count);
const bytes = Buffer.from(lines.join('\n'));
const asked = askedAddresses();

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
