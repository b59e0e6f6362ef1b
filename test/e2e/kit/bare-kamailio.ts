import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A Kamailio without companion: modules and routes of a test, one worker, and a door to its htables. */
export interface BareKamailio {
  /** Every key of an htable. */
  dump(table: string): Promise<ReadonlyMap<string, number>>;
  log(): string;
  stop(): Promise<void>;
}

interface Dumped {
  readonly result?: readonly { readonly slot: readonly { readonly name: string; readonly value: number }[] }[];
}

const START_MS = 5_000;

/** @param config everything but sockets and RPC, which are at `ip`: SIP on 15060, RPC on 15061 */
export const startBareKamailio = async (ip: string, config: string): Promise<BareKamailio> => {
  const directory = mkdtempSync(join(tmpdir(), 'bare-kamailio-'));
  const file = join(directory, 'kamailio.cfg');
  const logFile = join(directory, 'log');
  writeFileSync(
    file,
    [
      '#!KAMAILIO',
      'debug=1',
      'children=1',
      'log_stderror=yes',
      `listen=udp:${ip}:15060`,
      `listen=tcp:${ip}:15060`,
      'tcp_children=1',
      'loadmodule "jsonrpcs.so"',
      'modparam("jsonrpcs", "transport", 4)',
      `modparam("jsonrpcs", "dgram_socket", "udp:${ip}:15061")`,
      config,
    ].join('\n'),
  );
  const child = spawn('/bin/sh', [
    '-c',
    `exec kamailio -f "${file}" -DD -E -Y "${directory}" -P "${join(directory, 'pid')}" -m 64 >"${logFile}" 2>&1`,
  ]);
  const ended = once(child, 'exit');
  const door = createSocket('udp4');
  door.bind(0, ip);
  await once(door, 'listening');
  let id = 0;
  const call = async (method: string, params: readonly unknown[]): Promise<unknown> => {
    id += 1;
    const answer = once(door, 'message', { signal: AbortSignal.timeout(1_000) });
    door.send(JSON.stringify({ jsonrpc: '2.0', method, params, id }), 15_061, ip);
    const [text] = (await answer) as [Buffer];
    return JSON.parse(text.toString()) as unknown;
  };
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
    door.close();
    rmSync(directory, { recursive: true, force: true });
  };
  for (const deadline = Date.now() + START_MS; ;) {
    if (child.exitCode !== null || Date.now() > deadline) {
      const log = readFileSync(logFile, 'utf8');
      await stop();
      throw new Error(`Kamailio did not start: ${log.slice(-2_000)}`);
    }
    const up = await call('core.uptime', []).catch(() => undefined);
    if (up !== undefined) break;
    await sleep(50);
  }
  return {
    dump: async (table) => {
      const { result = [] } = (await call('htable.dump', [table])) as Dumped;
      return new Map(result.flatMap(({ slot }) => slot.map(({ name, value }) => [name, value] as const)));
    },
    log: () => readFileSync(logFile, 'utf8'),
    stop,
  };
};
