import { expect, test } from 'vitest';
import { auth, from, registers, range } from '../detect/events.ts';
import { createRehearsal } from '../../../src/rehearse/index.ts';
import { companionSchema } from '../../../src/judging/index.ts';

const PHONE = from('198.51.100.20', 30_000);

test('an old device stands in why, costs its address nothing, and is never banned', () => {
  const rehearsal = createRehearsal(companionSchema.parse({}), ['192.0.2.10']);
  const day = 86_400_000;
  for (const event of registers(day, PHONE, '200')) if (event.kind === 'outcome') rehearsal.outcome(event);
  for (const round of range(0, 400))
    rehearsal.outcome(auth(3 * day + round * 30_000, PHONE, 'wrong-password', '200', { callId: `new${round}` }));
  expect(rehearsal.stateOf(PHONE.ip, PHONE.identity)).not.toBe('banned');
  const report = rehearsal.judging.judge.report(PHONE.identity, 'none', 3 * day + 12_000_000);
  expect(report.state).toBe('stranger');
  expect(report.score).toEqual({ proven: 0, spoofable: 0 });
  expect(report.evidence.map(({ rule }) => rule)).toContain('digest.stale-device');
});
