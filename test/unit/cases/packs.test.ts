import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runFile, type CaseResult } from '../../../src/cases/index.ts';
import { loadConfig } from '../../../src/config/index.ts';
import { shippedPack } from '../../../src/enrich/index.ts';
import { companionSchema } from '../../../src/judging/index.ts';

const PACKS = new URL('../../../packs/', import.meta.url);
const policy = loadConfig({ text: '', schema: companionSchema });
const run = (name: string): readonly CaseResult[] => {
  const results: CaseResult[] = [];
  runFile(fileURLToPath(new URL(name, PACKS)), { policy, each: (result) => results.push(result) });
  return results;
};
const failed = (results: readonly CaseResult[]): readonly string[] =>
  results.filter(({ ok }) => !ok).map(({ name, disguise, problems }) => `${name} ${disguise}: ${problems.join('; ')}`);

const FILES = readdirSync(PACKS).filter((name) => name.endsWith('.yaml'));

test.each(FILES)('packs/%s: every case holds', { timeout: 60_000 }, (name) => {
  const results = run(name);
  expect(results.length).toBeGreaterThan(20);
  expect(failed(results)).toEqual([]);
});

test('every entry of the pack has a message that it matches and one that it spares', () => {
  const untested = shippedPack().entries.filter(({ tests }) => !tests?.matches.length || !tests.spares.length);
  expect(untested.map(({ name }) => name)).toEqual([]);
});

test('every tool of low risk is tried in all disguises', { timeout: 60_000 }, () => {
  const tried = new Set(
    run('tools.test.yaml').flatMap(({ disguise, found }) => (disguise === '' ? [] : found.map(({ tool }) => tool))),
  );
  const tools = new Set(
    shippedPack()
      .entries.filter(({ risk }) => risk === 'low')
      .map(({ tool }) => tool),
  );
  expect([...tools].filter((tool) => !tried.has(tool))).toEqual([]);
});

test('no entry repeats a word of the message in what it says', () => {
  for (const { detail } of shippedPack().entries) expect(detail).not.toMatch(/[{}$]/);
});
