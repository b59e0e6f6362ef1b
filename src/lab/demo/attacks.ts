import { setTimeout as sleep } from 'node:timers/promises';
import type { EnforcementWatch } from './enforcement.ts';
import type { Attack } from './figures.ts';
import { runQuietScan } from './quiet-scan.ts';
import { runSvwar } from './svwar.ts';
import { paint, quoted, say } from './terminal.ts';
import { openWiretap } from './wiretap.ts';

/** Whom the attackers meet. */
export interface Scene {
  readonly server: { readonly ip: string; readonly port: number };
  readonly watch: EnforcementWatch;
  readonly range: { readonly first: number; readonly last: number };
  /** Subscribers in the range. */
  readonly existing: number;
  readonly signal: AbortSignal;
}

const SVWAR_DEADLINE_MS = 20_000;
const SCAN_EVERY_MS = 15;
/** For the last confirmation by Kamailio. */
const SETTLE_MS = 300;

/** The real svwar, as it comes. */
export const attackWithSvwar = async (scene: Scene, attacker: string): Promise<Attack> => {
  const { server, range, signal } = scene;
  const tap = await openWiretap(attacker, server);
  try {
    const extensions = `${range.first}-${range.last}`;
    const deadlineMs = SVWAR_DEADLINE_MS;
    const target = { target: attacker, port: tap.port, domain: server.ip };
    const { learned, verdict } = await runSvwar({ ...target, extensions, deadlineMs, signal });
    await sleep(SETTLE_MS);
    say(`  svwar ends and says: ${paint('bold', quoted(verdict))}`);
    return { name: 'svwar', wire: tap, enforcement: scene.watch.of(attacker), learned, existing: scene.existing };
  } finally {
    tap.close();
  }
};

/** The same scan by a scanner that nobody knows. */
export const attackQuietly = async (scene: Scene, attacker: string): Promise<Attack> => {
  const { server, range, signal } = scene;
  const extensions = Array.from({ length: range.last - range.first + 1 }, (_, index) => String(range.first + index));
  const where = { attacker, server, domain: server.ip };
  const wire = await runQuietScan({ ...where, extensions, everyMs: SCAN_EVERY_MS, signal });
  say(`  the scanner ends: ${wire.answers.length} answers to ${wire.sent.length} requests`);
  const { learned } = wire;
  const enforcement = scene.watch.of(attacker);
  return { name: 'the scanner without marks', wire, enforcement, learned, existing: scene.existing };
};
