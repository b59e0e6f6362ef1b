import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Ledger } from '../../src/decide/index.ts';
import { entryKey, identityOf, type Entry } from '../../src/model/index.ts';

const CAP = 4;
const CAPPED = ['ban', 'quarantine', 'throttle', 'throttle-user', 'good'] as const;

const ip = fc.constantFrom('192.0.2.1', '192.0.2.2', '192.0.2.3', '2001:db8::1', '2001:db8::2', '2001:db8:0:1::1');
const until = fc.option(fc.integer({ min: 0, max: 50 }), { freq: 4 });
const origin = fc.constantFrom('detector', 'detector', 'detector', 'operator', 'foreign');
const base = { since: 0, reason: 'test', rules: [], evidence: [] } as const;

const entry = fc
  .record({
    kind: fc.constantFrom(...CAPPED, 'deny' as const),
    ip,
    until,
    origin,
    user: fc.constantFrom('a', 'b c'),
    port: fc.constantFrom(1, 2),
  })
  .map(({ kind, ip: address, until: end, origin: who, user, port }): Entry => {
    const common = { ...base, until: end, origin: who, subject: identityOf(address) };
    switch (kind) {
      case 'ban':
        return { ...common, kind, level: 1 };
      case 'quarantine':
        return { ...common, kind };
      case 'throttle':
        return { ...common, kind, perSecond: 1 };
      case 'throttle-user':
        return { ...common, kind, user, intervalSeconds: 1 };
      case 'good':
        return { ...base, kind, ip: address, port, user, until: end, origin: who };
      case 'deny':
        return { ...common, kind, note: '', author: '' };
    }
  });

const step = fc.oneof(
  { weight: 6, arbitrary: entry.map((put) => ({ put })) },
  { weight: 2, arbitrary: entry.map((remove) => ({ remove })) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 12 }).map((later) => ({ later })) },
);

test('after any sequence the ledger holds what a plain map would, and its changes tell the same story', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const ledger = new Ledger({ bans: CAP, quarantined: CAP, throttled: CAP, good: CAP }, identityOf);
      /** What the changes say. */
      const told = new Map<string, Entry>();
      let now = 0;
      for (const act of steps) {
        const before = new Map(told);
        const changes =
          'put' in act
            ? ledger.put(act.put)
            : 'remove' in act
              ? ledger.remove(entryKey(act.remove), 'operator')
              : ledger.expire((now += act.later));
        for (const { op, entry: changed } of changes) {
          if (op === 'put') told.set(entryKey(changed), changed);
          else {
            expect(told.get(entryKey(changed))).toBe(changed);
            told.delete(entryKey(changed));
          }
        }

        if ('put' in act) {
          const key = entryKey(act.put);
          const same = [...before.values()].filter(({ kind }) => kind === act.put.kind);
          const full = !before.has(key) && act.put.kind !== 'deny' && same.length >= CAP;
          const victim = full && same.some((held) => held.origin === 'detector');
          expect(changes.length).toBe(victim ? 2 : 1);
          const gone = changes[1]?.entry;
          if (gone !== undefined) expect([gone.origin, gone.kind]).toEqual(['detector', act.put.kind]);
          expect(told.get(key)).toBe(act.put);
        } else if ('remove' in act) {
          expect(changes.length).toBe(before.has(entryKey(act.remove)) ? 1 : 0);
        } else {
          const ended = [...before.values()].filter((held) => held.until !== null && held.until <= now);
          expect(new Set(changes.map((change) => change.entry))).toEqual(new Set(ended));
        }

        expect(new Set(ledger.entries())).toEqual(new Set(told.values()));
        for (const kind of [...CAPPED, 'deny'] as const)
          expect(ledger.count(kind)).toBe([...told.values()].filter((held) => held.kind === kind).length);
        for (const identity of ['192.0.2.1', '2001:db8::/64', '2001:db8:0:1::/64'])
          expect(new Set(ledger.goodOf(identity))).toEqual(
            new Set([...told.values()].filter((held) => held.kind === 'good' && identityOf(held.ip) === identity)),
          );
      }
    }),
    { numRuns: 300 },
  );
});
