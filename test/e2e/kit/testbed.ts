import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { createKamailioRpc } from '../../../src/enforce/kamailio/door/rpc.ts';
import type { KamailioRpc } from '../../../src/enforce/kamailio/door/rpc.ts';
import { startLab } from '../../../src/lab/index.ts';
import type { Lab } from '../../../src/lab/index.ts';
import { operatorOf } from './control.ts';

export interface TestbedOptions {
  /** `127.81.1.1:15060` or `[::1]:15060`. */
  readonly sip: string;
  /** Extension → password. */
  readonly users: Readonly<Record<string, string>>;
  /** Companion's settings, as YAML. */
  readonly yaml?: string;
  readonly domain?: string;
}

/** A lab, and every way to look at it from outside. */
export interface Testbed {
  readonly lab: Lab;
  readonly server: { readonly ip: string; readonly port: number };
  readonly domain: string;
  readonly operator: ReturnType<typeof operatorOf>;
  /** Into Kamailio through the guarded door, as companion does. */
  readonly rpc: KamailioRpc;
  /** The value under a key of one of Kamailio's tables; undefined when there is none. */
  held(table: string, key: string): Promise<string | number | undefined>;
  /** Key → value of a (small) table. */
  table(name: string): Promise<Map<string, string | number>>;
  /** Kamailio's own counters, without their `c.`. */
  counters(): Promise<Record<string, number>>;
  /** Lines of Kamailio's log that complain. */
  complaints(): readonly string[];
  stop(): Promise<void>;
}

/** Extensions `first` to `last`, each with the password that `of` gives it. */
export const extensions = (first: number, last: number, of: (name: string) => string): Record<string, string> =>
  Object.fromEntries(
    Array.from({ length: last - first + 1 }, (_, step) => String(first + step)).map((name) => [name, of(name)]),
  );

interface Cell {
  readonly name: string;
  readonly value: string | number;
}

/** Starts a lab with everything that tests look through. */
export const openTestbed = async (options: TestbedOptions): Promise<Testbed> => {
  const folder = mkdtempSync(join(tmpdir(), 'testbed-'));
  const config = join(folder, 'companion.yaml');
  writeFileSync(config, options.yaml ?? '');
  const users = Object.entries(options.users)
    .map(([name, password]) => `${name}:${password}`)
    .join(',');
  let lab: Lab;
  try {
    lab = await startLab({ sip: options.sip, users, config, domain: options.domain });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const { ready } = lab;
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(ready.sip) ?? [];
  const { nodes } = parse(readFileSync(ready.config, 'utf8')) as { nodes: { rpc: string }[] };
  const secrets = readFileSync(join(ready.state, 'kamailio-secret.cfg'), 'utf8');
  const token = /COMPANION_SECRET_DOWN\s+"?(\w+)/.exec(secrets)?.[1] ?? '';
  const rpc = createKamailioRpc({ url: nodes[0]?.rpc ?? '', token });
  const table = async (name: string): Promise<Map<string, string | number>> => {
    const slots = await rpc.call('htable.dump', [name], { slow: true });
    if (!Array.isArray(slots)) return new Map();
    const cells = (slots as { slot: Cell[] }[]).flatMap(({ slot }) => slot);
    return new Map(cells.map((cell) => [cell.name, cell.value]));
  };
  return {
    lab,
    server: { ip: host.replace(/[[\]]/g, ''), port: Number(port) },
    domain: options.domain ?? host,
    operator: operatorOf(ready.socket),
    rpc,
    held: async (name, key) => {
      try {
        return ((await rpc.call('htable.get', [name, key])) as { item: Cell }).item.value;
      } catch {
        return undefined;
      }
    },
    table,
    counters: async () =>
      Object.fromEntries(
        [...(await table('companion_meta'))]
          .filter(([key]) => key.startsWith('c.'))
          .map(([key, value]) => [key.slice(2), Number(value)]),
      ),
    complaints: () =>
      readFileSync(join(lab.directory, 'kamailio.log'), 'utf8')
        .split('\n')
        .filter((line) => /\b(?:ERROR|CRITICAL|ALERT|EMERG|BUG)\b/.test(line)),
    stop: async () => {
      await rpc.close();
      await lab.stop();
    },
  };
};
