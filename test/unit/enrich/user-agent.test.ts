import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SCANNER_AGENTS, type AgentPattern } from '../../../src/enrich/index.ts';
import { compileAgents, isUsablePattern } from '../../../src/enrich/user-agent.ts';

interface AgentData {
  readonly patterns: readonly { readonly pattern: string; readonly fp: string }[];
  readonly must_not_match: readonly string[];
}

const data = JSON.parse(
  readFileSync(new URL('../../../../shared/data/sip/scanner-user-agents.json', import.meta.url), 'utf8'),
) as AgentData;
const match = compileAgents(SCANNER_AGENTS);

test.each(data.must_not_match)('%s is a customer', (agent) => {
  expect(match(agent)).toBeNull();
});

test.each(data.patterns.filter(({ fp }) => fp !== 'high').map(({ pattern, fp }) => [pattern, fp]))(
  '%s has %s risk',
  (pattern, fp) => {
    expect(match(pattern)?.risk).toBe(fp);
    expect(match(pattern.toUpperCase())?.risk).toBe(fp);
  },
);

test.each(['friendly-scanner', 'xx Friendly-Scanner/0.3', 'sipcli/v1.8', 'VaxSIPUserAgent/3.1', 'iWar', 'smap 0.6.0'])(
  '%s is a scanner',
  (agent) => {
    expect(match(agent)?.risk).toBe('low');
  },
);

test.each(['DigiWare 4.1', 'Gateway SIPv2.0', 'Cisco SIP CallManager', 'VoIP SIPRegistrar 3', 'Indochina Telecom SBC'])(
  '%s only contains the letters of a short name',
  (agent) => {
    expect(match(agent)).toBeNull();
  },
);

test('the lowest risk wins, then the longest pattern', () => {
  const choose = compileAgents([
    { pattern: 'sipscanner', risk: 'high' },
    { pattern: 'scan', risk: 'low' },
    { pattern: 'sipscan', risk: 'low' },
  ]);
  expect(choose('a sipscanner b')).toEqual({ pattern: 'sipscan', risk: 'low' });
});

test('unusable patterns are left out', () => {
  expect(['', 'é', 'a\n', 'x'.repeat(65)].map(isUsablePattern)).toEqual([false, false, false, false]);
  expect(compileAgents([{ pattern: '', risk: 'low' }])('anything')).toBeNull();
});

test('finds what a plain search finds', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'A', 'c', ' ', 'é'), maxLength: 40 });
  const pattern = fc.record({
    pattern: fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' '), minLength: 1, maxLength: 5 }),
    risk: fc.constantFrom('low' as const, 'medium' as const, 'high' as const),
    word: fc.boolean(),
  });
  const plain = (patterns: readonly AgentPattern[], searched: string): AgentPattern | undefined => {
    const alone = (part: AgentPattern): boolean =>
      Array.from({ length: searched.length }, (_, at) => at).some(
        (at) =>
          searched.startsWith(part.pattern, at) &&
          (part.word !== true ||
            (!/[a-z0-9]/.test(searched[at - 1] ?? '') && !/[a-z0-9]/.test(searched[at + part.pattern.length] ?? ''))),
      );
    const order = { low: 0, medium: 1, high: 2 };
    return patterns
      .filter(alone)
      .sort((left, right) => order[left.risk] - order[right.risk] || right.pattern.length - left.pattern.length)[0];
  };
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 12 }), text, (patterns, searched) => {
      const expected = plain(patterns, searched.replace(/A/g, 'a'));
      const found = compileAgents(patterns)(searched);
      expect(found?.risk).toBe(expected?.risk);
      expect(found?.pattern.length).toBe(expected?.pattern.length);
    }),
    { numRuns: 1_000 },
  );
});
