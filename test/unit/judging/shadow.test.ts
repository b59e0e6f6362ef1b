import { expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/index.ts';
import { companionSchema, createJudging } from '../../../src/judging/index.ts';
import type { Outcome, Request, Verdict } from '../../../src/model/index.ts';
import { ask, from, registered, view } from '../detect/events.ts';

const IP = '203.0.113.7';
const configured = (text: string) => createJudging(loadConfig({ text, file: 'c.yaml', schema: companionSchema }), []);
type Judging = ReturnType<typeof configured>;

const judged = (judging: Judging, event: Request | Outcome): Verdict => {
  const verdict = judging.judged(event);
  for (const change of verdict.changes) judging.lists.apply(change);
  return verdict;
};
/** A request of a scanner that says so, over TCP: its address is proven. */
const scan = (at: number, ip = IP): Request => {
  const request = ask(at, from(ip, 5060, 'tcp'), 'OPTIONS', '100');
  return { ...request, sip: view({ ...request.sip, userAgent: 'friendly-scanner', userAgents: ['friendly-scanner'] }) };
};
const kinds = (changes: Verdict['changes'] | undefined): string[] => (changes ?? []).map(({ entry }) => entry.kind);

test('a rule in shadow decides, tells, and touches nobody', () => {
  const judging = configured('rules: { scanner.user-agent: shadow }');
  const first = judged(judging, scan(1_000));
  expect(first.changes).toEqual([]);
  expect(first.findings).toEqual([]);
  expect([first.answer, first.state]).toEqual(['allow', 'stranger']);
  expect(first.shadow?.findings.map(({ rule }) => rule)).toEqual(['scanner.user-agent']);
  expect(kinds(first.shadow?.changes)).toEqual(['ban']);
  expect([...judging.judge.ledger.entries()]).toEqual([]);
  for (let at = 2_000; at < 60_000; at += 1_000) {
    const verdict = judged(judging, scan(at));
    expect([verdict.answer, verdict.changes, verdict.shadow?.changes]).toEqual(['allow', [], []]);
  }
  expect(judging.tables()['shadow.sources']).toMatchObject({ size: 1 });
});

test('it would do what the rule does when it is on: the same code', () => {
  const [on, shadow] = [configured(''), configured('rules: { scanner.user-agent: shadow }')];
  for (let at = 1_000; at < 20_000; at += 1_000) {
    const real = judged(on, scan(at)).changes.filter(({ op }) => op === 'put');
    expect(judged(shadow, scan(at)).shadow?.changes).toEqual(real);
  }
});

test('beside a rule that is enforced it tells only what goes beyond', () => {
  const judging = configured('rules: { scanner.user-agent: shadow }');
  expect(kinds(judged(judging, scan(1_000)).shadow?.changes)).toEqual(['ban']);
  judging.judge.ledger.put({
    kind: 'ban',
    subject: '203.0.113.8',
    level: 1,
    rules: [],
    evidence: [],
    since: 0,
    until: null,
    origin: 'operator',
    reason: 'x',
  });
  expect(judged(judging, scan(1_000, '203.0.113.8')).shadow?.changes).toEqual([]);
});

test('it knows the customers of the enforced ledger, and takes none of them away', () => {
  const judging = configured('rules: { scanner.user-agent: shadow }');
  judged(judging, registered(0, from(IP, 5060, 'tcp'), 'alice'));
  expect(kinds(judged(judging, scan(1_000)).shadow?.changes)).toEqual(['quarantine']);
  expect(judging.judge.ledger.hasGood(IP)).toBe(true);
});

test('who rehearses nothing has no second judge', () => {
  const judging = configured('');
  expect(judged(judging, scan(1_000)).shadow).toBeUndefined();
  expect(judging.tables()['shadow.sources']).toBeUndefined();
});

test('what is over, and what no rehearsed rule would do, does not stand in rehearsal', () => {
  const judging = configured('rules: { scanner.user-agent: shadow }');
  judged(judging, scan(1_000));
  expect(judging.rehearsedOf(IP, 3_600_000)).toHaveLength(1);
  expect(judging.rehearsedOf(IP, 3_602_000)).toEqual([]);
  // by a rule that is enforced: it was done, and an operator lifted it
  const other = '203.0.113.8';
  for (let n = 0; n < 200; n += 1) judged(judging, ask(5_000 + n, from(other, 5060, 'tcp'), 'REGISTER', 'alice'));
  const done = [...judging.judge.ledger.entries()].filter((entry) => 'subject' in entry && entry.subject === other);
  expect(done.length).toBeGreaterThan(0);
  for (const { kind } of done) judging.judge.ledger.remove(`${kind} ${other}`, 'operator');
  expect(judging.rehearsedOf(other, 6_000)).toEqual([]);
});

test('forgiven by an operator is forgiven in rehearsal as well', () => {
  const judging = configured('rules: { scanner.user-agent: shadow }');
  judged(judging, scan(1_000));
  expect(judging.rehearsedOf(IP, 2_000)).toMatchObject([{ kind: 'ban', rules: ['scanner.user-agent'] }]);
  judging.forgive(IP, 2_000);
  expect(judging.rehearsedOf(IP, 2_000)).toEqual([]);
  expect(kinds(judged(judging, scan(3_000)).shadow?.changes)).toEqual(['ban']);
});

// settings

test.each([
  'log',
  'throttle',
  'quarantine',
  'ban',
  'count',
  'off',
  'shadow',
  '{ points: 5, action: quarantine, shadow: true }',
])('rules takes %s', (setting) => {
  expect(() => configured(`rules: { scanner.user-agent: ${setting} }`)).not.toThrow();
});

test.each(['drop', '{ points: 0 }', '{ action: shadow }', '[]', 'true'])('rules refuses %s', (setting) => {
  expect(() => configured(`rules: { scanner.user-agent: ${setting} }`)).toThrow(
    /rules\.scanner\.user-agent|scanner\.user-agent/,
  );
});

test('an action bounds what a rule leads to', () => {
  expect(kinds(judged(configured('rules: { scanner.user-agent: quarantine }'), scan(1_000)).changes)).toEqual([
    'quarantine',
  ]);
  expect(kinds(judged(configured('rules: { scanner.user-agent: log }'), scan(1_000)).changes)).toEqual([]);
});

test('ban_times takes rules and families, and nothing else', () => {
  expect(() =>
    configured('decide: { ban_times: { enumeration: 4h, digest.guessing: 1d, method-bucket: 5m } }'),
  ).not.toThrow();
  expect(() => configured('decide: { ban_times: { enumerations: 4h } }')).toThrow(
    /c\.yaml:1:\d+ decide\.ban_times\.enumerations is neither/,
  );
});

// allowlist_only

test('a node that is closed drops strangers, and nobody else', () => {
  const judging = configured('nodes: [{ name: edge1, allowlist_only: true }, { name: edge2 }]');
  const plain = (ip: string, part: Partial<Request> = {}): Request => ({
    ...ask(1_000, from(ip), 'REGISTER', '100'),
    ...part,
  });
  expect(judged(judging, plain(IP))).toMatchObject({
    answer: 'drop',
    state: 'stranger',
    reason: expect.stringContaining('allow list'),
  });
  expect(judged(judging, plain(IP, { node: 'edge2' })).answer).toBe('allow');
  expect(judged(judging, plain(IP, { standing: 'in-dialog' })).answer).toBe('allow');
  judged(judging, registered(0, from('198.51.100.9', 7_000), 'alice'));
  expect(judged(judging, plain('198.51.100.9')).answer).toBe('allow');
  judging.lists.apply({
    op: 'put',
    entry: {
      kind: 'allow',
      subject: '192.0.2.0/24',
      note: '',
      author: 'x',
      since: 0,
      until: null,
      origin: 'operator',
      reason: 'x',
    },
  });
  expect(judged(judging, plain('192.0.2.9')).answer).toBe('allow');
});
