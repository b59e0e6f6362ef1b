import { expect, test } from 'vitest';
import { SCANNER, ask, from, nothingKnown } from './events.ts';
import { listedNumber } from '../../../src/detect/message/listed-number.ts';

const detector = () => listedNumber.create(listedNumber.configSchema.parse({}));
const source = from(SCANNER);
const facts = { ...nothingKnown, listedNumber: true };

test('a stranger that calls a listed number is accused once in ten minutes', () => {
  const one = detector();
  expect(one.detect(ask(0, source, 'INVITE', '00442037691234'), facts)).toEqual([
    {
      rule: 'feed.called-number',
      family: 'scan',
      accused: { kind: 'source' },
      tier: 'spoofable',
      points: 40,
      evidence: 'calls 00442037691234, a number that attackers elsewhere have called',
    },
  ]);
  expect(one.detect(ask(599_999, source, 'INVITE', '00442037691234'), facts)).toEqual([]);
  expect(one.detect(ask(600_000, source, 'INVITE', '00442037691234'), facts)).toHaveLength(1);
});

test('customers, peers and whoever has answered a challenge call whom they like', () => {
  const one = detector();
  for (const standing of ['good', 'in-dialog'] as const)
    expect(one.detect(ask(0, source, 'INVITE', '0044', { standing }), facts)).toEqual([]);
  expect(one.detect(ask(0, source, 'INVITE', '0044', { credentials: 'bound' }), facts)).toEqual([]);
  expect(one.detect(ask(0, source, 'INVITE', '0044'), { ...facts, list: 'allow' })).toEqual([]);
  expect(one.detect(ask(0, source, 'INVITE', '0044'), nothingKnown)).toEqual([]);
});
