import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createReload, explainConfig, loadConfig, loadLayers } from '../../../src/config/index.ts';
import { wireIdOf } from '../../../src/enrich/index.ts';
import { companionSchema, createJudging } from '../../../src/judging/index.ts';
import type { SipView } from '../../../src/model/index.ts';
import { ask, from, view } from '../detect/events.ts';

const directory = mkdtempSync(join(tmpdir(), 'companion-packs-'));
afterAll(() => rmSync(directory, { recursive: true }));
const file = join(directory, 'mine.yaml');
const write = (match: string): void =>
  writeFileSync(
    file,
    `pack: mine\nentries:\n  - { name: mine, tool: evil, risk: low, detail: seen here, source: own, match: ${match} }\n`,
  );
const read = () => loadConfig({ text: `packs: [${file}]`, file: 'companion.yaml', schema: companionSchema });

const STRANGE: SipView = view({ method: 'OPTIONS', viaBranch: 'strange-1', headers: [{ name: 'Via', value: 'x' }] });
const judgeOf = (config: ReturnType<typeof read>) => {
  const judging = createJudging(config, []);
  let at = 0;
  const rules = (): readonly string[] => {
    at += 1_000;
    const event = { ...ask(at, from(`203.0.113.${at / 1_000}`), 'OPTIONS', ''), sip: STRANGE };
    return judging.judged(event).findings.map(({ rule, evidence }) => `${rule}: ${evidence}`);
  };
  return { judging, rules };
};

test('an entry with the id of a shape is a rule like any other', () => {
  write(`{ wire: ${wireIdOf(STRANGE)} }`);
  expect(judgeOf(read()).rules()).toEqual(['scanner.fingerprint: built by evil: seen here']);
  write('{ wire: w1-00000000 }');
  expect(judgeOf(read()).rules()).toEqual([]);
});

test('a reload takes what changed in a pack, also where the configuration did not change', () => {
  write('{ branch: nothing }');
  const config = read();
  const { judging, rules } = judgeOf(config);
  const reload = createReload(config, read, judging.swaps);
  expect(rules()).toEqual([]);
  expect(reload()).toEqual({ changed: [], needRestart: [] });
  write('{ branch: { starts: strange } }');
  expect(reload()).toEqual({ changed: ['packs'], needRestart: [] });
  expect(rules()).toEqual(['scanner.fingerprint: built by evil: seen here']);
});

test('a wrong pack is refused with its place, and the old one goes on', () => {
  write('{ branch: { starts: strange } }');
  const config = read();
  const { judging, rules } = judgeOf(config);
  const reload = createReload(config, read, judging.swaps);
  write('{ branch: { starts: 5, like: "[z-a]" } }');
  expect(reload).toThrow(
    /companion\.yaml:1:9 packs\[0\] is a pack with a problem: .*mine\.yaml:3:\d+ entries\[0\]\.match\.branch\.starts/,
  );
  expect(reload).toThrow(/entries\[0\]\.match\.branch\.like/);
  expect(rules()).toEqual(['scanner.fingerprint: built by evil: seen here']);
});

test.each([
  ['packs: [mine.yaml]', /packs\[0\] must be an absolute path/],
  ['packs: [/nowhere/mine.yaml]', /packs\[0\] is a pack with a problem: Cannot read .*there is no such file/],
  [`packs: [${Array.from({ length: 17 }, () => '/a').join(', ')}]`, /packs holds more than 16 packs/],
])('%s is refused', (text, problem) => {
  expect(() => loadConfig({ text, schema: companionSchema })).toThrow(problem);
});

test('an entry that no pack has cannot be switched off', () => {
  writeFileSync(file, 'pack: mine\noff: [svmap-tag, swmap-tag]\n');
  expect(read).toThrow(/packs\[0\] is a pack with a problem: .*mine\.yaml switches off 'swmap-tag', which no pack/);
  writeFileSync(file, 'pack: mine\noff: [svmap-tag]\n');
  expect(read().packs).toHaveLength(1);
});

test('explain names a pack, not all that stands in it', () => {
  write('{ branch: x }');
  const loaded = loadLayers({ text: `packs: [${file}]`, schema: companionSchema });
  const packs = explainConfig(loaded, companionSchema).find(({ path }) => path === 'packs');
  expect(packs?.value).toMatch(/^\["\/.*mine\.yaml \(1 entries, [0-9a-f]{12}\)"\]$/);
});
