import { expect, test } from 'vitest';
import { carriesMany } from '../../../src/decide/index.ts';
import { createAlarms, createProxyAlarm } from '../../../src/operate/index.ts';
import { HOUR, NOW, ban, bench, good } from './bench.ts';

test('an address that stands for everybody is an alarm until an hour after it was last spared', () => {
  const said: string[] = [];
  const say = (_fields: object, message: string): void => void said.push(message);
  const alarms = createAlarms({ info: say, warn: say });
  const clock = { at: NOW, now: () => clock.at };
  const alarm = createProxyAlarm(alarms, clock, () => false);
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

test('evidence that may be forged against such an address is told as well', () => {
  const alarms = createAlarms({ info: () => undefined, warn: () => undefined });
  const { put, events, judge } = bench();
  const alarm = createProxyAlarm(alarms, { now: () => NOW }, (identity) => carriesMany(identity, judge.ledger, 0.3));
  const quarantine = (subject: string) =>
    put({ ...ban(subject), kind: 'quarantine', reason: 'enumeration.rapid' } as never);
  for (const user of ['a', 'b', 'c', 'd', 'e']) put(good('203.0.113.7', user));
  put(good('192.0.2.1', 'f'));
  quarantine('192.0.2.1');
  alarm.see(events.at(-1)!);
  expect(alarms.list()).toEqual([]);
  quarantine('203.0.113.7');
  alarm.see(events.at(-1)!);
  expect(alarms.list()).toEqual([expect.stringMatching(/^behind-a-proxy: 203\.0\.113\.7 carries/)]);
});
