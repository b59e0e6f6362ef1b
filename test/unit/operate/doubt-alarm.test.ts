import { expect, test } from 'vitest';
import type { DecisionEvent } from '../../../src/model/index.ts';
import { createAlarms, createDoubtAlarm } from '../../../src/operate/index.ts';
import { HOUR, NOW, ban, bench } from './bench.ts';

test('a suspected false alarm stands in status until an hour after the last one', () => {
  const alarms = createAlarms({ info: () => undefined, warn: () => undefined });
  const clock = { at: NOW, now: () => clock.at };
  const alarm = createDoubtAlarm(alarms, clock);
  const { put, events } = bench();
  put(ban('192.0.2.1'));
  alarm.see(events[0]!);
  expect(alarms.list()).toEqual([]);
  const doubt = (subject: string): DecisionEvent => ({
    ...events[0]!,
    change: 'false-alarm',
    subject,
    rules: ['honey.user'],
    reason: 'a customer registered there since',
  });
  alarm.see(doubt('203.0.113.7'));
  expect(alarms.list()).toEqual([
    "false-alarm: 203.0.113.7 was decided against for honey.user, but a customer registered there since: look at 'companion why 203.0.113.7'",
  ]);
  clock.at += HOUR - 1;
  alarm.see(doubt('203.0.113.8'));
  expect(alarms.list()).toEqual([expect.stringContaining('2 addresses since this began')]);
  clock.at += HOUR - 1;
  alarm.tick();
  expect(alarms.list()).toHaveLength(1);
  clock.at += 1;
  alarm.tick();
  expect(alarms.list()).toEqual([]);
});
