import SqliteDatabase from 'better-sqlite3';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BanEntry, Evidence } from '../../../src/model/index.ts';
import type { Page } from '../../../src/store/messages.ts';
import { readEntries } from '../../../src/store/read-entries.ts';
import { packTexts } from '../../../src/store/texts.ts';
import { toRow } from '../../../src/store/thread/rows.ts';
import { isWritten } from '../../../src/store/thread/written-evidence.ts';
import { ban, evidence, NOW, put, storeRoom } from './samples.ts';

let room: ReturnType<typeof storeRoom>;
beforeEach(() => {
  room = storeRoom();
});
afterEach(() => room.leave());

const address = (n: number): string => `10.0.${n >> 8}.${n & 255}`;

describe('loading', () => {
  it('keeps order and evidence over several pages', async () => {
    const bans = Array.from({ length: 9_000 }, (_, n) =>
      ban(address(n), { evidence: evidence(n % 4, `line ${n} ä☎`) }),
    );
    const before = await room.open({ queueLimit: 20_000 });
    for (const entry of bans) before.remember(put(entry), NOW);
    await before.close();
    const { entries } = await (await room.open()).load(NOW);
    expect(entries).toEqual(bans);
  });

  it('gives evidence to whoever reads, copies or writes an entry', async () => {
    const entry = ban('198.51.100.7', { evidence: evidence(3) });
    const before = await room.open();
    before.remember(put(entry), NOW);
    await before.close();
    const after = await room.open();
    const restored = (await after.load(NOW)).entries[0] as BanEntry;
    expect(restored.evidence.at(-1)?.text).toBe(entry.evidence.at(-1)?.text);
    expect({ ...restored }).toEqual(entry);
    expect(structuredClone(restored)).toEqual(entry);
    expect(JSON.stringify({ ...restored, until: 5 })).toBe(JSON.stringify({ ...entry, until: 5 }));
    expect(toRow(restored)).toEqual(toRow(entry));
    after.remember(put({ ...restored, level: 2 }), NOW);
    await after.close();
    expect((await (await room.open()).load(NOW)).entries).toEqual([{ ...entry, level: 2 }]);
  });

  it('reads what is right in another shape, and names each row that is not', async () => {
    const rows: readonly [key: string, body: string, evidence: string | null][] = [
      [
        'members in another order',
        JSON.stringify(ban('10.0.0.1', { evidence: [] })),
        '[{"rule":"a","at":1,"tier":"proven","points":1,"text":"b"}]',
      ],
      ['spaces', JSON.stringify(ban('10.0.0.2', { evidence: [] }), undefined, 1), ' [ ] '],
      [
        'no evidence in the body',
        '{"kind":"ban","subject":"10.0.0.3","since":1,"until":null,"origin":"detector","reason":"","level":1,"rules":[]}',
        '[]',
      ],
      [
        'bad tier',
        JSON.stringify(ban('10.0.0.4', { evidence: [] })),
        '[{"at":1,"rule":"a","tier":"sure","points":1,"text":"b"}]',
      ],
      ['bad level', JSON.stringify({ ...ban('10.0.0.5', { evidence: [] }), level: '1' }), '[]'],
      ['no object', 'null', '[]'],
      ['no json', '{', '[]'],
      ['evidence cut short', JSON.stringify(ban('10.0.0.6', { evidence: [] })), '[{"at":1,"rule":"a'],
      [
        'infinite',
        '{"kind":"ban","subject":"10.0.0.7","since":1e999,"until":null,"origin":"detector","reason":"","level":1,"rules":[],"evidence":[]}',
        '[]',
      ],
      [
        'a throttle',
        '{"kind":"throttle","subject":"10.0.0.8","since":1,"until":null,"origin":"detector","reason":"","perSecond":2}',
        null,
      ],
      [
        'another kind',
        '{"kind":"bun","subject":"10.0.0.9","since":1,"until":null,"origin":"detector","reason":""}',
        null,
      ],
    ];
    await (await room.open()).close();
    const db = new SqliteDatabase(room.file);
    for (const [key, body, lines] of rows)
      db.prepare('INSERT INTO entries VALUES (?, ?, ?, NULL, ?, ?)').run(key, 'ban', 'x', body, lines);
    db.close();
    const records = await room.open();
    const { entries } = await records.load(NOW);
    expect(entries.map((entry) => (entry.kind === 'good' ? '' : entry.subject))).toEqual([
      '10.0.0.1',
      '10.0.0.2',
      '10.0.0.3',
      '10.0.0.8',
    ]);
    expect((entries[0] as BanEntry).evidence).toEqual([{ at: 1, rule: 'a', tier: 'proven', points: 1, text: 'b' }]);
    expect(records.stats()).toMatchObject({ failures: 7, lastError: expect.stringContaining('bad tier: ') });
  });

  it('begins again when the file was replaced between two pages', async () => {
    const page = (subjects: readonly string[], next: number | undefined, rescues: number): Page => ({
      keys: packTexts(subjects),
      bodies: packTexts(subjects.map((subject) => JSON.stringify(ban(subject, { evidence: [] })))),
      evidence: packTexts(subjects.map(() => '[]')),
      odd: new Map(),
      next,
      rescues,
    });
    const pages = [
      page(['10.0.0.1', '10.0.0.2'], 2, 0),
      page(['10.0.0.9'], undefined, 1),
      page(['10.0.0.1'], 7, 1),
      page(['10.0.0.3'], undefined, 1),
    ];
    const asked: number[] = [];
    const { entries } = await readEntries(async (after) => {
      asked.push(after);
      return pages.shift()!;
    });
    expect(entries.map((entry) => (entry.kind === 'ban' ? entry.subject : ''))).toEqual(['10.0.0.1', '10.0.0.3']);
    expect(asked).toEqual([0, 2, 0, 7]);
  });
});

describe('evidence as we write it', () => {
  const line: fc.Arbitrary<Evidence> = fc.record({
    at: fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })),
    rule: fc.string({ unit: 'binary' }),
    tier: fc.constantFrom('proven', 'spoofable'),
    points: fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })),
    text: fc.string({ unit: 'binary' }),
  });

  it('is known, whatever it says', () => {
    fc.assert(fc.property(fc.array(line, { maxLength: 4 }), (lines) => isWritten(JSON.stringify(lines))));
  });

  it('is never taken for it when it is not even JSON', () => {
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1, maxLength: 2 }),
        fc.nat(),
        fc.string({ maxLength: 2 }),
        (lines, at, junk) => {
          const text = JSON.stringify(lines);
          const cut = at % text.length;
          const broken = text.slice(0, cut) + junk + text.slice(cut + 1);
          if (!isWritten(broken)) return;
          const members = (JSON.parse(broken) as Evidence[]).map((one) => Object.keys(one).join());
          expect(new Set(members)).toEqual(new Set(['at,rule,tier,points,text']));
        },
      ),
    );
  });

  it('comes to an end, however long and crooked it is', () => {
    expect(isWritten(`[{"at":1,"rule":"${String.raw`\\`.repeat(200_000)}`)).toBe(false);
  });
});
