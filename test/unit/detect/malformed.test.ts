import { describe, expect, test } from 'vitest';
import type { Facts, Request, Severity, ValidationAction } from '../../../src/model/index.ts';
import { Judge, decideSchema } from '../../../src/decide/index.ts';
import { ask, detectorsWith, from, nothingKnown, OFFICE, SCANNER } from './events.ts';

const request = (at: number, ip = OFFICE): Request => ask(at, from(ip), 'REGISTER', '200');

const hit = (rule: string, severity: Severity = 'critical', action: ValidationAction = 'reject') => ({
  rule,
  severity,
  action,
  offset: 12,
});

const factsWith = (...hits: ReturnType<typeof hit>[]): Facts => {
  const refused = hits.some(({ action }) => action === 'reject');
  return { ...nothingKnown, validity: { verdict: refused ? 'reject' : 'accept', code: refused ? 400 : null, hits } };
};

describe('what breaks the standard', () => {
  test('the worst rule of a message counts, with its name and its place; the same message never again', () => {
    const detectors = detectorsWith();
    const facts = factsWith(hit('invalid_to', 'high', 'count'), hit('null_bytes'), hit('bare_lf', 'high'));
    const found = detectors.detect(request(0), facts);
    expect(detectors.detect(request(1), facts)).toEqual([]);
    expect(found).toMatchObject([
      {
        rule: 'validation.critical',
        points: 30,
        evidence: expect.stringMatching(/^null_bytes at byte 12 of/) as string,
      },
    ]);
  });

  test('what is only logged or switched off accuses nobody', () => {
    const detectors = detectorsWith();
    const facts = factsWith(hit('trailing_bytes', 'medium', 'log'), hit('bare_lf', 'high', 'off'));
    expect(detectors.detect(request(0), facts)).toEqual([]);
  });

  test('the allow list is not accused', () => {
    const facts = { ...factsWith(hit('null_bytes')), list: 'allow' as const };
    expect(detectorsWith().detect(request(0), facts)).toEqual([]);
  });

  test('a broken phone that repeats itself for a day never adds up; a prober of many rules does', () => {
    const judge = new Judge(decideSchema.parse({}));
    const detectors = detectorsWith();
    const judged = (event: Request, facts: Facts) => judge.judge(event, facts, detectors.detect(event, facts));
    for (let minute = 0; minute < 24 * 60; minute += 1) {
      const { state } = judged(request(minute * 60_000), factsWith(hit('duplicate_header', 'high', 'count')));
      expect(state).toBe('stranger');
    }
    const states = ['null_bytes', 'header_without_colon', 'invalid_header_name', 'content_length_conflict'].map(
      (rule, at) => judged(request(90_000_000 + at, SCANNER), factsWith(hit(rule))).state,
    );
    expect(states).toEqual(['stranger', 'stranger', 'stranger', 'quarantined']);
  });

  test('a refused message is dropped, whoever asks for it but the known and the allowed', () => {
    const judge = new Judge(decideSchema.parse({}));
    const answer = (facts: Facts): string => judge.judge(request(0), facts, []).answer;
    expect(answer(factsWith(hit('null_bytes')))).toBe('drop');
    expect(answer(factsWith(hit('invalid_to', 'high', 'count')))).toBe('allow');
    expect(answer({ ...factsWith(hit('null_bytes')), list: 'allow' })).toBe('allow');
  });
});
