import { expect, test } from 'vitest';
import type { Finding, Verdict } from '../../../src/model/index.ts';
import { createAlarms, createNotices } from '../../../src/operate/index.ts';
import { auth, from, OFFICE } from '../detect/events.ts';

const verdict = (...findings: readonly Finding[]): Verdict => ({
  answer: 'allow',
  state: 'stranger',
  reason: '',
  findings,
  changes: [],
});
const stale = (user: string, ends?: boolean): Finding => ({
  rule: 'digest.stale-device',
  family: 'notice',
  accused: { kind: 'user', user, port: 5_060 },
  tier: 'proven',
  points: 1,
  evidence: `user '${user}' was accepted here`,
  ends,
});
const event = auth(0, from(OFFICE), 'wrong-password', '200');
const open = () => {
  const lines: string[] = [];
  const log = {
    info: (_: object, message: string) => void lines.push(message),
    warn: (_: object, message: string) => void lines.push(message),
  };
  const alarms = createAlarms(log);
  return { alarms, lines, notices: createNotices(alarms) };
};

test('a notice is an alarm until it ends, and said once', () => {
  const { alarms, lines, notices } = open();
  notices.see(event, verdict(stale('200')));
  notices.see(event, verdict(stale('200')));
  expect(alarms.list()).toEqual([`digest.stale-device 200@${OFFICE}: user '200' was accepted here`]);
  expect(lines).toHaveLength(1);
  notices.see(event, verdict(stale('200', true)));
  expect(alarms.list()).toEqual([]);
});

test('what is about nobody is named by its rule; what is no notice is none', () => {
  const { alarms, notices } = open();
  const storm: Finding = {
    ...stale(''),
    rule: 'digest.registration-storm',
    accused: { kind: 'nobody' },
    evidence: 'many',
  };
  notices.see(event, verdict(storm, { ...stale('200'), family: 'guess' }));
  expect(alarms.list()).toEqual(['digest.registration-storm: many']);
});

test('a hundred stand, the others are counted', () => {
  const { alarms, notices } = open();
  for (let user = 0; user < 150; user += 1) notices.see(event, verdict(stale(String(user))));
  expect(alarms.list()).toHaveLength(100);
  expect(notices.dropped).toBe(50);
});
