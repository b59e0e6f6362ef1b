import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { DecisionEvent } from '../../../src/model/index.ts';
import { createLog, decisionLine, judgedLine } from '../../../src/observe/index.ts';
import { traceEvent } from '../admin/fake-operations.ts';

const decision = (part: Partial<DecisionEvent> = {}): DecisionEvent => ({
  at: 1_795_165_740_000,
  node: 'edge1',
  ip: '203.0.113.7',
  port: 5080,
  transport: 'udp',
  method: 'REGISTER',
  change: 'ban',
  subject: '203.0.113.7',
  answer: 'drop',
  state: 'banned',
  rules: ['scanner.user-agent'],
  until: 1_795_169_340_000,
  reason: 'scanner.user-agent',
  evidence: 'friendly-scanner',
  shadow: false,
  ...part,
});

/** What pino makes of it, as text. */
const written = (event: DecisionEvent): string => {
  let text = '';
  pino({ base: null, timestamp: false }, { write: (line: string) => void (text += line) }).info(decisionLine(event));
  return text;
};

const HOSTILE = 'a\r\n{"level":30,"event":"decision"}\0"\\\u001b[31m\u202egnp.\u2028\ud800' + 'x'.repeat(5_000);

test('a decision is one line of JSON', () => {
  const text = written(decision({ evidence: HOSTILE }));
  expect(text.endsWith('\n')).toBe(true);
  expect(text.slice(0, -1)).not.toMatch(/[\r\n\u2028]/);
  expect(JSON.parse(text)).toMatchObject({ event: 'decision', change: 'ban', src: '203.0.113.7' });
});

test("an attacker's text stands last", () => {
  expect(Object.keys(decisionLine(decision())).at(-1)).toBe('evidence');
  expect(written(decision({ evidence: 'the end' }))).toMatch(/"evidence":"the end"\}\n$/);
});

test("an attacker's text is escaped: no control character, no quote, no backslash of its own", () => {
  const { evidence } = JSON.parse(written(decision({ evidence: HOSTILE }))) as { evidence: string };
  expect(evidence).not.toMatch(/[\u0000-\u001f\u007f-\u009f"\u2028\u2029\u202e\ud800-\udfff]/u);
  expect(evidence.startsWith('a\\x0d\\x0a{\\x22level\\x22:30')).toBe(true);
});

test("an attacker's text is bounded", () => {
  expect((decisionLine(decision({ evidence: 'x'.repeat(100_000) })).evidence as string).length).toBeLessThanOrEqual(
    201,
  );
  expect((decisionLine(decision({ evidence: '\0'.repeat(100_000) })).evidence as string).length).toBeLessThanOrEqual(
    801,
  );
});

test('an end is written as a date, no end as null', () => {
  expect(decisionLine(decision())).toMatchObject({ until: '2026-11-20T10:09:00.000Z' });
  expect(decisionLine(decision({ until: null }))).toMatchObject({ until: null });
});

test('a line says who, what, by which rules and whether it was a rehearsal', () => {
  expect(decisionLine(decision({ shadow: true }))).toEqual({
    event: 'decision',
    change: 'ban',
    src: '203.0.113.7',
    port: 5080,
    proto: 'udp',
    method: 'REGISTER',
    subject: '203.0.113.7',
    node: 'edge1',
    state: 'banned',
    answer: 'drop',
    rules: ['scanner.user-agent'],
    until: '2026-11-20T10:09:00.000Z',
    shadow: true,
    reason: 'scanner.user-agent',
    evidence: 'friendly-scanner',
  });
});

test.each(['silent', 'info', 'debug'])('the log has the level that was asked for: %s', (level) => {
  expect(createLog(level).level).toBe(level);
});

test('with --debug each judged event gets a line, harmless for terminals', () => {
  const line = judgedLine(traceEvent(1));
  expect(line).toMatchObject({ event: 'judged', what: 'REGISTER', state: 'stranger', answer: 'allow' });
  // oxlint-disable-next-line no-control-regex -- that is what must not be there
  expect(Object.values(line).join(' ')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
});
