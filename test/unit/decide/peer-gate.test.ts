import { describe, expect, test } from 'vitest';
import { createPeerGate } from '../../../src/decide/index.ts';
import type { Verdict } from '../../../src/model/index.ts';
import { ask, finding, from } from './build.ts';

const CARRIER = from('198.51.100.1');
const verdict: Verdict = { answer: 'allow', state: 'allowed', reason: 'allow list', findings: [], changes: [] };
const request = (at: number, standing: 'stranger' | 'in-dialog' = 'stranger') =>
  ask(at, CARRIER, 'INVITE', '100', { standing });

describe('a peer', () => {
  test('that is spared everything is not looked at', () => {
    const gate = createPeerGate([{ name: 'carrier', skip: 'all' }]);
    expect(gate.looksAt('carrier')).toBe(false);
    expect(gate.looksAt('unknown')).toBe(false);
    expect(gate.pass('carrier', request(0), [finding({ points: 100 })], verdict)).toBe(verdict);
  });

  test('that is spared rates is still dropped what a tool sends, and never banned for it', () => {
    const gate = createPeerGate([{ name: 'carrier', skip: ['rate', 'scan', 'passwords'] }]);
    expect(gate.looksAt('carrier')).toBe(true);
    const flood = finding({ rule: 'density.source', family: 'flood', points: 100 });
    const tool = finding({ rule: 'scanner.user-agent', family: 'tool', points: 100, tier: 'proven' });
    const hint = finding({ rule: 'garbage.x', family: 'garbage', points: 40 });
    expect(gate.pass('carrier', request(0), [flood], verdict)).toMatchObject({ answer: 'allow', findings: [] });
    expect(gate.pass('carrier', request(0), [hint], verdict)).toMatchObject({ answer: 'allow', findings: [hint] });
    expect(gate.pass('carrier', request(0), [flood, tool], verdict)).toEqual({
      ...verdict,
      answer: 'drop',
      reason: 'peer carrier: scanner.user-agent',
      findings: [tool],
    });
  });

  test('that is not spared validation: a message that breaks the rules is dropped', () => {
    const validity = { verdict: 'drop' } as never;
    const strict = createPeerGate([{ name: 'carrier', skip: ['rate'] }]);
    expect(strict.pass('carrier', request(0), [], verdict, validity)).toMatchObject({
      answer: 'drop',
      reason: 'peer carrier: the message breaks the rules',
    });
    const lax = createPeerGate([{ name: 'carrier', skip: ['validation'] }]);
    expect(lax.pass('carrier', request(0), [], verdict, validity).answer).toBe('allow');
    expect(strict.pass('carrier', request(0), [], verdict, { verdict: 'accept' } as never).answer).toBe('allow');
  });

  test('has a cap a second, calls that stand already apart', () => {
    const gate = createPeerGate([{ name: 'carrier', skip: 'all', requests_per_second: 3 }]);
    const answers = (at: number, count: number) =>
      Array.from({ length: count }, (_, index) => gate.pass('carrier', request(at + index), [], verdict).answer);
    expect(answers(10_000, 5)).toEqual(['allow', 'allow', 'allow', 'drop', 'drop']);
    expect(gate.pass('carrier', request(10_100), [], verdict).reason).toBe(
      'peer carrier: more than 3 requests a second',
    );
    expect(gate.pass('carrier', request(10_200, 'in-dialog'), [], verdict).answer).toBe('allow');
    expect(answers(11_000, 3)).toEqual(['allow', 'allow', 'allow']);
  });
});
