import type { AuditLine, Entry, Evidence, Memo } from '../model/index.ts';

/** Rooms upstream bound their own text; these are the last line, so that no caller can make a row of any size. */
const MAX_EVIDENCE_LINES = 20;
const MAX_TEXT_CHARS = 300;
const MAX_NAME_CHARS = 200;
const MAX_DETAIL_CHARS = 1_000;
const MAX_RULES = 50;
const MAX_MEMO_KEY_CHARS = 300;
const MAX_MEMO_CHARS = 16_384;

/** Cuts without leaving half of a surrogate pair behind. */
const cut = (text: string, maxChars: number): string => {
  if (text.length <= maxChars) return text;
  const end = /[\ud800-\udbff]/.test(text.charAt(maxChars - 1)) ? maxChars - 1 : maxChars;
  return text.slice(0, end);
};

const boundEvidence = (evidence: readonly Evidence[]): readonly Evidence[] =>
  // The newest lines: they are the ones that tipped the scale.
  evidence.slice(-MAX_EVIDENCE_LINES).map((line) => ({
    ...line,
    rule: cut(line.rule, MAX_NAME_CHARS),
    text: cut(line.text, MAX_TEXT_CHARS),
  }));

/** The entry with texts and evidence no larger than the store keeps. Subject and user stay whole: they are the key. */
export const boundEntry = (entry: Entry): Entry => {
  const reason = cut(entry.reason, MAX_TEXT_CHARS);
  switch (entry.kind) {
    case 'ban':
    case 'quarantine': {
      const rules = entry.rules.slice(0, MAX_RULES).map((rule) => cut(rule, MAX_NAME_CHARS));
      return { ...entry, reason, rules, evidence: boundEvidence(entry.evidence) };
    }
    case 'allow':
    case 'deny':
      return { ...entry, reason, note: cut(entry.note, MAX_TEXT_CHARS), author: cut(entry.author, MAX_NAME_CHARS) };
    case 'throttle':
    case 'throttle-user':
    case 'good':
      return entry.reason === reason ? entry : { ...entry, reason };
  }
};

/** The entry without its evidence; the same entry when it carries none. */
export const withoutEvidence = (entry: Entry): Entry =>
  (entry.kind === 'ban' || entry.kind === 'quarantine') && entry.evidence.length > 0
    ? { ...entry, evidence: [] }
    : entry;

export const evidenceLines = (entry: Entry): number =>
  entry.kind === 'ban' || entry.kind === 'quarantine' ? entry.evidence.length : 0;

export const boundAudit = (line: AuditLine): AuditLine => ({
  at: line.at,
  actor: cut(line.actor, MAX_NAME_CHARS),
  action: cut(line.action, MAX_NAME_CHARS),
  subject: cut(line.subject, MAX_NAME_CHARS),
  detail: cut(line.detail, MAX_DETAIL_CHARS),
});

/** A memo that is larger than its giver may make it is left out: cut, it could not be read back. */
export const isMemoBounded = ({ key, body }: Memo): boolean =>
  key.length <= MAX_MEMO_KEY_CHARS && body.length <= MAX_MEMO_CHARS;
