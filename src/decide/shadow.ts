import type { Entry, EpochMs, Facts, Finding, Outcome, Request, Verdict } from '../model/index.ts';
import { Judge } from './judge.ts';
import type { Ledger } from './ledger.ts';
import type { DecideSettings } from './settings.ts';

/** Strongest first. */
const KINDS = ['ban', 'quarantine', 'throttle'] as const;
const EXPIRE_EVERY_MS = 1_000;

/** True when what would be done is done already, or more. */
const isDone = (entry: Entry, enforced: Ledger): boolean => {
  if (entry.kind === 'throttle-user')
    return enforced.get(`throttle-user ${entry.subject} ${entry.port ?? '*'} ${entry.user}`) !== undefined;
  for (const kind of KINDS) {
    if ('subject' in entry && enforced.get(`${kind} ${entry.subject}`) !== undefined) return true;
    if (kind === entry.kind) return false;
  }
  return true;
};

/**
 * Rehearses rules: a second judge, the same code, whose ledger nobody enforces. It hears what the first one hears and the
 * findings of the rehearsed rules besides, and tells what it would do beyond what is done. Made with the first such
 * finding: who rehearses nothing pays nothing.
 */
export class ShadowJudge {
  readonly #settings: DecideSettings;
  readonly #enforced: Ledger;
  /** Rules that were rehearsed since the start: our own names, as many as there are. */
  readonly #rules = new Set<string>();
  #judge: Judge | undefined;
  #expiredAt: EpochMs = 0;

  constructor(settings: DecideSettings, enforced: Ledger) {
    this.#settings = settings;
    this.#enforced = enforced;
  }

  tables(): Readonly<Record<string, { readonly size: number; readonly evicted: number }>> {
    const judge = this.#judge;
    return judge === undefined
      ? {}
      : { 'shadow.sources': { size: judge.sources.size, evicted: judge.sources.evicted + judge.ledger.evicted } };
  }

  /** @param findings all of them @returns what the rehearsed rules would have done; undefined when nothing */
  rehearse(event: Request | Outcome, facts: Facts, findings: readonly Finding[]): Verdict['shadow'] {
    if (findings.length === 0 && (this.#judge === undefined || event.kind === 'request')) return undefined;
    const rehearsed = findings.filter(({ shadow }) => shadow === true);
    if (rehearsed.length === 0 && this.#judge === undefined) return undefined;
    for (const { rule } of rehearsed) this.#rules.add(rule);
    const judge = (this.#judge ??= new Judge(this.#settings, this.#enforced));
    if (event.at - this.#expiredAt >= EXPIRE_EVERY_MS) {
      this.#expiredAt = event.at;
      judge.expire(event.at);
    }
    const { changes } = judge.judge(event, facts, findings);
    const beyond = changes.filter(
      (change) => change.op === 'put' && this.#isOurs(change.entry) && !isDone(change.entry, this.#enforced),
    );
    return rehearsed.length === 0 && beyond.length === 0 ? undefined : { findings: rehearsed, changes: beyond };
  }

  /** What would stand against an address for a rehearsed rule beyond what stands. */
  holds(identity: string, now: EpochMs): readonly Entry[] {
    const ledger = this.#judge?.ledger;
    if (ledger === undefined) return [];
    return KINDS.flatMap((kind) => {
      const entry = ledger.get(`${kind} ${identity}`);
      if (entry === undefined || (entry.until !== null && entry.until <= now)) return [];
      return this.#isOurs(entry) && !isDone(entry, this.#enforced) ? [entry] : [];
    });
  }

  /** An operator forgave the address. */
  forgive(identity: string, now: EpochMs): void {
    for (const kind of KINDS) this.#judge?.ledger.remove(`${kind} ${identity}`, 'operator');
    this.#judge?.forgive(identity, now);
  }

  #isOurs(entry: Entry): boolean {
    const named = entry.kind === 'ban' || entry.kind === 'quarantine' ? entry.rules : [];
    return [...named, entry.reason].some((rule) => this.#rules.has(rule));
  }
}
