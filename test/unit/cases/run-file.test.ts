import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { describeMessage, listRules, runFile, type CaseResult } from '../../../src/cases/index.ts';
import { disguised, DISGUISES } from '../../../src/cases/disguise.ts';
import { loadConfig } from '../../../src/config/index.ts';
import { companionSchema } from '../../../src/judging/index.ts';

const directory = mkdtempSync(join(tmpdir(), 'companion-cases-'));
afterAll(() => rmSync(directory, { recursive: true }));
const write = (name: string, text: string): string => {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
};
const policyOf = (text: string) => loadConfig({ text, schema: companionSchema });
const run = (text: string, config = ''): readonly CaseResult[] => {
  const results: CaseResult[] = [];
  runFile(write('cases.yaml', text), { policy: policyOf(config), each: (result) => results.push(result) });
  return results;
};
const problemsOf = (text: string, config = ''): readonly string[] =>
  run(text, config).flatMap(({ problems }) => problems);

const TOOL = `OPTIONS sip:nm SIP/2.0
      Via: SIP/2.0/UDP nm;branch=foo
      From: <sip:nm@nm>;tag=root
      To: <sip:nm2@nm2>
      Call-ID: 50000
      CSeq: 42 OPTIONS
      User-Agent: x`;
const caseOf = (expectation: string, more = ''): string =>
  `cases:\n  - name: one\n    message: |\n      ${TOOL}\n    ${more}\n    expect: ${expectation}\n`;

test('what is expected, and found', () => {
  expect(run(caseOf('{ verdict: quarantine, tool: nmap, entry: nmap-probe-from, flagged_at: 1 }'))).toMatchObject([
    {
      name: 'one',
      disguise: '',
      ok: true,
      found: [{ source: '203.0.113.7', verdict: 'quarantine', rules: ['scanner.fingerprint'], flaggedAt: 1 }],
    },
  ]);
});

test.each([
  ['{ verdict: ban }', 'the verdict is quarantine, not ban'],
  ['{ tool: sipcli }', 'the tool is nmap, not sipcli'],
  ['{ entry: other }', 'the entry is nmap-probe-from, not other'],
  ['{ wire: w1-00000000 }', expect.stringMatching(/^the shape is w1-[0-9a-f]{8}, not w1-00000000$/)],
  ['{ rules: [] }', 'found scanner.fingerprint, not nothing'],
  ['{ rules: [density.source] }', 'found scanner.fingerprint, not density.source'],
  ['{ lacks: [scanner.fingerprint] }', 'found scanner.fingerprint'],
  ['{ flagged_at: never }', 'flagged at message 1'],
  ['{ of: 198.51.100.1, verdict: allow }', 'there was no request of 198.51.100.1'],
])('%s is not so: %s', (expectation, problem) => {
  expect(problemsOf(caseOf(expectation))).toEqual([problem]);
});

test('the policy decides: a silenced rule, an allowed address, TCP', () => {
  expect(problemsOf(caseOf('{ verdict: allow, rules: [] }'), 'rules: { scanner.fingerprint: off }')).toEqual([]);
  expect(problemsOf(caseOf('{ verdict: allow }'), 'allow: [203.0.113.0/24]')).toEqual([]);
  expect(problemsOf(caseOf('{ verdict: deny }'), 'deny: [203.0.113.7]')).toEqual([]);
  expect(problemsOf(caseOf('{ verdict: ban }', 'transport: tcp'))).toEqual([]);
  expect(problemsOf(caseOf('{ flagged_at: 1 }'), 'rules: { scanner.fingerprint: { points: 10 } }')).toEqual([
    'flagged never, not by 1',
  ]);
});

test('timelines: steps in their order, sources told apart, the same every time', () => {
  const timeline = `cases:
  - name: two sources
    timeline:
      - { at: 5, from: 198.51.100.9, base64: ${Buffer.from(TOOL.replaceAll(/\n */g, '\r\n') + '\r\n\r\n').toString('base64')} }
      - at: 0
        from: 198.51.100.1
        times: 3
        every: 60
        message: |
          OPTIONS sip:h SIP/2.0
          Via: SIP/2.0/UDP h;branch=z9hG4bKa
          From: <sip:a@h>;tag=a
          To: <sip:a@h>
          Call-ID: a
          CSeq: 1 OPTIONS
    expect:
      - { of: 198.51.100.9, verdict: quarantine, flagged_at: 1 }
      - { of: 198.51.100.1, verdict: allow, rules: [], flagged_at: never }
`;
  expect(problemsOf(timeline)).toEqual([]);
  expect(run(timeline)).toEqual(run(timeline));
  expect(problemsOf(timeline.replace('flagged_at: never', 'flagged_at: 2'))).toEqual([
    '198.51.100.1: flagged never, not by 2',
  ]);
});

test('a pack runs the tests of its entries, and says which has none', () => {
  const message = `{ message: "OPTIONS sip:h SIP/2.0\\nVia: SIP/2.0/UDP h;branch=x\\nFrom: <sip:a@h>;tag=a\\nTo: <sip:a@h>\\nCall-ID: a\\nCSeq: 7 OPTIONS" }`;
  const results = run(`pack: mine
entries:
  - { name: none, tool: t, risk: low, detail: d, source: s, match: { cseq: 7 } }
  - { name: right, tool: t, risk: low, detail: d, source: s, match: { cseq: 7 }, tests: { matches: [${message}] } }
  - name: wrong
    tool: t
    risk: low
    detail: d
    source: s
    match: { cseq: 8 }
    tests: { matches: [${message}, { message: nothing }], spares: [${message}] }
`);
  expect(results.map(({ name, ok, problems }) => [name, ok, problems[0]])).toEqual([
    ['none: has a test', false, 'it has none'],
    ['right: matches message 1', true, undefined],
    ['wrong: matches message 1', false, 'it does not'],
    ['wrong: matches message 2', false, expect.stringMatching(/^it is no request/)],
    ['wrong: spares message 1', true, undefined],
  ]);
});

test.each([
  ['cases: []', /cases\.yaml:1:8 cases/],
  ['cases:\n  - { name: a, expect: { verdict: allow } }', /cases\[0\] needs one of 'file'/],
  ['cases:\n  - { name: a, message: x, file: y, expect: { verdict: allow } }', /cases\[0\] needs one of 'file'/],
  ['cases:\n  - { name: a, message: x, expect: {} }', /cases\[0\]\.expect expects nothing/],
  [
    'cases:\n  - { name: a, message: x, expect: { verdict: kick } }',
    /cases\[0\]\.expect\.verdict must be one of allow/,
  ],
  [
    'cases:\n  - { name: a, file: nothing.sip, expect: { verdict: allow } }',
    /nothing\.sip, which a case names: there is no such file/,
  ],
  ['cases:\n  - { name: a, file: ".", expect: { verdict: allow } }', /it is not a regular file/],
])('%j is refused', (text, problem) => {
  expect(() => run(text)).toThrow(problem);
});

test('disguises change the name and nothing else', () => {
  const message = Buffer.from(
    'OPTIONS sip:h SIP/2.0\r\nFrom: x\r\nUser-Agent:\r\n friendly-scanner\r\nTo: y\r\n\r\nbody',
  );
  expect(
    DISGUISES.map((disguise) => disguised(message, disguise).toString('latin1').split('\r\n').slice(2, -3)),
  ).toEqual([
    [],
    ['User-Agent: Yealink SIP-T46U 108.86.0.20'],
    ['User-Agent:', ' friendly-scanner'],
    ['USER-AGENT: FRIENDLY-SCANNER'],
    ['User-Agent: Yealink SIP-T46U 108.86.0.20', 'User-Agent: friendly-scanner'],
  ]);
  for (const disguise of DISGUISES)
    expect(disguised(message, disguise).toString()).toMatch(/^OPTIONS.*To: y\r\n\r\nbody$/s);
  const reply = Buffer.from('SIP/2.0 200 OK\r\nUser-Agent: x\r\n\r\n');
  expect(disguised(reply, 'no-agent')).toBe(reply);
});

test('rules and tools of a policy, with packs of its own', () => {
  const mine = write(
    'mine.yaml',
    'pack: mine\noff: [sipp-tag]\nentries:\n  - { name: own, tool: t, risk: low, detail: d, source: s, match: { cseq: 4711 } }\n',
  );
  const listing = listRules(policyOf(`packs: [${mine}]\nrules: { density.prefix: off, scanner.trick: { points: 7 } }`));
  expect(listing.rules).toEqual(
    expect.arrayContaining([
      { rule: 'density.prefix', setting: 'off' },
      { rule: 'scanner.trick', setting: '7 points' },
      { rule: 'scanner.fingerprint', setting: 'as shipped' },
    ]),
  );
  expect(listing.entries).toContainEqual({ name: 'own', pack: 'mine', tool: 't', risk: 'low', detail: 'd' });
  expect(listing.entries.map(({ name }) => name)).not.toContain('sipp-tag');
});

test('how a message is built', () => {
  const file = write(
    'm.sip',
    'OPTIONS sip:nm SIP/2.0\r\nVia: SIP/2.0/UDP nm;branch=foo\r\nFrom: <sip:nm@nm>;tag=root\r\n\r\n',
  );
  expect(describeMessage(file, policyOf(''))).toMatchObject({
    wire: expect.stringMatching(/^w1-[0-9a-f]{8}$/),
    tool: 'nmap',
    features: expect.arrayContaining(['headers: via, from', 'branch cookie: none']),
  });
  expect(describeMessage(write('r.sip', 'SIP/2.0 200 OK\r\n\r\n'), policyOf(''))).toMatchObject({ wire: '' });
});
