import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Judge, decideSchema } from '../../../src/decide/index.ts';
import type { Memo, Records, Verdict } from '../../../src/model/index.ts';
import { Peaks, createLastShapes, createRecentUse, createSamples, openKept } from '../../../src/operate/index.ts';
import { ask, auth, from } from '../detect/events.ts';
import { ban, storeRoom } from '../store/samples.ts';
import { NOW } from './bench.ts';

const IP = '203.0.113.7';
const DAY = 86_400_000;
const WEEK = 7 * DAY;
const SCAN = ban(IP, { rules: ['enumeration.distinct'] });
const WINDOWS = { burst: 2_000, targets: 300_000, failures: 600_000 };
const banned: Verdict = {
  answer: 'drop',
  state: 'banned',
  reason: '',
  findings: [],
  changes: [{ op: 'put', entry: ban(IP) }],
};

/** Everything that is kept, on one store, as `app.ts` connects it. */
const service = async (records: Pick<Records, 'keep' | 'recall'>, at = NOW, windows = WINDOWS) => {
  const clock = { at, now: (): number => clock.at };
  const said: object[] = [];
  const judge = new Judge(decideSchema.parse({}));
  const kept = await openKept({
    records,
    clock,
    log: { warn: (fields) => void said.push(fields) },
    judge,
    falseAlarmMs: WEEK,
  });
  const peaks = new Peaks(windows, () => true);
  const memories = { peaks, samples: createSamples(), shapes: createLastShapes(() => null), recent: createRecentUse() };
  kept.follow(memories);
  await kept.fill();
  return { ...memories, judge, kept, clock, said };
};
type Service = Awaited<ReturnType<typeof service>>;

const guess = (ms = 0) => {
  const request = ask(NOW + ms, from(IP), 'REGISTER', 'alice');
  return {
    ...request,
    sip: { ...request.sip, callId: 'one@scanner', from: { ...request.sip.from, user: 'alice' } },
    sample: () => 'REGISTER of alice',
  };
};
const isBanned = ({ samples, shapes, recent }: Service): void => {
  recent.see(guess());
  shapes.see(guess());
  samples.see(guess(), banned);
};

describe('over a restart, from a real store', () => {
  let room: ReturnType<typeof storeRoom>;
  beforeEach(() => {
    room = storeRoom();
  });
  afterEach(() => room.leave());

  /** What `first` does, a stop, and a start so much later. */
  const restarted = async (first: (one: Service) => void, laterMs = 60_000, windows = WINDOWS): Promise<Service> => {
    const before = await room.open();
    const one = await service(before);
    first(one);
    await one.kept.stop();
    await before.close();
    return service(await room.open({ clock: { now: () => NOW + laterMs } }), NOW + laterMs, windows);
  };

  test('why still has the message of a ban, its shape, and finds it by its Call-ID and user', async () => {
    const after = await restarted(isBanned);
    expect(after.samples.of(IP)).toEqual({
      at: NOW,
      node: expect.any(String),
      text: 'REGISTER of alice',
      decided: true,
    });
    expect(after.shapes.of(IP)).toMatchObject([{ method: 'REGISTER', at: NOW }]);
    expect(after.recent.of('one@scanner')).toMatchObject([{ as: 'call-id', ip: IP, last: NOW }]);
    expect(after.recent.of('alice')).toMatchObject([{ as: 'user', ip: IP }]);
    expect(after.said).toEqual([]);
  });

  test('a message that decided nothing is not kept, and evidence ends after thirty days', async () => {
    const after = await restarted(({ samples }) =>
      samples.see({ ...guess(), credentials: 'unbound' }, { ...banned, changes: [] }),
    );
    expect(after.samples.size).toBe(0);
    expect((await restarted(isBanned, 30 * DAY - 1)).samples.size).toBe(1);
    expect((await restarted(isBanned, 30 * DAY)).samples.size).toBe(0);
  });

  test('a mark of a false alarm weighs on, as long as it would have', async () => {
    const mark = ({ judge }: Service): void => {
      judge.falseAlarms.authenticated(IP, NOW - DAY, true);
      judge.falseAlarms.decided({ ...SCAN, evidence: [] }, NOW);
    };
    const { falseAlarms } = (await restarted(mark)).judge;
    expect(falseAlarms.of(IP, NOW + 60_000)).toMatchObject({ how: 'registered-before', at: NOW, until: NOW + WEEK });
    expect(falseAlarms.weight(IP, NOW + 60_000)).toBe(0.5);
    expect((await restarted(mark, WEEK)).judge.falseAlarms.of(IP, NOW + WEEK)).toBeUndefined();
  });

  test('who was banned before and registers well after is a false alarm', async () => {
    const { falseAlarms } = (await restarted(({ judge }) => void judge.falseAlarms.decided(SCAN, NOW))).judge;
    expect(falseAlarms.authenticated(IP, NOW + 90_000, false)).toMatchObject({ how: 'registered-since' });
    // and is one once, not again after the next restart
    expect(falseAlarms.decision(IP)).toBeUndefined();
  });

  test('who registered before and is banned after is one too, and seen by the shadow report', async () => {
    const { falseAlarms } = (await restarted(({ judge }) => void judge.falseAlarms.authenticated(IP, NOW - DAY, true)))
      .judge;
    expect(falseAlarms.customer(IP)).toEqual({ since: NOW - DAY, seen: NOW - DAY });
    expect(falseAlarms.decided(SCAN, NOW + 90_000)).toMatchObject({ how: 'registered-before' });
  });

  test('a decision that was called into question is taken out', async () => {
    const one = await restarted(({ judge }) => void judge.falseAlarms.decided(SCAN, NOW));
    one.judge.falseAlarms.authenticated(IP, NOW + 90_000, false);
    await one.kept.stop();
    const { falseAlarms } = (await service(await room.open(), NOW + 91_000)).judge;
    expect(falseAlarms.decision(IP)).toBeUndefined();
    expect(falseAlarms.of(IP, NOW + 91_000)).toBeDefined();
  });

  const burst = ({ peaks }: Service): void => {
    for (let second = 0; second < 100; second += 1) {
      for (let n = 0; n <= second % 7; n += 1) peaks.see(ask(NOW + second * 10_000, from(IP), 'INVITE', '100'));
      peaks.see(auth(NOW + second * 10_000, from(IP), 'wrong-password', 'alice'));
    }
    peaks.sweep(NOW + 3_000_000);
  };

  test('tune counts on, day by day, from where it began', async () => {
    let counted: unknown;
    const after = await restarted((one) => {
      burst(one);
      counted = one.peaks.histograms.requests.spread(NOW, NOW + DAY);
    }, DAY);
    expect(counted).toMatchObject({ samples: expect.any(Number), max: 7 });
    expect(after.peaks.histograms.requests.spread(NOW, NOW + DAY)).toEqual(counted);
    expect(after.peaks.histograms['user-failures'].spread(NOW, NOW + DAY).samples).toBeGreaterThan(0);
    expect(after.kept.countedSince()).toBe(NOW);
    // what comes now is added to it
    burst(after);
    expect(after.peaks.histograms.requests.spread(NOW, NOW + DAY).samples).toBe(
      2 * (counted as { samples: number }).samples,
    );
  });

  test('tune starts anew where its windows have another length', async () => {
    const after = await restarted(burst, 60_000, { ...WINDOWS, burst: 1_000 });
    expect(after.peaks.histograms.requests.spread(NOW, NOW).samples).toBe(0);
    expect(after.kept.countedSince()).toBe(NOW + 60_000);
  });

  test('a feed that was switched by hand is still', async () => {
    const one = { on: false, by: 'ana', at: NOW, configured: true };
    const after = await restarted(({ kept }) => kept.switches.put('voipbl', one), 400 * DAY);
    expect(after.kept.switches.of('voipbl')).toEqual(one);
    after.kept.switches.drop('voipbl');
    await after.kept.stop();
    expect((await service(await room.open(), NOW + 1)).kept.switches.names()).toEqual([]);
  });

  test('what came since the start stays', async () => {
    const before = await room.open();
    const one = await service(before);
    isBanned(one);
    await one.kept.stop();
    const samples = createSamples();
    samples.see({ ...guess(5), sample: () => 'newer' }, banned);
    const two = await openKept({
      records: before,
      clock: one.clock,
      log: { warn: () => undefined },
      judge: one.judge,
      falseAlarmMs: 1,
    });
    two.follow({ ...one, samples });
    await two.fill();
    expect(samples.of(IP)?.text).toBe('newer');
  });
});

describe('a store in trouble', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('that gives nothing, or nonsense, prevents no start', async () => {
    const row = (body: string, key = IP): Memo => ({ kind: 'evidence', key, at: NOW, until: NOW + DAY, body });
    const records: Pick<Records, 'keep' | 'recall'> = {
      keep: () => Promise.resolve(),
      recall: (kind) =>
        kind === 'evidence'
          ? Promise.resolve([row('nonsense'), row('{"text":7}'), row('null'), row('[]', 'tune')])
          : Promise.reject(new Error('the disk is gone')),
    };
    const one = await service(records);
    expect(one.samples.size).toBe(0);
    expect(one.said).toContainEqual({ event: 'memos-unreadable', kind: 'evidence', rows: 4 });
    expect(one.said).toContainEqual({ event: 'memos-unreadable', kind: 'tune', problem: 'the disk is gone' });
    await one.kept.stop();
  });

  test('that takes nothing gets it later: said once, tried less and less often, bounded', async () => {
    const written: Memo[] = [];
    let broken = true;
    let tries = 0;
    const one = await service({
      recall: () => Promise.resolve([]),
      keep(memos) {
        tries += 1;
        if (broken) return Promise.reject(new Error('disk full'));
        written.push(...memos);
        return Promise.resolve();
      },
    });
    const pass = async (seconds: number): Promise<void> => {
      for (let n = 0; n < seconds; n += 1) {
        one.clock.at += 1_000;
        await vi.advanceTimersByTimeAsync(1_000);
      }
    };
    isBanned(one);
    await pass(120);
    expect(tries).toBeLessThan(10);
    expect(one.said).toHaveLength(1);
    for (let n = 0; n < 60_000; n += 1)
      one.kept.switches.put(`feed${n}`, { on: true, at: NOW, by: 'ana', configured: false });
    expect(one.kept.stats()).toEqual({ waiting: 50_001, dropped: 10_000 });
    broken = false;
    await pass(120);
    expect(written.find(({ kind }) => kind === 'evidence')?.key).toBe(IP);
    expect(written.find(({ kind }) => kind === 'feed')?.key).toBe('feed10000');
    expect(one.kept.stats().waiting).toBe(0);
    await one.kept.stop();
  });

  test('is not asked to write counts more than once a minute', async () => {
    const kinds: string[] = [];
    const one = await service({
      recall: () => Promise.resolve([]),
      keep: (memos) =>
        Promise.resolve(void kinds.push(...memos.map(({ kind, key }) => `${kind} ${key.split(' ', 1)[0]}`))),
    });
    for (let second = 0; second < 180; second += 1) {
      one.clock.at += 1_000;
      one.peaks.see(ask(one.clock.at, from(IP), 'INVITE', '100'));
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(kinds.filter((kind) => kind === 'tune requests').length).toBeLessThanOrEqual(4);
    expect(kinds.filter((kind) => kind === 'tune requests').length).toBeGreaterThanOrEqual(2);
    await one.kept.stop();
  });
});

test('a customer is written once an hour at most', () => {
  const { falseAlarms } = new Judge(decideSchema.parse({}));
  const changed = vi.fn<() => void>();
  falseAlarms.watch(changed);
  for (let minute = 0; minute < 180; minute += 1) falseAlarms.authenticated(IP, NOW + minute * 60_000, true);
  expect(changed).toHaveBeenCalledTimes(3);
  expect(falseAlarms.customer(IP)).toEqual({ since: NOW, seen: NOW + 120 * 60_000 });
});
