import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { entryKey, type Change, type Entry } from '../../../src/model/index.ts';
import { PendingChanges } from '../../../src/store/pending.ts';
import { ban, evidence, good, list, NOW, put, quarantine, remove } from './samples.ts';

const taken = (pending: PendingChanges): Change[] => [...pending.take(1_000).values()].map(({ change }) => change);

describe('PendingChanges', () => {
  it('leaves evidence out above its limit, and counts the lines; the decision stays', () => {
    const pending = new PendingChanges(2);
    pending.add(put(ban('10.0.0.1')), NOW, 1);
    pending.add(put(ban('10.0.0.2')), NOW, 2);
    pending.add(put(ban('10.0.0.3', { evidence: evidence(7) })), NOW, 3);
    pending.add(put(quarantine('10.0.0.4', { evidence: evidence(3) })), NOW, 4);
    pending.add(put(list('allow', '10.0.0.5/32')), NOW, 5);
    pending.add(put(ban('10.0.0.1', { evidence: evidence(4) })), NOW, 6); // Had its place before.
    expect([pending.size, pending.droppedEvidence]).toEqual([5, 10]);
    const lines = [...pending.take(10).values()].map(({ change, stripped }) => [
      entryKey(change.entry),
      'evidence' in change.entry ? change.entry.evidence.length : null,
      stripped,
    ]);
    expect(lines).toEqual([
      ['ban 10.0.0.2', 2, false],
      ['ban 10.0.0.3', 0, true],
      ['quarantine 10.0.0.4', 0, true],
      ['allow 10.0.0.5/32', null, true],
      ['ban 10.0.0.1', 4, false],
    ]);
  });

  it('bounds texts and evidence', () => {
    const pending = new PendingChanges(10);
    const text = `${'x'.repeat(299)}😀${'y'.repeat(500)}`;
    pending.add(
      put(
        ban('10.0.0.1', { reason: text, rules: Array.from({ length: 99 }, () => text), evidence: evidence(25, text) }),
      ),
      NOW,
      1,
    );
    const entry = taken(pending)[0]?.entry;
    if (entry?.kind !== 'ban') throw new Error('no ban');
    expect([entry.reason.length, entry.rules.length, entry.rules[0]?.length, entry.evidence.length]).toEqual([
      299, 50, 200, 20,
    ]);
    expect(entry.evidence.at(-1)?.at).toBe(NOW - 1);
    expect(entry.evidence.every((line) => line.text === 'x'.repeat(299))).toBe(true);
  });

  it('forgets what came and went without ever reaching the disk, but for bans', () => {
    const pending = new PendingChanges(10);
    pending.learn([good('192.0.2.9', 'old')]);
    for (const entry of [good('192.0.2.1', 'a'), quarantine('10.0.0.1'), ban('10.0.0.2'), good('192.0.2.9', 'old')]) {
      pending.add(put(entry), NOW, 1);
      pending.add(remove(entry), NOW, 2);
    }
    expect(taken(pending)).toEqual([remove(ban('10.0.0.2')), remove(good('192.0.2.9', 'old'))]);
  });

  it('keeps removals while it does not know what is on disk', () => {
    const pending = new PendingChanges(10);
    pending.add(put(good('192.0.2.1', 'a')), NOW, 1);
    pending.add(remove(good('192.0.2.1', 'a')), NOW, 2);
    expect(taken(pending)).toEqual([remove(good('192.0.2.1', 'a'))]);
  });

  it('does not grow with time on a dead disk', () => {
    const pending = new PendingChanges(100);
    pending.learn([]);
    for (let count = 0; count < 20_000; count++) {
      const entry = quarantine(`10.0.${count % 256}.${count >> 8}`);
      pending.add(put(entry), NOW, count);
      pending.take(10);
      pending.giveBack();
      pending.add(remove(entry), NOW, count);
    }
    // Only what was tried to be written may be on disk, and needs its removal.
    expect(pending.size).toBeLessThanOrEqual(100);
  });

  it('ends with the same rows as writing every change at once, whatever fails in between', () => {
    const entries: Entry[] = [
      ...[1, 2, 3].map((since) => ban('10.0.0.1', { since })),
      ...[1, 2].map((since) => quarantine('10.0.0.1', { since })),
      good('192.0.2.1', 'a'),
      good('192.0.2.1', 'b'),
      list('deny', '10.0.0.0/8'),
    ];
    const step = fc.oneof(
      fc.record({ op: fc.constantFrom('put', 'remove'), entry: fc.constantFrom(...entries) }),
      fc.constantFrom('fail', 'write', 'lost-answer', 'load'),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.array(step, { maxLength: 80 }), (limit, steps) => {
        const pending = new PendingChanges(limit);
        const expected = new Map<string, number>();
        const disk = new Map<string, Entry>();
        const write = (): void => {
          for (const { change } of pending.take(3).values()) {
            if (change.op === 'put') disk.set(entryKey(change.entry), change.entry);
            else disk.delete(entryKey(change.entry));
          }
        };
        let handed = 0;
        for (const what of steps) {
          if (typeof what === 'object') {
            const change = what.op === 'put' ? put(what.entry) : remove(what.entry);
            pending.add(change, NOW, ++handed);
            if (what.op === 'put') expected.set(entryKey(what.entry), what.entry.since);
            else expected.delete(entryKey(what.entry));
          } else if (what === 'load') pending.learn([...disk.values()]);
          else if (what === 'write') {
            write();
            pending.committed();
          } else {
            if (what === 'lost-answer') write();
            else pending.take(3);
            pending.giveBack();
          }
        }
        while (pending.size > 0) {
          write();
          pending.committed();
        }
        const rows = new Map([...disk].map(([key, entry]) => [key, entry.since]));
        expect(new Map([...rows].toSorted())).toEqual(new Map([...expected].toSorted()));
        expect(pending.waitsFor(Infinity)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
});
