import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../../src/config/index.ts';
import { compileTools, entriesOf, packSchema, wireIdOf, type ToolPack } from '../../../../src/enrich/index.ts';
import type { SipView } from '../../../../src/model/index.ts';
import { view } from '../../detect/events.ts';

const ENTRY = 'tool: t, risk: low, detail: d, source: s';
const pack = (text: string): ToolPack => loadConfig({ text, file: 'mine.yaml', schema: packSchema });
const one = (match: string): ToolPack => pack(`pack: mine\nentries:\n  - { name: a, ${ENTRY}, match: ${match} }\n`);
const matches = (match: string, part: Partial<SipView>): boolean => compileTools([one(match)])(view(part)) !== null;
const from = (part: Partial<SipView['from']>) => ({ from: { display: '', user: '', host: '', tag: '', ...part } });
const headers = (...names: string[]) => ({ headers: names.map((name) => ({ name, value: `value of ${name}` })) });

describe('conditions', () => {
  test.each<[string, Partial<SipView>, boolean]>([
    ['{ from_user: "100" }', from({ user: '100' }), true],
    ['{ from_user: "100" }', from({ user: '1000' }), false],
    ['{ from_user: { is: ABC, any_case: true } }', from({ user: 'aBc' }), true],
    ['{ from_user: { is: ABC } }', from({ user: 'abc' }), false],
    ['{ from_user: { is: "" } }', from({}), true],
    ['{ from_user: { one_of: [a, b] } }', from({ user: 'b' }), true],
    ['{ from_user: { starts: ab, ends: yz } }', from({ user: 'ab-yz' }), true],
    ['{ from_user: { starts: ab, ends: yz } }', from({ user: 'ab-y' }), false],
    ['{ from_user: { starts: AB, any_case: true } }', from({ user: 'abc' }), true],
    ['{ from_user: { contains: "1.1.1.1" } }', from({ user: 'x1.1.1.1y' }), true],
    ['{ from_tag: { like: "[0-9A-F]{4}", any_case: true } }', from({ tag: 'a0fE' }), true],
    ['{ branch: { like: "[a-z]{3}", not: { starts: z9h } } }', { viaBranch: 'abc' }, true],
    ['{ branch: { like: "[a-z0-9]{3}", not: { starts: z9h } } }', { viaBranch: 'z9h' }, false],
    ['{ session: sipcli }', { bodyStart: 'v=0\r\no=a 1 2 IN IP4 x\r\ns=sipcli\r\n' }, true],
    ['{ origin: a }', { bodyStart: 'v=0\r\no=a 1 2 IN IP4 x\r\ns=sipcli\r\n' }, true],
    ['{ header: { allow: value of ALLOW } }', headers('Via', 'ALLOW'), true],
    ['{ header: { Subject: value of s } }', headers('s'), true],
    ['{ header: { v: { starts: value } } }', headers('Via'), true],
    ['{ header: { allow: { is: "" } } }', headers('Via'), true],
    ['{ has: [Via, k] }', headers('v', 'Supported'), true],
    ['{ has: [Via, allow] }', headers('v', 'Supported'), false],
    ['{ lacks: [allow] }', headers('v'), true],
    ['{ lacks: [allow] }', headers('aLLow'), false],
    ['{ order: [to, from, via] }', headers('To', 'X', 'From', 'v'), true],
    ['{ order: [to, from, via] }', headers('From', 'To', 'Via'), false],
    ['{ cseq: 1 }', { cseq: 1 }, true],
    ['{ cseq: { min: 100 } }', { cseq: 102 }, true],
    ['{ cseq: { min: 100, max: 101 } }', { cseq: 102 }, false],
    ['{ cseq: { min: 0 } }', { cseq: -1 }, false],
    ['{ same: [[branch_value, call_id]] }', { viaBranch: 'z9hG4bK-abc', callId: 'abc' }, true],
    ['{ same: [[from_user, from_display]] }', from({}), false],
    ['{ tricks: [lf-only] }', { tricks: ['folded-to', 'lf-only'] }, true],
    ['{ tricks: [lf-only] }', {}, false],
    ['{ sipvicious_tag: [other] }', from({ tag: '6b6c6d0131353932383532393939' }), true],
    ['{ method: OPTIONS, cseq: 1 }', { method: 'OPTIONS', cseq: 2 }, false],
  ])('%s', (match, part, expected) => {
    expect(matches(match, part)).toBe(expected);
  });

  test('an id that somebody shared is enough', () => {
    const sip = view({ ...headers('Via', 'To', 'From'), viaBranch: 'x1' });
    expect(compileTools([one(`{ wire: ${wireIdOf(sip)} }`)])(sip)).toMatchObject({
      entry: 'a',
      tool: 't',
      detail: 'd',
    });
    expect(compileTools([one(`{ wire: [w1-00000000, ${wireIdOf(sip)}] }`)])(sip)).not.toBeNull();
    expect(compileTools([one('{ wire: w1-00000000 }')])(sip)).toBeNull();
  });
});

describe('packs', () => {
  const shipped = pack(
    `pack: one\nentries:\n` +
      `  - { name: a, ${ENTRY}, match: { cseq: 1 } }\n` +
      `  - { name: b, tool: t, risk: high, detail: d, source: s, match: { cseq: 1 } }\n`,
  );

  test('the lowest risk of a false alarm counts', () => {
    expect(compileTools([{ ...shipped, entries: shipped.entries.toReversed() }])(view())).toMatchObject({ entry: 'a' });
  });

  test('a later pack replaces an entry by its name, or switches it off', () => {
    const replaced = pack(`pack: two\nentries:\n  - { name: a, ${ENTRY}, match: { cseq: 7 } }\n`);
    expect(compileTools([shipped, replaced])(view())).toMatchObject({ entry: 'b' });
    expect(compileTools([shipped, replaced])(view({ cseq: 7 }))).toMatchObject({ entry: 'a' });
    const off = pack('pack: three\noff: [a, b]\n');
    expect(compileTools([shipped, off])(view())).toBeNull();
    expect(entriesOf([shipped, off])).toEqual([]);
  });

  test.each([
    ['pack: My Pack', /mine\.yaml:1:7 pack must be 1 to 63 small letters/],
    ['entries: []', /mine\.yaml:1:1 pack is missing/],
    ['pack: a\nentrys: []', /mine\.yaml:2:1 entrys .*entries/],
    [
      `pack: a\nentries:\n  - { name: a, ${ENTRY}, match: {} }`,
      /mine\.yaml:3:\d+ entries\[0\]\.match needs at least one/,
    ],
    [
      `pack: a\nentries:\n  - { name: a, ${ENTRY}, match: { from: x } }`,
      /mine\.yaml:3:\d+ entries\[0\]\.match\.from is not a known key/,
    ],
    [
      `pack: a\nentries:\n  - name: a\n    tool: t\n    risk: none\n    detail: d\n    source: s\n    match: { cseq: 1 }`,
      /mine\.yaml:5:11 entries\[0\]\.risk/,
    ],
    [`pack: a\nentries:\n  - { name: a, ${ENTRY}, match: { wire: w1-123 } }`, /w1- and eight hex digits/],
    [
      `pack: a\nentries:\n  - { name: a, ${ENTRY}, match: { cseq: 1 } }\n  - { name: a, ${ENTRY}, match: { cseq: 1 } }`,
      /mine\.yaml:4:\d+ entries\[1\]\.name is there twice/,
    ],
  ])('%j is refused with its place', (text, problem) => {
    expect(() => pack(text)).toThrow(problem);
  });

  test('what a text test does not know is refused', () => {
    expect(() => one('{ from_tag: { like: "[z-a]" } }')).toThrow(/mine\.yaml:3:\d+ entries\[0\]\.match\.from_tag/);
    expect(() => one('{ from_tag: { matches: ".*" } }')).toThrow(/mine\.yaml:3:\d+ entries\[0\]\.match\.from_tag/);
  });
});
