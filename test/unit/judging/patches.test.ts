import { describe, expect, test } from 'vitest';
import { createReload, loadConfig } from '../../../src/config/index.ts';
import { PATCH_RULES } from '../../../src/detect/message/known-exploit.ts';
import { companionSchema, createJudging, patchStateOf } from '../../../src/judging/index.ts';
import type { Request } from '../../../src/model/index.ts';
import { PATCHES } from '../../../src/protocol/index.ts';
import { requestOf } from '../../../src/receive/to-record.ts';
import { exploitsOf, harmless, honest } from '../protocol/exploits.ts';

const read = (text = '') => loadConfig({ text, file: 'companion.yaml', schema: companionSchema });

const requestWith = (
  bytes: Buffer,
  { ip = '203.0.113.7', at = 1_000, kind = 'ask' as 'ask' | 'tell' } = {},
): Request => {
  const request = requestOf(
    {
      kind,
      node: 'edge1',
      seq: 1,
      sentAt: 0,
      tindex: 1,
      tlabel: 1,
      transport: 'udp',
      ip,
      port: 5_060,
      credentials: 'none',
      standing: 'stranger',
      sizeBytes: bytes.length,
      cut: false,
      raw: bytes,
    } as Parameters<typeof requestOf>[0],
    at,
  );
  if (typeof request === 'string') throw new Error(request);
  return request;
};

const judgingOf = (version: string, text = '') =>
  createJudging(read(text), [], { databases: () => [], listed: () => undefined, versionOf: () => version });

const allowing = (judging: ReturnType<typeof judgingOf>): void =>
  judging.lists.apply({
    op: 'put',
    entry: {
      kind: 'allow',
      subject: '203.0.113.0/24',
      since: 0,
      until: null,
      origin: 'operator',
      reason: 'ours',
      note: '',
      author: 'test',
    },
  });

const [smuggled] = exploitsOf('CVE-2020-28361');

test('each patch has its rule', () => {
  expect(PATCHES.map(({ id }) => `patch.${id.toLowerCase()}`).toSorted()).toEqual([...PATCH_RULES].toSorted());
});

describe('a request that fits a patch', () => {
  test('is dropped for a server that is affected, and evidence that is not enough for anything', () => {
    const judging = judgingOf('5.3.5');
    const verdict = judging.judged(requestWith(smuggled!));
    expect(verdict).toMatchObject({
      answer: 'drop',
      state: 'stranger',
      reason: 'virtual patch CVE-2020-28361',
      changes: [],
    });
    expect(verdict.findings.filter(({ rule }) => rule.startsWith('patch.'))).toMatchObject([
      { rule: 'patch.cve-2020-28361', tier: 'spoofable', points: 30 },
    ]);
    for (let second = 2; second < 1_000; second += 1) {
      const again = judging.judged(requestWith(smuggled!, { at: second * 1_000 }));
      expect(again).toMatchObject({ answer: 'drop', state: 'stranger', changes: [] });
    }
  });

  test('passes to a server that is not affected', () => {
    const { answer, findings } = judgingOf('5.6.3').judged(requestWith(smuggled!));
    expect(answer).toBe('allow');
    expect(findings.filter(({ rule }) => rule.startsWith('patch.'))).toEqual([]);
  });

  test.each(['', '5.6.3'])('of honest senders passes a server of version "%s"', (version) => {
    for (const bytes of [...honest(), ...harmless(), smuggled!])
      expect([bytes, judgingOf(version).judged(requestWith(bytes)).answer]).toEqual([bytes, 'allow']);
  });

  test('that is stopped before the parser only is not looked at here, also for a server that is affected', () => {
    for (const bytes of exploitsOf('CVE-2018-16657'))
      expect(judgingOf('5.1.3').judged(requestWith(bytes)).reason).not.toMatch(/CVE-2018-16657/);
  });

  test('accuses its sender where nobody said that the software is there, and is dropped where somebody did', () => {
    for (const id of ['CVE-2018-1000098', 'AST-2017-003', 'CVE-2018-1000099', 'sngrep-512']) {
      const [bytes] = exploitsOf(id);
      const findings = [{ rule: `patch.${id.toLowerCase()}`, points: 30 }];
      const { answer, findings: found } = judgingOf('5.6.3').judged(requestWith(bytes!));
      expect([id, answer]).toEqual([id, 'allow']);
      expect(found.filter(({ rule }) => rule.startsWith('patch.'))).toMatchObject(findings);
    }
    const [format] = exploitsOf('CVE-2018-1000098');
    expect(judgingOf('5.6.3', 'patches: { asterisk: on }').judged(requestWith(format!))).toMatchObject({
      answer: 'drop',
      findings: [{ rule: 'patch.cve-2018-1000098' }],
    });
    const sure = judgingOf('5.6.3', 'patches: { asterisk: off }').judged(requestWith(format!));
    expect(sure.findings.filter(({ rule }) => rule.startsWith('patch.'))).toEqual([]);
    const other = judgingOf('5.6.3', 'patches: { asterisk: on, CVE-2018-1000098: off }').judged(requestWith(format!));
    expect(other.answer).toBe('allow');
  });

  test.each([
    ['', 'CVE-2018-1000098'],
    ['', 'sngrep-512'],
    ['', 'CVE-2020-28361'],
  ])('passes from the allow list (%s %s) where nothing is known to be affected', (version, id) => {
    const judging = judgingOf(version);
    allowing(judging);
    const [bytes] = exploitsOf(id);
    expect(judging.judged(requestWith(bytes!))).toMatchObject({ answer: 'allow', state: 'allowed', findings: [] });
  });

  test('is dropped from the allow list as well where the server is affected, which is accused of nothing', () => {
    const judging = judgingOf('5.3.5');
    allowing(judging);
    expect(judging.judged(requestWith(smuggled!))).toMatchObject({ answer: 'drop', state: 'allowed', findings: [] });
    expect(judging.judged(requestWith(harmless()[0]!)).answer).toBe('allow');
  });

  test('is looked at only where somebody waits for an answer', () => {
    expect(requestWith(smuggled!, { kind: 'tell' }).exploits).toBeUndefined();
    expect(requestWith(harmless()[0]!).exploits).toEqual([]);
  });
});

describe('patches in the configuration', () => {
  test('on and off have the last word, also after a reload', () => {
    const [long] = exploitsOf('CVE-2018-14767');
    let text = 'patches: { CVE-2018-14767: on, asterisk: off }';
    const config = read(text);
    const judging = createJudging(config, [], {
      databases: () => [],
      listed: () => undefined,
      versionOf: () => '5.6.3',
    });
    const [format] = exploitsOf('CVE-2018-1000098');
    expect(judging.judged(requestWith(long!)).answer).toBe('drop');
    expect(judging.judged(requestWith(format!)).reason).not.toMatch(/patch/);
    const reload = createReload(config, () => read(text), judging.swaps);
    text = 'patches: { CVE-2018-14767: auto, asterisk: on }';
    expect(reload().needRestart).toEqual([]);
    expect(judging.judged(requestWith(long!)).reason).not.toMatch(/patch/);
    expect(judging.judged(requestWith(format!)).answer).toBe('drop');
  });

  test('say where they act, when that is not here', () => {
    const early = PATCHES.find(({ id }) => id === 'CVE-2026-23457')!;
    expect(patchStateOf(early, '5.6.3', {})).toMatchObject({ on: false, accuses: false });
    expect(patchStateOf(early, '5.6.3', { linux: 'on' })).toEqual({
      on: true,
      accuses: false,
      why: 'linux is on in the configuration; acts before the parser only: COMPANION_PATCH_CVE_2026_23457 in Kamailio',
    });
  });

  test('other names are refused', () => {
    expect(() => read('patches: { CVE-2018-8829: on }')).toThrow(/did you mean 'CVE-2018-8828'/);
    expect(() => read('patches: { CVE-2018-8828: maybe }')).toThrow(/patches/);
    expect(() => read('patches: { kamailio: on }')).toThrow(/patches/);
  });
});
