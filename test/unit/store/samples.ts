import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  AuditLine,
  BanEntry,
  Change,
  Entry,
  Evidence,
  GoodEntry,
  ListEntry,
  QuarantineEntry,
} from '../../../src/model/index.ts';
import { openRecords, type RecordsOptions } from '../../../src/store/index.ts';

/** 2026-11-20. */
export const NOW = 1_795_132_800_000;
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

export const evidence = (count = 2, text = 'wrong password for 100'): Evidence[] =>
  Array.from({ length: count }, (_, index) => ({
    at: NOW - count + index,
    rule: 'digest.wrong-password',
    tier: 'proven',
    points: 20,
    text,
  }));

export const ban = (subject: string, over: Partial<BanEntry> = {}): BanEntry => ({
  kind: 'ban',
  subject,
  since: NOW,
  until: NOW + HOUR,
  origin: 'detector',
  reason: 'password guessing',
  level: 1,
  rules: ['digest.wrong-password'],
  evidence: evidence(),
  ...over,
});

export const quarantine = (subject: string, over: Partial<QuarantineEntry> = {}): QuarantineEntry => ({
  kind: 'quarantine',
  subject,
  since: NOW,
  until: NOW + HOUR,
  origin: 'detector',
  reason: 'scan',
  rules: ['enumeration.distinct'],
  evidence: evidence(),
  ...over,
});

export const good = (ip: string, user: string, over: Partial<GoodEntry> = {}): GoodEntry => ({
  kind: 'good',
  ip,
  port: 5060,
  user,
  since: NOW,
  until: NOW + HOUR,
  origin: 'detector',
  reason: 'authenticated',
  ...over,
});

export const list = (kind: 'allow' | 'deny', subject: string, over: Partial<ListEntry> = {}): ListEntry => ({
  kind,
  subject,
  since: NOW,
  until: null,
  origin: 'operator',
  reason: 'by hand',
  note: 'head office',
  author: 'ana',
  ...over,
});

export const everyKind = (): Entry[] => [
  ban('198.51.100.7'),
  ban('2001:db8:1:2::/64', { until: null, origin: 'operator', level: 0, evidence: [] }),
  quarantine('198.51.100.8'),
  {
    kind: 'throttle',
    subject: '198.51.100.9',
    since: NOW,
    until: NOW + HOUR,
    origin: 'detector',
    reason: 'flood',
    perSecond: 5,
  },
  {
    kind: 'throttle-user',
    subject: '198.51.100.9',
    user: '100',
    since: NOW,
    until: NOW + HOUR,
    origin: 'detector',
    reason: 'guessing',
    intervalSeconds: 30,
  },
  good('192.0.2.1', 'alice'),
  list('allow', '203.0.113.0/24'),
  list('deny', '198.51.100.0/25'),
];

export const put = (entry: Entry): Change => ({ op: 'put', entry });
export const remove = (entry: Entry, why: 'expired' | 'operator' | 'superseded' | 'revoked' = 'expired'): Change => ({
  op: 'remove',
  entry,
  why,
});

export const auditLine = (over: Partial<AuditLine> = {}): AuditLine => ({
  at: NOW,
  actor: 'operator:ana',
  action: 'ban.add',
  subject: '198.51.100.7',
  detail: 'by hand',
  ...over,
});

/** A room of its own for a test: a directory, a database in it, and everything closed in the end. */
export const storeRoom = () => {
  const directory = mkdtempSync(join(tmpdir(), 'companion-store-'));
  const file = join(directory, 'companion.db');
  const opened: { close(): Promise<void> }[] = [];
  return {
    directory,
    file,
    open: async (over: Partial<RecordsOptions> = {}) => {
      const records = await openRecords({ file, clock: { now: () => NOW }, ...over });
      opened.push(records);
      return records;
    },
    leave: async () => {
      for (const records of opened) await records.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
};
