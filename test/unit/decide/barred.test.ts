import { describe, expect, test } from 'vitest';
import { ATTACKER, ask, factsOf, from, judgeOne, judgeWith, registered } from './build.ts';
import { view } from '../detect/events.ts';

const barred = { state: 'denied', reason: 'country RU is blocked' } as const;
const source = from(ATTACKER);

describe('a blocked country', () => {
  test('drops strangers, and changes nothing that would have to be enforced elsewhere', () => {
    const verdict = judgeOne(judgeWith(), ask(0, source, 'REGISTER', 'alice'), [], factsOf({ barred }));
    expect(verdict).toMatchObject({ answer: 'drop', state: 'denied', reason: 'country RU is blocked', changes: [] });
  });

  test('is weaker than an allow entry and than a known-good phone', () => {
    const judge = judgeWith();
    const sip = view({ from: { display: '', user: 'alice', host: 'example.com', tag: 'a' } });
    const request = { ...ask(0, source, 'REGISTER', 'alice'), sip };
    expect(judgeOne(judge, request, [], factsOf({ barred, list: 'allow' })).answer).toBe('allow');
    judgeOne(judge, registered(0, source, 'alice'));
    expect(judgeOne(judge, request, [], factsOf({ barred }))).toMatchObject({ answer: 'allow', state: 'good' });
  });

  test('a feed knows nothing of the customers behind an address; a country does not care for them', () => {
    const judge = judgeWith();
    judgeOne(judge, registered(0, source, 'alice'));
    const other = ask(0, from(ATTACKER, 7_000), 'REGISTER', 'bob');
    const listed = { state: 'banned', reason: 'listed by voipbl' } as const;
    expect(judgeOne(judge, other, [], factsOf({ barred: listed }))).toMatchObject({
      answer: 'allow',
      state: 'stranger',
    });
    expect(judgeOne(judge, other, [], factsOf({ barred }))).toMatchObject({ answer: 'drop', state: 'denied' });
  });

  test('a feed that only quarantines challenges', () => {
    const listed = { state: 'quarantined', reason: 'listed by voipbl' } as const;
    expect(judgeOne(judgeWith(), ask(0, source, 'OPTIONS', 'alice'), [], factsOf({ barred: listed }))).toMatchObject({
      answer: 'challenge',
      state: 'quarantined',
    });
  });
});
