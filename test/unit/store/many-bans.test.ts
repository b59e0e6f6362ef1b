import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ban, evidence, NOW, put, storeRoom } from './samples.ts';

let room: ReturnType<typeof storeRoom>;
beforeEach(() => {
  room = storeRoom();
});
afterEach(() => room.leave());

const BANS = 100_000;

describe('a hundred thousand bans', () => {
  it('are handed over, written and loaded (times are printed, not judged)', { timeout: 120_000 }, async () => {
    const lines: string[] = [];
    let start = performance.now();
    const lap = (what: string): void => {
      lines.push(`${what} ${Math.round(performance.now() - start)} ms`);
      start = performance.now();
    };
    const records = await room.open({ queueLimit: BANS });
    lap('open');
    const proof = evidence(5);
    for (let number = 0; number < BANS; number++) {
      records.remember(put(ban(`10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`, { evidence: proof })), NOW);
    }
    lap('remember');
    while (records.stats().queued > 0) await records.flush().catch(() => undefined);
    lap('write');
    await records.close();
    lap('close');
    const again = await room.open();
    lap('open again');
    const { entries, ladder } = await again.load(NOW);
    lap('load');
    expect([entries.length, ladder.length, again.stats().failures]).toEqual([BANS, BANS, 0]);
    console.log(`${BANS} bans: ${lines.join(', ')}`);
  });
});
