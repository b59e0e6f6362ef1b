import { expect, test } from 'vitest';
import { createLastShapes } from '../../../src/operate/index.ts';
import { ask, from, view } from '../detect/events.ts';

const source = from('203.0.113.66');
const tool = { tool: 'sipvicious', entry: 'svmap-tag', detail: '', risk: 'low' } as const;
const shapes = () => createLastShapes((sip) => (sip.from.user === '100' ? tool : null));
const built = (cseq: number, at: number, part: Parameters<typeof ask>[4] = {}, ip = source.ip) => ({
  ...ask(at, from(ip), 'OPTIONS', '', part),
  sip: view({ method: 'OPTIONS', cseq, from: { display: '', user: '100', host: '', tag: 'a' } }),
});

test('a stranger’s first messages, then one a second; each shape once, newest last, four at most', () => {
  const last = shapes();
  last.see(built(0, 0));
  last.see(built(0, 10));
  expect(last.of(source.identity)).toMatchObject([
    { method: 'OPTIONS', tool: 'sipvicious', entry: 'svmap-tag', at: 10 },
  ]);
  expect(last.of(source.identity)[0]?.id).toMatch(/^w1-[0-9a-f]{8}$/);
  last.see(built(1, 20));
  last.see(built(0, 30));
  expect(last.of(source.identity).map(({ at }) => at)).toEqual([20, 30]);
  last.see(built(2, 40));
  expect(last.of(source.identity)).toHaveLength(2);
  for (const [index, cseq] of [2, 500, 5_000].entries()) last.see(built(cseq, 2_000 + index * 1_000));
  expect(last.of(source.identity).map(({ at }) => at)).toEqual([30, 2_000, 3_000, 4_000]);
});

test('customers are not looked at', () => {
  const last = shapes();
  last.see(built(1, 0, { standing: 'good' }));
  expect(last.of(source.identity)).toEqual([]);
});

test('a flood from everywhere costs no more than 500 looks a second', () => {
  const last = shapes();
  const ips = Array.from({ length: 2_000 }, (_, index) => `198.51.${index >> 8}.${index & 255}`);
  for (const ip of ips) last.see(built(1, 100, {}, ip));
  expect(ips.filter((ip) => last.of(ip).length > 0)).toHaveLength(500);
  last.see(built(1, 1_000, {}, '192.0.2.1'));
  expect(last.of('192.0.2.1')).toHaveLength(1);
});
