import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { runFile, type CaseResult } from '../../../src/cases/index.ts';
import { loadConfig } from '../../../src/config/index.ts';
import { companionSchema } from '../../../src/judging/index.ts';

/** shared/ stands beside the checkout. */
const SIP_DATA = fileURLToPath(new URL('../../../../shared/data/sip/', import.meta.url));
const policy = loadConfig({ text: '', schema: companionSchema });
const directory = mkdtempSync(join(tmpdir(), 'companion-cases-'));
afterAll(() => rmSync(directory, { recursive: true }));

const run = (cases: readonly object[]): readonly CaseResult[] => {
  const file = join(directory, 'cases.yaml');
  writeFileSync(file, JSON.stringify({ cases }));
  const results: CaseResult[] = [];
  runFile(file, { policy, each: (result) => results.push(result) });
  return results;
};
const bad = (results: readonly CaseResult[]): readonly CaseResult[] => results.filter(({ ok }) => !ok);

const CAUGHT = { verdict: 'quarantine', rules: ['scanner.fingerprint'], tool: 'sipvicious', flagged_at: 1 };

test('each captured message of sipvicious, in every disguise: flagged by its build', { timeout: 60_000 }, () => {
  const files = readdirSync(join(SIP_DATA, 'sipvicious'));
  const results = run(
    files.map((file) => ({ name: file, file: join(SIP_DATA, 'sipvicious', file), disguise: 'all', expect: CAUGHT })),
  );
  expect(results).toHaveLength(15 * 6);
  expect(bad(results)).toEqual([]);
});

/** The first request of each source: what must be enough. */
const firsts = (trace: string): readonly { readonly source: string; readonly base64: string }[] => {
  const seen = new Map<string, string>();
  for (const line of readFileSync(join(SIP_DATA, 'traces', `${trace}.jsonl`), 'utf8')
    .trim()
    .split('\n')) {
    const { src, b64 } = JSON.parse(line) as { readonly src: string; readonly b64: string };
    const source = src.slice(0, src.lastIndexOf(':'));
    const isReply = Buffer.from(b64, 'base64').subarray(0, 8).toString('latin1') === 'SIP/2.0 ';
    if (!isReply && !seen.has(source)) seen.set(source, b64);
  }
  return [...seen].map(([source, base64]) => ({ source, base64 }));
};

test.each([
  ['svwar-default', 'sipvicious', 1],
  ['svcrack-numeric', 'sipvicious', 1],
  ['initconf-sipvicious-sweep', 'sipvicious', 11],
  ['initconf-sipcli-tollfraud', 'sipcli', 1],
])(
  '%s: each source is flagged by its first message, in every disguise',
  { timeout: 60_000 },
  (trace, tool, sources) => {
    const messages = firsts(trace);
    const results = run(
      messages.map(({ source, base64 }) => ({
        name: `${trace} ${source}`,
        base64,
        source,
        disguise: 'all',
        expect: { ...CAUGHT, tool },
      })),
    );
    expect(results).toHaveLength(sources * 6);
    expect(bad(results)).toEqual([]);
  },
);

test('every request of the toll-fraud trace names its tool, whatever the disguise', { timeout: 60_000 }, () => {
  const lines = readFileSync(join(SIP_DATA, 'traces/initconf-sipcli-tollfraud.jsonl'), 'utf8').trim().split('\n');
  const requests = lines
    .map((line) => JSON.parse(line) as { readonly b64: string })
    .filter(({ b64 }) => !Buffer.from(b64, 'base64').subarray(0, 8).equals(Buffer.from('SIP/2.0 ')));
  expect(requests.length).toBeGreaterThan(30);
  const results = run(
    requests.map(({ b64 }, index) => ({
      name: `request ${index}`,
      base64: b64,
      disguise: 'all',
      expect: { tool: 'sipcli' },
    })),
  );
  expect(bad(results)).toEqual([]);
});

test('genuine messages: nothing is recognised in RFC 3665', { timeout: 60_000 }, () => {
  const files = readdirSync(join(SIP_DATA, 'rfc3665')).filter((file) => !/-\d{3}\.sip$/.test(file));
  const results = run(
    files.map((file) => ({
      name: file,
      file: join(SIP_DATA, 'rfc3665', file),
      expect: {
        tool: 'none',
        lacks: ['scanner.fingerprint', 'scanner.user-agent', 'scanner.trick'],
        flagged_at: 'never',
      },
    })),
  );
  expect(results.length).toBeGreaterThan(80);
  expect(bad(results)).toEqual([]);
});

test('genuine clients: nothing is found in either trace', () => {
  const results = run(
    ['client-baresip', 'client-baresip_tcp'].map((trace) => ({
      name: trace,
      timeline: join(SIP_DATA, 'traces', `${trace}.jsonl`),
      expect: { rules: [], tool: 'none', flagged_at: 'never' },
    })),
  );
  expect(bad(results)).toEqual([]);
});
