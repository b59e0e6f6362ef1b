import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKamailioRpc } from '../../../src/enforce/kamailio/door/rpc.ts';
import type { KamailioRpc } from '../../../src/enforce/kamailio/door/rpc.ts';
import { startLab } from '../../../src/lab/index.ts';
import type { Lab } from '../../../src/lab/index.ts';
import type { CheckReport, WhyReport } from '../../../src/model/index.ts';
import { logOf, operate } from './companion.ts';
import { lineOf, openDoor } from './door.ts';
import type { Door } from './door.ts';

export interface TestbedOptions {
  /** `127.81.1.1:15060` or `[::1]:15060`. */
  readonly sip: string;
  /** Extension → password. */
  readonly users: Readonly<Record<string, string>>;
  /** Companion's settings, as YAML. */
  readonly yaml?: string;
  readonly transport?: 'datagram' | 'evapi' | 'http';
}

/** A lab, and the ways to look at it from outside. */
export interface Testbed {
  readonly lab: Lab;
  readonly server: { readonly ip: string; readonly port: number };
  /** As it stands in URIs. */
  readonly domain: string;
  readonly realm: string;
  readonly door: Door;
  /** The same door, with companion's own fast client. */
  readonly rpc: KamailioRpc;
  check(ip: string): Promise<CheckReport>;
  why(ip: string): Promise<WhyReport>;
  /** Kamailio's own counters (`c.*`), without their prefix. */
  counters(): Promise<Readonly<Record<string, number>>>;
  /** Lines of Kamailio's log that complain. */
  complaints(): readonly string[];
  stop(): Promise<void>;
}

/** Extensions `first` to `last`, each with the password that `of` gives it. */
export const extensions = (first: number, last: number, of: (name: string) => string): Record<string, string> =>
  Object.fromEntries(
    Array.from({ length: last - first + 1 }, (_, step) => String(first + step)).map((name) => [name, of(name)]),
  );

/** Starts a lab with everything that tests look through. */
export const openTestbed = async ({ sip, users, yaml = '', transport }: TestbedOptions): Promise<Testbed> => {
  const folder = mkdtempSync(join(tmpdir(), 'testbed-'));
  const config = join(folder, 'companion.yaml');
  writeFileSync(config, yaml);
  const pairs = Object.entries(users).map(([name, password]) => `${name}:${password}`);
  let lab: Lab;
  try {
    lab = await startLab({ sip, users: pairs.join(','), config, transport });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const [, domain = '', port = ''] = /^(.*):(\d+)$/.exec(lab.ready.sip) ?? [];
  const ip = domain.replace(/[[\]]/g, '');
  const line = lineOf(lab);
  const door = openDoor(lab);
  const rpc = createKamailioRpc({ url: line.rpc, token: line.down });
  return {
    lab,
    server: { ip, port: Number(port) },
    domain,
    realm: ip,
    door,
    rpc,
    check: async (address) => operate<CheckReport>(lab, 'check', { ip: address }),
    why: async (address) => operate<WhyReport>(lab, 'why', { ip: address }),
    counters: async () =>
      Object.fromEntries(
        [...(await door.keys('companion_meta'))]
          .filter(([key]) => key.startsWith('c.'))
          .map(([key, value]) => [key.slice(2), Number(value)]),
      ),
    complaints: () =>
      logOf(lab, 'kamailio')
        .split('\n')
        .filter((text) => /\b(?:ERROR|CRITICAL|ALERT|EMERG|BUG)\b/.test(text)),
    stop: async () => {
      await rpc.close();
      await lab.stop();
    },
  };
};
