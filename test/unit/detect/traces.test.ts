import { afterAll, expect, test } from 'vitest';
import { createEnricher } from '../../../src/enrich/index.ts';
import { ENOUGH_POINTS, type Outcome, type Request, type SipView } from '../../../src/model/index.ts';
import { detectorsWith } from './events.ts';
import { readTrace } from './replay-trace.ts';

const enrich = createEnricher({ lists: () => 'none', isOwn: () => false });

const asSent = (sip: SipView): SipView => sip;
const withoutAgent = (sip: SipView): SipView => ({
  ...sip,
  userAgent: '',
  userAgents: [],
  headers: sip.headers.filter(({ name }) => name.toLowerCase() !== 'user-agent'),
});
const YEALINK = 'Yealink SIP-T46G 28.83.0.35';
const renamed = (sip: SipView): SipView => ({ ...withoutAgent(sip), userAgent: YEALINK, userAgents: [YEALINK] });

/** Nothing that a tool leaves by itself: only what it does remains. */
const disguised = (sip: SipView): SipView => ({
  ...renamed(sip),
  from: { ...sip.from, tag: 'a1b2' },
  contact: '<sip:x@192.0.2.9>',
  viaBranch: 'z9hG4bKx',
  bodyStart: '',
});

interface Flagged {
  readonly requests: number;
  readonly ms: number;
  readonly rule: string;
}

/** For each source of a timeline: after how many of its requests and milliseconds one finding was enough alone. */
const replay = (events: readonly (Request | Outcome)[]): Map<string, Flagged | null> => {
  const detectors = detectorsWith();
  const requests = new Map<string, number>();
  const first = new Map<string, number>();
  const flagged = new Map<string, Flagged | null>();
  for (const event of events) {
    const { identity } = event.source;
    if (event.kind === 'request') requests.set(identity, (requests.get(identity) ?? 0) + 1);
    if (!first.has(identity)) first.set(identity, event.at);
    const enough = detectors
      .detect(event, enrich(event))
      .find(({ points, accused }) => points >= ENOUGH_POINTS && accused.kind === 'source');
    if (flagged.get(identity)) continue;
    const ms = Math.round(event.at - (first.get(identity) ?? 0));
    flagged.set(identity, enough ? { requests: requests.get(identity) ?? 0, ms, rule: enough.rule } : null);
  }
  return flagged;
};

const table: Record<string, string | number>[] = [];
afterAll(() => {
  console.table(table);
});

const ATTACKS = ['svwar-default', 'svcrack-numeric', 'initconf-sipvicious-sweep', 'initconf-sipcli-tollfraud'];

const judge = (trace: string, change: (sip: SipView) => SipView, label: string): (Flagged | null)[] => {
  const results = [...replay(readTrace(trace, change)).values()];
  const worst = results.reduce((most, flag) =>
    (flag?.requests ?? Infinity) > (most?.requests ?? Infinity) ? flag : most,
  );
  table.push({
    trace,
    as: label,
    sources: results.length,
    requests: worst?.requests ?? 'never',
    ms: worst?.ms ?? '',
    rule: worst?.rule ?? '',
  });
  return results;
};

test.each(
  ATTACKS.flatMap((trace) => [
    [trace, 'as sent', asSent] as const,
    [trace, 'without User-Agent', withoutAgent] as const,
    [trace, 'renamed', renamed] as const,
  ]),
)('%s, %s: each source is noticed with its first request', (trace, label, change) => {
  for (const flag of judge(trace, change, label)) expect(flag?.requests).toBe(1);
});

test.each([
  ['svwar-default', 12],
  ['svcrack-numeric', 20],
  // its third prefix of one number; each INVITE before has an ACK
  ['initconf-sipcli-tollfraud', 5],
] as const)('%s, disguised as a phone: noticed by what it does, within %i requests', (trace, most) => {
  for (const flag of judge(trace, disguised, 'disguised')) expect(flag?.requests).toBeLessThanOrEqual(most);
});

test('svwar where the server challenges everybody alike: noticed within 2 s', () => {
  const uniform = readTrace('svwar-default', disguised).filter(({ kind }) => kind === 'request');
  const [flag] = [...replay(uniform).values()];
  table.push({ trace: 'svwar-default', as: 'disguised, uniform 401', sources: 1, ...flag });
  expect(flag?.requests).toBeLessThanOrEqual(150);
});

test.each(['client-baresip', 'client-baresip_tcp'])('%s: a customer, nothing is found', (trace) => {
  const events = readTrace(trace);
  const detectors = detectorsWith();
  expect(events.length).toBeGreaterThan(10);
  expect(events.flatMap((event) => detectors.detect(event, enrich(event)))).toEqual([]);
});
