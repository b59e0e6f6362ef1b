import { expect } from 'vitest';
import { figure } from './companion.ts';
import { quantile, spread } from './figures.ts';
import { openTcp } from './scanner.ts';
import { requestText } from './sip-text.ts';
import type { Testbed } from './testbed.ts';
import { openUdp } from './udp-client.ts';

/** Sources for the time to enforcement. */
export const SOURCES = 25;
/** Longest wait for a key: a push takes a few milliseconds, on a busy machine more. */
const HELD_WITHIN_MS = 5_000;
const ENFORCED_WITHIN_MS = 50;
const WANTED_MS = 5;

/** Asks Kamailio for a key again and again. @returns when it was there */
export const heldAt = async (bed: Testbed, table: string, key: string): Promise<number> => {
  const deadline = performance.now() + HELD_WITHIN_MS;
  while (performance.now() < deadline) {
    const held = await bed.rpc.call('htable.get', [table, key]).catch(() => undefined);
    if (held !== undefined) return performance.now();
  }
  throw new Error(`${table} never held ${key}`);
};

export const showTimes = (name: string, times: readonly number[]): void => {
  figure(`time to enforcement, ${name}`, {
    times: spread(times),
    [`median ≤ ${WANTED_MS} ms`]: quantile(times, 0.5) <= WANTED_MS ? 'yes' : 'NO',
  });
  expect(quantile(times, 0.5)).toBeLessThanOrEqual(ENFORCED_WITHIN_MS);
};

/** From the packet that gives a tool away to the key in Kamailio's table: UDP to quarantine, TCP to ban. */
export const expectToolsEnforced = async (bed: Testbed, udpNet: string, tcpNet: string): Promise<void> => {
  const times: Record<'udp' | 'tcp', number[]> = { udp: [], tcp: [] };
  for (let index = 0; index < SOURCES; index += 1) {
    const aor = `sip:100@${bed.domain}`;
    const parts = { method: 'REGISTER', uri: `sip:${bed.domain}`, from: aor, to: aor, agent: 'friendly-scanner' };
    const udp = await openUdp(`${udpNet}.${index + 1}`, bed.server);
    await bed.rpc.call('core.uptime');
    let sentAt = performance.now();
    await udp.send(requestText({ ...parts, local: udp.local }));
    times.udp.push((await heldAt(bed, 'companion_state', `q${udp.ip}`)) - sentAt);
    udp.close();
    const ip = `${tcpNet}.${index + 1}`;
    const tcp = await openTcp({ from: ip, server: bed.server });
    sentAt = performance.now();
    tcp?.send(requestText({ ...parts, local: tcp.local, transport: 'TCP' }));
    times.tcp.push((await heldAt(bed, 'ipban', ip)) - sentAt);
    tcp?.close();
  }
  showTimes('tool over UDP', times.udp);
  showTimes('tool over TCP', times.tcp);
};
