import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { entryKey, type Entry } from '../../../src/model/index.ts';
import { auditLine, ban, evidence, good, list, NOW, put, remove, storeRoom } from './samples.ts';

let room: ReturnType<typeof storeRoom>;
beforeEach(() => {
  room = storeRoom();
});
afterEach(() => room.leave());

const NASTY = [
  "'; DROP TABLE entries; --",
  'a\0b',
  '😀',
  '\ud83d',
  '\udc00x',
  '\u202eevil',
  '\x1b[2J',
  '"\\',
  '\ufffd',
  '',
];

describe('hostile text', () => {
  it('in entries comes back as it was, and keys stay distinct', async () => {
    const records = await room.open();
    const entries: Entry[] = NASTY.flatMap((text) => [
      good('192.0.2.1', text),
      {
        kind: 'throttle-user',
        subject: '192.0.2.1',
        user: text,
        since: NOW,
        until: null,
        origin: 'detector',
        reason: text,
        intervalSeconds: 1,
      },
    ]);
    entries.push(list('allow', '203.0.113.1/32', { note: NASTY.join(''), author: NASTY.join('') }));
    entries.push(ban('198.51.100.1', { rules: NASTY, evidence: NASTY.flatMap((text) => evidence(1, text)) }));
    for (const entry of entries) records.remember(put(entry), NOW);
    await records.flush();
    const loaded = (await records.load(NOW)).entries;
    expect(loaded).toHaveLength(entries.length);
    expect(loaded).toEqual(expect.arrayContaining(entries));
    expect((await records.history('198.51.100.1', 1))[0]?.evidence.map(({ text }) => text)).toEqual(NASTY);
    for (const entry of entries) records.remember(remove(entry), NOW);
    await records.flush();
    expect((await records.load(NOW)).entries).toEqual([]);
    expect(records.stats().failures).toBe(0);
  });

  it('in the audit trail comes back harmless', async () => {
    const records = await room.open();
    const text = NASTY.join('|');
    records.audit(auditLine({ actor: text, action: text, subject: text, detail: text.repeat(100) }));
    await records.flush();
    const [line] = await records.auditTrail(text.slice(0, 200), 1);
    expect(line?.subject).toBe(text.toWellFormed().replaceAll('\0', '\ufffd'));
    expect(line?.detail.length).toBeLessThanOrEqual(1_000);
  });

  it('of any kind neither fails nor mixes up two users', async () => {
    const records = await room.open();
    const user = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 6 }).map((codes) => String.fromCharCode(...codes)),
    );
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(user, { maxLength: 20 }), async (users) => {
        const entries = users.map((name) => good('192.0.2.1', name));
        for (const entry of entries) records.remember(put(entry), NOW);
        await records.flush();
        const keys = (await records.load(NOW)).entries.map(entryKey);
        expect(keys.toSorted()).toEqual(entries.map(entryKey).toSorted());
        for (const entry of entries) records.remember(remove(entry), NOW);
        await records.flush();
      }),
      { numRuns: 30 },
    );
    expect(records.stats().failures).toBe(0);
  });

  it('that cannot be stored at all costs its own row only', async () => {
    const records = await room.open();
    const broken = { ...ban('198.51.100.1'), since: undefined as unknown as number };
    for (const entry of [ban('198.51.100.0'), broken, ban('198.51.100.2')]) records.remember(put(entry), NOW);
    await records.flush();
    const subjects = (await records.load(NOW)).entries.map((entry) => entry.kind === 'ban' && entry.subject);
    expect(subjects).toEqual(expect.arrayContaining(['198.51.100.0', '198.51.100.2']));
    expect(records.stats().lastError).not.toBe('');
    expect(records.stats().queued).toBe(0);
  });
});
