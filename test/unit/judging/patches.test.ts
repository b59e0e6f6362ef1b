import { describe, expect, test } from 'vitest';
import { createReload, loadConfig } from '../../../src/config/index.ts';
import { PATCH_RULES } from '../../../src/detect/message/known-exploit.ts';
import { companionSchema, createJudging } from '../../../src/judging/index.ts';
import type { Request } from '../../../src/model/index.ts';
import { PATCHES } from '../../../src/protocol/index.ts';
import { requestOf } from '../../../src/receive/to-record.ts';
import { exploitsOf, harmless } from '../protocol/exploits.ts';

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

const judgingOf = (version: string) =>
  createJudging(read(), [], { databases: () => [], listed: () => undefined, versionOf: () => version });

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

  test('is dropped where the version is not known yet', () => {
    expect(judgingOf('').judged(requestWith(smuggled!)).answer).toBe('drop');
  });

  test('is dropped for what stands behind the server', () => {
    const [format] = exploitsOf('CVE-2018-1000098');
    expect(judgingOf('5.6.3').judged(requestWith(format!))).toMatchObject({
      answer: 'drop',
      findings: [{ rule: 'patch.cve-2018-1000098' }],
    });
  });

  test('is dropped from the allow list as well, which is accused of nothing', () => {
    const judging = judgingOf('5.3.5');
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
    const [long] = exploitsOf('CVE-2018-8828');
    let text = 'patches: { CVE-2018-8828: on, CVE-2018-1000098: off }';
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
    text = 'patches: { CVE-2018-8828: auto }';
    expect(reload().needRestart).toEqual([]);
    expect(judging.judged(requestWith(long!)).reason).not.toMatch(/patch/);
    expect(judging.judged(requestWith(format!)).answer).toBe('drop');
  });

  test('other names are refused', () => {
    expect(() => read('patches: { CVE-2018-8829: on }')).toThrow(/did you mean 'CVE-2018-8828'/);
    expect(() => read('patches: { CVE-2018-8828: maybe }')).toThrow(/patches/);
  });
});
