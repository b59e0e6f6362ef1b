import { expect, test } from 'vitest';
import { createMetrics } from '../../../src/observe/index.ts';
import { NOW, ban, bench, good } from '../operate/bench.ts';

test('whatever was decided about whom, no address and no user becomes a label', async () => {
  const { put, operations, status, judge } = bench();
  put(ban('203.0.113.7'));
  put(ban('2001:db8:1:2::/64'));
  put(good('198.51.100.9', 'alice'));
  put({
    kind: 'throttle-user',
    subject: '203.0.113.8',
    user: 'carol',
    intervalSeconds: 5,
    since: NOW,
    until: null,
    origin: 'detector',
    reason: 'x',
  });
  judge.sources.countUser(judge.sources.of('192.0.2.99', NOW), 'mallory', false);
  await operations.listAdd({ list: 'deny', subject: '192.0.2.0/24', note: 'dave', author: 'me' });
  const text = await createMetrics(status.metricSources).render();
  expect(text).toContain('companion_ledger{kind="ban"} 2');
  expect(text).toContain('companion_changes_total{kind="ban"} 2');
  expect(text).not.toMatch(/203\.0\.113|198\.51\.100|192\.0\.2|2001:db8|alice|carol|mallory|dave/);
});

test('what was counted elsewhere shows in the scrape', async () => {
  const text = await createMetrics(bench().status.metricSources).render();
  for (const line of [
    'companion_events_total{kind="request"} 10',
    'companion_verdicts_total{kind="challenge"} 1',
    'companion_drops_total{kind="secret"} 3',
    'companion_hook_total{kind="lost"} 1',
    'companion_evictions_total{kind="density.sources"} 1',
    'companion_store_total{kind="evidence_dropped"} 3',
    'companion_tables{kind="store_queue"} 4',
    'companion_node_up{node="edge1"} 1',
  ])
    expect(text).toContain(line);
});
