import { expect, test } from 'vitest';
import { createDetectors, detectSchema } from '../../../src/detect/index.ts';
import type { Outcome, Request } from '../../../src/model/index.ts';
import { createLiveDetectors } from '../../../src/operate/index.ts';
import { ask, auth, from, nothingKnown, OFFICE, range, registers } from '../detect/events.ts';

const settings = (part: object) => detectSchema.parse({ enumeration: { enabled: false }, ...part });

type Events = readonly (Request | Outcome)[];

/** Rules of what is found after the swap. */
const rulesAfter = (part: object, next: object, before: Events, after: Events): readonly string[] => {
  const live = createLiveDetectors(settings(part), createDetectors);
  const facts = { ...nothingKnown, wire: () => 'w1-0000abcd' };
  for (const event of before) live.detect(event, facts);
  live.swap(settings(next));
  return after.flatMap((event) => live.detect(event, facts)).map(({ rule }) => rule);
};

const bots = (at: number) =>
  range(1, 20).map((index) => ask(at + index, from(`60.1.${index}.1`), 'REGISTER', `n${index * 7_919 + at}x`));

test('a campaign that was begun is known after a reload of its threshold', () => {
  expect(rulesAfter({}, { distributed_scan: { sources: 10 } }, bots(0), bots(60_000))).toContain('campaign.scan');
  expect(rulesAfter({}, {}, bots(0), bots(60_000))).toEqual([]);
});

test('a device that was accepted is known after one, too', () => {
  const phone = from(OFFICE, 30_000);
  const refused = [auth(60_000, phone, 'wrong-password', '200')];
  const accepted = registers(0, phone, '200');
  expect(rulesAfter({}, { stale_device: { failures: 1 } }, accepted, refused)).toEqual(['digest.stale-device']);
});

test('a detector that is switched off by a reload says nothing, one that is switched on begins anew', () => {
  const honey = { users: ['7777'] };
  const hit = [ask(0, from(OFFICE), 'REGISTER', '7777')];
  expect(rulesAfter({ honey }, { honey: { ...honey, enabled: false } }, [], hit)).toEqual([]);
  expect(rulesAfter({ honey: { ...honey, enabled: false } }, { honey }, [], hit)).toEqual(['honey.user']);
});
