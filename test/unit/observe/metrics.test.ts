import { expect, test } from 'vitest';
import { createMetrics, type MetricSources } from '../../../src/observe/index.ts';

type Groups = Record<string, Record<string, number>>;
const metricsOf = (part: { totals?: Groups; sizes?: Groups; nodes?: ReturnType<MetricSources['nodes']> }) =>
  createMetrics({ totals: () => part.totals ?? {}, sizes: () => part.sizes ?? {}, nodes: () => part.nodes ?? {} });
const samples = (text: string): string[] => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

test('totals are counters, sizes are gauges, with one label each', async () => {
  const text = await metricsOf({ totals: { drops: { secret: 3 } }, sizes: { ledger: { ban: 2 } } }).render();
  expect(samples(text)).toEqual(['companion_drops_total{kind="secret"} 3', 'companion_ledger{kind="ban"} 2']);
  expect(text).toContain('# TYPE companion_drops_total counter');
  expect(text).toContain('# TYPE companion_ledger gauge');
});

test('two scrapes count nothing twice', async () => {
  let drops = 3;
  const metrics = createMetrics({ totals: () => ({ drops: { secret: drops } }), sizes: () => ({}), nodes: () => ({}) });
  await metrics.render();
  drops = 5;
  expect(samples(await metrics.render())).toEqual(['companion_drops_total{kind="secret"} 5']);
});

test('what is gone from its source is gone from the next scrape', async () => {
  let sizes: Groups = { ledger: { ban: 1, good: 2 } };
  const metrics = createMetrics({ totals: () => ({}), sizes: () => sizes, nodes: () => ({}) });
  await metrics.render();
  sizes = { ledger: { ban: 1 } };
  expect(samples(await metrics.render())).toEqual(['companion_ledger{kind="ban"} 1']);
});

test('servers have their state, their drift and their own counters', async () => {
  const text = await metricsOf({ nodes: { edge1: { up: 1, drift: 4, counters: { 'c.dropped': 7 } } } }).render();
  expect(samples(text)).toEqual([
    'companion_node_up{node="edge1"} 1',
    'companion_node_drift{node="edge1"} 4',
    'companion_node_counter{node="edge1",counter="c.dropped"} 7',
  ]);
});

test('a label that is not ours is clamped: no quote, no line break, 48 characters', async () => {
  const hostile = `x"} 1\ncompanion_forged_total{kind="y\\${'z'.repeat(500)}`;
  const text = await metricsOf({
    totals: { drops: { [hostile]: 1 } },
    nodes: { edge1: { up: 1, drift: 0, counters: { [hostile]: 1 } } },
  }).render();
  const labels = [...text.matchAll(/="([^"]*)"/g)].map(([, value]) => value ?? '');
  expect(labels.every((label) => /^[\w.:-]{1,48}$/.test(label))).toBe(true);
  expect(samples(text).some((line) => line.startsWith('companion_forged'))).toBe(false);
});

test('every group that companion has carries a sentence of help', async () => {
  const groups = ['events', 'verdicts', 'changes', 'drops', 'spared', 'hook', 'evictions', 'store'];
  const text = await metricsOf({ totals: Object.fromEntries(groups.map((group) => [group, { x: 1 }])) }).render();
  for (const group of groups) expect(text).toMatch(new RegExp(`# HELP companion_${group}_total [A-Z].{20,}`));
});
