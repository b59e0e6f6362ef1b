import { expect, test } from 'vitest';
import { createExposition } from '../../../src/observe/index.ts';
import { STATS } from '../admin/fake-operations.ts';

const expositionOf = (aliases: boolean, totals: () => Record<string, Record<string, number>> = () => ({})) =>
  createExposition({
    sources: { totals, sizes: () => ({ ledger: { ban: 2 } }), nodes: () => ({}) },
    figures: () => STATS.figures,
    more: () => ({ http: { requests: 3 }, security_log: { dropped: 0 } }),
    activeBans: () => 2,
    enumerationSources: () => 12,
    countries: () => ({ RU: 4, 'evil"\n': 1 }),
    aliases,
  });

test('own names, each with HELP and TYPE', async () => {
  const { text, contentType } = await expositionOf(false)();
  expect(contentType).toContain('0.0.4');
  expect(text).toContain('companion_requests_total{kind="REGISTER"} 90');
  expect(text).toContain('companion_findings_total{kind="enumeration.distinct"} 3');
  const names = new Set([...text.matchAll(/^(companion_[a-z_]+)/gm)].map(([, name]) => name));
  for (const name of names) {
    const help = new RegExp(`^# HELP ${name} (.+)$`, 'm').exec(text)?.[1] ?? '';
    expect([name, help.length > 10]).toEqual([name, true]);
  }
  expect(text).not.toContain('sip_guardian');
});

test('the names of SIP Guardian where they are wanted', async () => {
  const { text } = await expositionOf(true)();
  for (const line of [
    'sip_guardian_requests_total{method="REGISTER"} 90',
    'sip_guardian_blocked_total{reason="banned"} 20',
    'sip_guardian_active_bans 2',
    'sip_guardian_rate_limited_total{method="REGISTER"} 5',
    'sip_guardian_enumeration_detections_total{reason="distinct"} 3',
    'sip_guardian_enumeration_tracked_ips 12',
    'sip_guardian_validation_violations_total{rule="not-sip"} 2',
    'sip_guardian_validation_results_total{result="invalid"} 11',
    'sip_guardian_geoip_blocked_total{country="RU"} 4',
    'sip_guardian_geoip_blocked_total{country="evil__"} 1',
    'sip_guardian_message_size_bytes_bucket{le="512"} 60',
    'sip_guardian_message_size_bytes_bucket{le="+Inf"} 100',
  ])
    expect(text.split('\n')).toContain(line);
  const helped = [...text.matchAll(/^# HELP (sip_guardian_[a-z_]+) /gm)].map(([, name]) => name);
  expect(new Set(helped).size).toBe(10);
});

test('a hundred scrapers at a time cost one rendering', async () => {
  let asked = 0;
  const exposition = expositionOf(false, () => {
    asked += 1;
    return {};
  });
  await Promise.all(Array.from({ length: 100 }, exposition));
  expect(asked).toBe(1);
});
