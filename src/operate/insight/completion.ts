import type { CompletionKind, Entry } from '../../model/index.ts';
import type { Judge } from '../../decide/index.ts';

const MAX_ANSWERS = 100;

const KINDS: Readonly<Record<CompletionKind, readonly Entry['kind'][]>> = {
  held: ['ban', 'quarantine', 'throttle', 'throttle-user'],
  allow: ['allow'],
  deny: ['deny'],
  any: ['ban', 'quarantine', 'throttle', 'throttle-user', 'allow', 'deny', 'good'],
};

/** `203.0.113.7/32` is written without its /32. */
const plain = (subject: string): string => subject.replace(/\/(?:32|128)$/, '');

/** Addresses of the ledger that begin so, each once, the first hundred found. */
export const completions = (ledger: Judge['ledger'], kind: CompletionKind, prefix: string): string[] => {
  const found = new Set<string>();
  for (const entry of ledger.entries(...KINDS[kind])) {
    const subject = plain(entry.kind === 'good' ? entry.ip : entry.subject);
    if (subject.startsWith(prefix)) found.add(subject);
    if (found.size >= MAX_ANSWERS) break;
  }
  return [...found];
};
