import { expect, test, vi } from 'vitest';
import type { DecisionEvent } from '../../../src/model/index.ts';
import { createDecisionLog } from '../../../src/observe/index.ts';
import type { Log } from '../../../src/observe/log.ts';

const ban: DecisionEvent = {
  at: 0,
  node: '',
  ip: '',
  port: 0,
  transport: '',
  method: '',
  change: 'ban',
  subject: '203.0.113.7',
  answer: '',
  state: 'stranger',
  rules: [],
  until: null,
  reason: 'imported',
  evidence: '',
  shadow: false,
};

test('a ban is said, the rows of a long import are counted', () => {
  const info = vi.fn<(fields: object, message?: string) => void>();
  const log = createDecisionLog({ info } as unknown as Log, { now: () => 0 });
  log.decision(ban);
  for (let n = 0; n < 300; n += 1) log.decision({ ...ban, bulk: true });
  log.decision({ ...ban, change: 'deny', bulk: true });
  expect(info).toHaveBeenCalledTimes(1);
  log.stop();
  expect(info.mock.calls.slice(1).map(([fields]) => fields)).toEqual([
    { event: 'imported', change: 'ban', entries: 300 },
    { event: 'imported', change: 'deny', entries: 1 },
  ]);
});
