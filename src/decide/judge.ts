import { ENOUGH_POINTS, identityOf } from '../model/index.ts';
import type { Barred, Change, EpochMs, Facts, FalseAlarm, Finding, Outcome, Request, Verdict } from '../model/index.ts';
import { sparedFromBan } from './ban-guard.ts';
import type { Spared } from './ban-guard.ts';
import { FalseAlarms } from './false-alarms.ts';
import { Ladder } from './ladder.ts';
import { Ledger } from './ledger.ts';
import { firstBanOf } from './settings.ts';
import type { DecideSettings } from './settings.ts';
import { SourceMemory, slowsDown } from './source-memory.ts';
import type { SourceRecord } from './source-memory.ts';
import { answerTo, reportOf, stateOf } from './standing.ts';
import type { JudgeReport } from './standing.ts';

/** One attempt with credentials in this many seconds, by rung: a phone whose password was put right gets through within 32 s. */
const USER_THROTTLE_SECONDS = [1, 5, 20] as const;

/** Known-good outlives its binding by a fifth; an authenticated request without one counts for this long. */
const GOOD_FACTOR = 1.2;
const GOOD_WITHOUT_BINDING_MS = 3_600_000;

/** Quarantine is renewed by new evidence once this share of it has passed: not with every packet of a flood. */
const RENEW_SHARE = 0.25;

type Event = Request | Outcome;
type AccusedUser = Extract<Finding['accused'], { kind: 'user' }>;

/** Who the sender says it is, in every place where the event says it: credentials may name somebody else than From. */
const usersOf = (event: Event): readonly string[] => {
  if (event.kind === 'request') return [event.sip.from.user];
  if (event.type === 'parse-error' || event.type === 'unacknowledged') return [];
  return event.type === 'auth' && event.claimed !== event.user ? [event.user, event.claimed] : [event.user];
};

/** Judges one event at a time. Synchronous; the same events at the same times give the same verdicts. */
export class Judge {
  readonly ledger: Ledger;
  readonly ladder: Ladder;
  readonly sources: SourceMemory;
  readonly falseAlarms: FalseAlarms;
  /** Bans that the NAT-aware climb turned into quarantine, by reason. */
  readonly spared: Record<Spared, number> = {
    'own-address': 0,
    'private-range': 0,
    'good-users': 0,
    'behind-a-proxy': 0,
  };
  readonly #settings: DecideSettings;
  /** Who the customers are; another judge's ledger where that one looks after them. */
  readonly #customers: Ledger;

  /** @param customers of a judge that rehearses: it reads the customers of the other one, and changes nothing of them */
  constructor(settings: DecideSettings, customers?: Ledger) {
    this.#settings = settings;
    this.ledger = new Ledger(
      {
        bans: settings.max_bans,
        quarantined: settings.max_quarantined,
        throttled: settings.max_throttled,
        good: settings.max_good,
      },
      identityOf,
    );
    this.#customers = customers ?? this.ledger;
    this.falseAlarms = new FalseAlarms(settings);
    this.ladder = new Ladder(settings);
    this.sources = new SourceMemory(settings.max_sources, settings.score_decay);
  }

  judge(event: Event, facts: Facts, findings: readonly Finding[]): Verdict {
    let falseAlarm = event.kind === 'outcome' ? this.#doubt(event) : undefined;
    const changes: Change[] = event.kind === 'outcome' ? this.#learn(event) : [];
    if (facts.list === 'allow' || facts.own) {
      return {
        answer: 'allow',
        state: 'allowed',
        reason: facts.own ? 'own address' : 'allow list',
        findings: [],
        changes,
      };
    }
    for (const finding of findings) changes.push(...this.#weigh(event, facts, finding));
    if (findings.length > 0) falseAlarm = this.#hitsCustomers(changes, event.at) ?? falseAlarm;
    const { state, reason } = stateOf(event, facts, this.ledger);
    const answer = answerTo(event, state, findings, facts.validity);
    return falseAlarm === undefined
      ? { answer, state, reason, findings, changes }
      : { answer, state, reason, findings, changes, falseAlarm };
  }

  /** What has ended: entries, and bans that now pass into quarantine. Call about once a second. */
  expire(now: EpochMs): Change[] {
    const changes = this.ledger.expire(now);
    for (const change of changes.slice()) {
      if (change.entry.kind !== 'ban' || change.entry.origin !== 'detector') continue;
      const { subject, rules, evidence } = change.entry;
      changes.push(
        ...this.ledger.put({
          kind: 'quarantine',
          subject,
          since: now,
          until: now + this.#settings.quarantine_time,
          origin: 'detector',
          reason: 'after a ban',
          rules,
          evidence,
        }),
      );
    }
    return changes;
  }

  /** Forgets the score of a source (an operator lifted its ban): it starts anew, its rung on the ladder stays. */
  forgive(identity: string, now: EpochMs): void {
    const record = this.sources.peek(identity);
    if (record === undefined) return;
    this.sources.forgive(record, now);
    delete record.userRungs;
  }

  report(identity: string, list: Facts['list'], now: EpochMs, barred?: Barred): JudgeReport {
    return reportOf(identity, list, now, this.ledger, this.sources, barred);
  }

  /** Outcomes make customers: a good entry for what authenticated, counts per user for the climb. */
  #learn(outcome: Outcome): Change[] {
    const { source, at } = outcome;
    const rehearses = this.#customers !== this.ledger;
    if (outcome.type === 'registered') {
      if (rehearses) return [];
      const { ip, port } = source;
      if (outcome.expiresSeconds === 0) return this.ledger.remove(`good ${ip} ${port} ${outcome.user}`, 'superseded');
      const until = at + outcome.expiresSeconds * 1_000 * GOOD_FACTOR;
      const known = this.ledger.good(ip, port, outcome.user);
      // what was granted may be told of another contact of the same user: it takes nothing away from this one
      if (known !== undefined && (known.until === null || known.until >= until)) return [];
      return this.ledger.put({
        kind: 'good',
        ip,
        port,
        user: outcome.user,
        since: at,
        until,
        origin: 'detector',
        reason: 'registered',
      });
    }
    if (outcome.type !== 'auth' || outcome.tier !== 'proven') return [];
    const ok = outcome.result === 'ok';
    const failed =
      outcome.result === 'wrong-password' || outcome.result === 'unknown-user' || outcome.result === 'user-mismatch';
    if (!ok && !failed) return [];
    const record = this.sources.of(source.identity, at);
    this.sources.countUser(record, outcome.user, ok);
    if (!ok) return [];
    record.lastOkAt = at;
    const changes: Change[] = [];
    for (const place of ['*', source.port]) {
      record.userRungs?.delete(place === '*' ? outcome.user : `${place} ${outcome.user}`);
      changes.push(...this.ledger.remove(`throttle-user ${source.identity} ${place} ${outcome.user}`, 'superseded'));
    }
    if (
      !rehearses &&
      outcome.method !== 'REGISTER' &&
      this.ledger.good(source.ip, source.port, outcome.claimed) === undefined
    ) {
      changes.push(
        ...this.ledger.put({
          kind: 'good',
          ip: source.ip,
          port: source.port,
          user: outcome.claimed,
          since: at,
          until: at + GOOD_WITHOUT_BINDING_MS,
          origin: 'detector',
          reason: 'authenticated',
        }),
      );
    }
    return changes;
  }

  /** A success at an address that was decided against: was that a false alarm? */
  #doubt(outcome: Outcome): FalseAlarm | undefined {
    const isSuccess =
      outcome.type === 'registered' ? outcome.expiresSeconds > 0 : outcome.type === 'auth' && outcome.result === 'ok';
    if (!isSuccess || outcome.tier !== 'proven') return undefined;
    const { identity } = outcome.source;
    const clean = (this.sources.peek(identity)?.evidence.length ?? 0) === 0;
    return this.falseAlarms.authenticated(identity, outcome.at, clean);
  }

  #hitsCustomers(changes: readonly Change[], at: EpochMs): FalseAlarm | undefined {
    for (const { op, entry } of changes) {
      if (op !== 'put' || (entry.kind !== 'ban' && entry.kind !== 'quarantine')) continue;
      let since: EpochMs | undefined;
      for (const good of this.#customers.goodOf(entry.subject)) since = Math.min(since ?? good.since, good.since);
      const alarm = this.falseAlarms.decided(entry, at, since);
      if (alarm !== undefined) return alarm;
    }
    return undefined;
  }

  #weigh(event: Event, facts: Facts, finding: Finding): Change[] {
    const { source, at } = event;
    if (finding.accused.kind === 'nobody' || finding.ends === true) return [];
    const record = this.sources.of(source.identity, at);
    // a throttle hits whoever has the address: never on a packet that may be forged
    const onlySaid = finding.most === 'log' || (finding.most === 'throttle' && finding.tier !== 'proven');
    if (finding.family === 'notice' || onlySaid) {
      // shown with the points that it added: none
      this.sources.witness(record, { ...finding, points: 0 }, at);
      return [];
    }
    if (finding.accused.kind === 'user') return this.#accuseUser(event, record, finding, finding.accused);
    const slows = slowsDown(finding);
    this.sources.add(record, finding, at, this.falseAlarms.weight(source.identity, at));
    const changes = finding.tier === 'proven' && !slows ? this.#revokeGood(event) : [];
    if (this.ledger.ban(source.identity) !== undefined) return changes;
    const score = this.sources.score(record, at);
    if (slows) {
      if (score.flood >= ENOUGH_POINTS) changes.push(...this.#throttle(event, finding));
      return changes;
    }
    if (score.any < ENOUGH_POINTS) return changes;
    if (score.proven < ENOUGH_POINTS || finding.tier !== 'proven' || finding.most === 'quarantine')
      return [...changes, ...this.#quarantine(event, record, finding.rule)];
    const spared = sparedFromBan(event, record, facts, this.#customers, this.#settings);
    if (spared === undefined) return [...changes, ...this.#ban(event, record, finding)];
    const instead = this.#quarantine(event, record, `${finding.rule}, not banned: ${spared}`);
    if (instead.length > 0) this.spared[spared] += 1;
    return [...changes, ...instead];
  }

  /** A user that fails again and again at one source: fewer attempts for that user there, and nobody else. */
  #accuseUser(event: Event, record: SourceRecord, finding: Finding, accused: AccusedUser): Change[] {
    const { source, at } = event;
    const { user, port } = accused;
    this.sources.witness(record, finding, at);
    if (finding.points < ENOUGH_POINTS) return [];
    const changes = finding.tier === 'proven' ? this.#revokeGood(event, user) : [];
    const rung = Math.min(
      this.sources.climbUser(record, port === undefined ? user : `${port} ${user}`),
      USER_THROTTLE_SECONDS.length - 1,
    );
    return [
      ...changes,
      ...this.ledger.put({
        kind: 'throttle-user',
        subject: source.identity,
        user,
        ...(port === undefined ? {} : { port }),
        intervalSeconds: USER_THROTTLE_SECONDS[rung]!,
        since: at,
        until: at + this.#settings.throttle_time,
        origin: 'detector',
        reason: finding.rule,
      }),
    ];
  }

  /** Proven evidence against a known-good source ends its privileges at once. */
  #revokeGood(event: Event, ...accused: readonly string[]): Change[] {
    if (this.#customers !== this.ledger) return [];
    const { ip, port } = event.source;
    return [...accused, ...usersOf(event)].flatMap((user) =>
      this.ledger.remove(`good ${ip} ${port} ${user}`, 'revoked'),
    );
  }

  #throttle(event: Event, finding: Finding): Change[] {
    const subject = event.source.identity;
    return this.#renew(`throttle ${subject}`, event.at, this.#settings.throttle_time)
      ? this.ledger.put({
          kind: 'throttle',
          subject,
          perSecond: this.#settings.throttle_per_second,
          since: event.at,
          until: event.at + this.#settings.throttle_time,
          origin: 'detector',
          reason: finding.rule,
        })
      : [];
  }

  #quarantine(event: Event, record: SourceRecord, reason: string): Change[] {
    const subject = event.source.identity;
    const { quarantine_time } = this.#settings;
    const known = this.ledger.quarantine(subject);
    if (!this.#renew(`quarantine ${subject}`, event.at, quarantine_time)) return [];
    return this.ledger.put({
      kind: 'quarantine',
      subject,
      since: known?.since ?? event.at,
      until: event.at + quarantine_time,
      origin: 'detector',
      reason,
      rules: rulesOf(record),
      evidence: [...record.evidence],
    });
  }

  #ban(event: Event, record: SourceRecord, finding: Finding): Change[] {
    const subject = event.source.identity;
    const { level, durationMs } = this.ladder.next(subject, event.at, firstBanOf(finding.rule, this.#settings));
    const until = event.at + durationMs;
    this.ladder.climb(subject, level, until);
    const { permanent_after } = this.#settings;
    const changes = this.ledger.remove(`quarantine ${subject}`, 'superseded');
    changes.push(...this.ledger.remove(`throttle ${subject}`, 'superseded'));
    changes.push(
      ...this.ledger.put({
        kind: 'ban',
        subject,
        since: event.at,
        until: permanent_after > 0 && level >= permanent_after ? null : until,
        origin: 'detector',
        reason: finding.rule,
        level,
        rules: rulesOf(record),
        evidence: [...record.evidence],
      }),
    );
    // the ban is paid: what comes after it has to be proven anew
    this.sources.forgive(record, event.at);
    return changes;
  }

  /** True when the entry is missing, or enough of its time has passed. */
  #renew(key: string, now: EpochMs, fullMs: number): boolean {
    const entry = this.ledger.get(key);
    return entry === undefined || (entry.until !== null && entry.until - now < fullMs * (1 - RENEW_SHARE));
  }
}

const rulesOf = (record: SourceRecord): string[] => [...new Set(record.evidence.map((line) => line.rule))];
