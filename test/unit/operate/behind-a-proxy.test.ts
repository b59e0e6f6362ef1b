import { expect, test } from 'vitest';
import { createAlarms, createProxyAlarm } from '../../../src/operate/index.ts';
import { HOUR, NOW, ban, bench } from './bench.ts';

test('an address that stands for everybody is an alarm until an hour after it was last spared', () => {
  const said: string[] = [];
  const say = (_fields: object, message: string): void => void said.push(message);
  const alarms = createAlarms({ info: say, warn: say });
  const clock = { at: NOW, now: () => clock.at };
  const alarm = createProxyAlarm(alarms, clock);
  const { put, events } = bench();
  put(ban('192.0.2.1'));
  put({ ...ban('203.0.113.7'), kind: 'quarantine', reason: 'scanner.trick, not banned: behind-a-proxy' } as never);
  alarm.see(events[0]!);
  expect(alarms.list()).toEqual([]);
  alarm.see(events[1]!);
  expect(alarms.list()).toEqual([expect.stringMatching(/^behind-a-proxy: 203\.0\.113\.7 carries/)]);
  clock.at += HOUR - 1;
  alarm.tick();
  expect(alarms.list()).toHaveLength(1);
  clock.at += 1;
  alarm.tick();
  expect(alarms.list()).toEqual([]);
  expect(said.at(-1)).toBe('behind-a-proxy: well again');
});
