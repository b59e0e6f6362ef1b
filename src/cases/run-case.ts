import { wireIdOf, type ToolMatcher } from '../enrich/index.ts';
import type { CompanionConfig } from '../judging/index.ts';
import { isSipFault, readCapture, readSip } from '../protocol/index.ts';
import type { CapturedMessage } from '../protocol/index.ts';
import { rehearseMessages } from '../rehearse/index.ts';
import type { SourceRow } from '../rehearse/index.ts';
import type { Case, CaseVerdict, Expectation } from './case-schema.ts';
import { disguised, type Disguise } from './disguise.ts';
import { withSmallTables } from './small-tables.ts';
import { beside, messageBytes, readCaptureFile } from './message-bytes.ts';

/** Where made-up messages go. */
const SERVER = { ip: '192.0.2.10', port: 5_060 } as const;
/** When made-up traffic begins: any time will do, as long as it is always the same. */
const BEGIN_MS = 1_700_000_000_000;

/** Messages of a made-up case that need no large tables: each brings one source at most. */
const SMALL = 1_000;

/** What was found of one source. */
export interface Found {
  readonly source: string;
  readonly verdict: CaseVerdict;
  readonly rules: readonly string[];
  /** `none` when no pack knows the tool. */
  readonly tool: string;
  readonly entry: string;
  readonly wire: string;
  readonly flaggedAt: number | null;
}

const VERDICT_OF: Readonly<Record<SourceRow['state'], CaseVerdict>> = {
  allowed: 'allow',
  good: 'allow',
  stranger: 'allow',
  throttled: 'throttle',
  quarantined: 'quarantine',
  banned: 'ban',
  denied: 'deny',
};

const messagesOf = (test: Case, file: string): readonly CapturedMessage[] => {
  const { timeline, transport, source } = test;
  const sent = (bytes: Buffer, at: number, ip: string, port: number, how = transport): CapturedMessage => {
    const peer = { ip, port };
    // a reply goes the other way
    const isReply = bytes.subarray(0, 8).toString('latin1') === 'SIP/2.0 ';
    const [from, to] = isReply ? [SERVER, peer] : [peer, SERVER];
    return { at: BEGIN_MS + at * 1_000, from, to, transport: how, bytes, cut: false };
  };
  if (typeof timeline === 'string') return [...readCapture([readCaptureFile(beside(file, timeline))], () => undefined)];
  if (timeline !== undefined) {
    return timeline
      .flatMap((step) => {
        const { at, from, port, transport: how, times, every } = step;
        const bytes = messageBytes(step, file);
        return Array.from({ length: times }, (_, n) => sent(bytes, at + n * every, from ?? source, port, how));
      })
      .toSorted((a, b) => a.at - b.at);
  }
  return [sent(messageBytes(test, file), 0, source, SERVER.port)];
};

/** Judges the messages of a case under a policy. @throws CompanionError CONFIG_UNREADABLE for a file that is not there */
export const findingsOf = (
  test: Case,
  file: string,
  disguise: Disguise | undefined,
  policy: CompanionConfig,
  toolOf: ToolMatcher,
): readonly Found[] => {
  const plain = messagesOf(test, file);
  const messages =
    disguise === undefined ? plain : plain.map((one) => ({ ...one, bytes: disguised(one.bytes, disguise) }));
  const named = typeof test.timeline === 'string' ? test.server : SERVER.ip;
  const isMadeUp = typeof test.timeline !== 'string' && messages.length <= SMALL;
  const rows = rehearseMessages(
    messages,
    isMadeUp ? withSmallTables(policy) : policy,
    named === undefined ? [] : [named],
  );
  const first = new Map<string, { tool: string; entry: string; wire: string }>();
  for (const { from, bytes } of messages) {
    const known = first.get(from.ip);
    if (known !== undefined && known.entry !== '') continue;
    const sip = readSip(bytes);
    if (isSipFault(sip)) continue;
    const mark = toolOf(sip);
    first.set(from.ip, { tool: mark?.tool ?? 'none', entry: mark?.entry ?? '', wire: known?.wire ?? wireIdOf(sip) });
  }
  return rows.map(({ ip, state, rules, flaggedAt }) => ({
    source: ip,
    verdict: VERDICT_OF[state],
    rules,
    flaggedAt,
    ...(first.get(ip) ?? { tool: 'none', entry: '', wire: '' }),
  }));
};

const listed = (values: readonly string[]): string => (values.length === 0 ? 'nothing' : values.join(', '));

/** What is not as expected, in sentences; nothing when all is well. */
const complaintsOf = (expected: Expectation, found: Found): readonly string[] => {
  const complaints: string[] = [];
  const same = (what: string, wanted: string | undefined, got: string): void => {
    if (wanted !== undefined && wanted !== got) complaints.push(`${what} is ${got || 'nothing'}, not ${wanted}`);
  };
  same('the verdict', expected.verdict, found.verdict);
  same('the tool', expected.tool, found.tool);
  same('the entry', expected.entry, found.entry);
  same('the shape', expected.wire, found.wire);
  const { rules, lacks, flagged_at: flaggedAt } = expected;
  if (rules?.length === 0 && found.rules.length > 0) complaints.push(`found ${listed(found.rules)}, not nothing`);
  const missing = rules?.filter((rule) => !found.rules.includes(rule)) ?? [];
  if (missing.length > 0) complaints.push(`found ${listed(found.rules)}, not ${listed(missing)}`);
  const unwanted = lacks?.filter((rule) => found.rules.includes(rule)) ?? [];
  if (unwanted.length > 0) complaints.push(`found ${listed(unwanted)}`);
  if (flaggedAt === 'never' && found.flaggedAt !== null) complaints.push(`flagged at message ${found.flaggedAt}`);
  if (typeof flaggedAt === 'number' && (found.flaggedAt === null || found.flaggedAt > flaggedAt))
    complaints.push(
      `flagged ${found.flaggedAt === null ? 'never' : `at message ${found.flaggedAt}`}, not by ${flaggedAt}`,
    );
  return complaints;
};

/** Holds what was found against what is expected, of each source. */
export const problemsOf = (test: Case, found: readonly Found[]): readonly string[] =>
  test.expect.flatMap((expected) => {
    const meant = expected.of === undefined ? found : found.filter(({ source }) => source === expected.of);
    if (meant.length === 0) return [`there was no request${expected.of === undefined ? '' : ` of ${expected.of}`}`];
    return meant.flatMap((one) =>
      complaintsOf(expected, one).map((complaint) => (found.length > 1 ? `${one.source}: ${complaint}` : complaint)),
    );
  });
