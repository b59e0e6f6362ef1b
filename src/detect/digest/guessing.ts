import { z } from 'zod';
import { ENOUGH_POINTS, type Finding, type Outcome, type Request } from '../../model/index.ts';
import { NO_FINDINGS, type DetectorKind } from '../base/detector.ts';
import {
  accusePort,
  addFailure,
  addSuccess,
  countAccounts,
  countSince,
  failuresOf,
  newSourceAccounts,
  openAccount,
  type Account,
  type AccountCensus,
  type SourceAccounts,
} from './accounts.ts';
import { noteAnswer } from './answers.ts';
import { durationSetting } from '../base/duration-setting.ts';
import { isExempt } from '../base/exempt.ts';
import { Memory } from '../base/memory.ts';
import { callMark } from '../enumeration/targets.ts';
import { StormWatch } from './storm.ts';

const count = (value: number) => z.int().min(2).max(30).default(value);

const configSchema = z.strictObject({
  enabled: z.boolean().default(true).describe('switch the detector off'),
  user_failures: count(5).describe('failures of one user at one source within user_window: that user is slowed down'),
  user_window: durationSetting('10m'),
  guess_failures: count(10).describe('failures of one user within guess_window, nobody else there authenticated'),
  guess_window: durationSetting('30s'),
  passwords: count(4).describe('different passwords within 20 s for one and the same challenge that are too many'),
  fresh_failures: count(5).describe('the same where each was in a call of its own: phones keep theirs'),
  slow_failures: count(12).describe(
    'failures of one user within slow_window, each in a call of its own, nobody there ever authenticated',
  ),
  slow_window: durationSetting('1h'),
  spray_users: count(5).describe('distinct failing users of one source within spray_window'),
  spray_window: durationSetting('10m').describe('and within slow_window where nobody there ever authenticated'),
  unknown_users: count(4).describe('distinct users of one source within spray_window that do not exist'),
  forged_nonces: count(5).describe('credentials on a nonce that is not ours, for one user within user_window'),
  success: durationSetting('1h').describe('how long a success speaks for its source, at least'),
  storm_phones: z
    .int()
    .min(2)
    .max(1_000_000)
    .default(200)
    .describe('phones that authenticated here before and register within 10 s: a storm; their failures do not count'),
  storm_factor: z.number().min(1).max(1_000).default(4).describe('and as many times more than is usual in 10 s'),
  max_sources: z.int().min(1).max(1_000_000).default(100_000).describe('sources remembered'),
  max_accounts: z.int().min(1).max(5_000_000).default(200_000).describe('users remembered, over all sources'),
});

/** Kept low: a restarted server takes every cached nonce for forged, and on UDP anybody can send it. */
const FORGED_POINTS = 10;

/** A source is accused by one rule at most this often; of forged nonces so seldom that they never add up. */
const QUIET_MS = 10_000;
const FORGED_QUIET_MS = 120_000;

/** From so many successful users on, a source that is half good is taken for an office and never accused itself. */
const OFFICE_USERS = 3;

/** A registration speaks for its source as long as it lives, and a fifth longer; but not longer than a day. */
const REGISTRATION_SLACK = 1_200;
const MAX_GOOD_MS = 86_400_000;

const MAX_USER_CHARS = 128;
const MAX_SHOWN_USER_CHARS = 40;

const isOffice = ({ good, failing }: AccountCensus): boolean => good >= OFFICE_USERS && good >= failing;

/**
 * Wrong passwords, from what the server reported about credentials. Climbs from the user at a source to the source:
 * one phone with an old password is slowed down alone; the source is accused when one name is hammered and nobody there
 * ever authenticated, or when several names fail and few succeed. Stale and re-used nonces are ordinary.
 */
export const digestGuessing: DetectorKind<typeof configSchema> = {
  id: 'digest-guessing',
  configSchema,
  create(config) {
    const sources = new Memory<SourceAccounts>(config.max_sources, {
      maxWeight: config.max_accounts,
      weigh: (source) => source.accounts.size,
    });

    const open = (outcome: Outcome, user: string): { source: SourceAccounts; account: Account } => {
      const source = sources.take(outcome.source.identity, newSourceAccounts);
      source.last = Math.max(source.last, outcome.at);
      const { account, grown } = openAccount(source, user.slice(0, MAX_USER_CHARS));
      if (grown > 0) sources.reweigh(grown);
      return { source, account };
    };

    const accuseNobody = (
      outcome: Outcome,
      rule: string,
      points: number,
      evidence: string,
    ): Omit<Finding, 'accused'> => ({
      rule,
      family: 'guess',
      tier: outcome.tier,
      points,
      evidence,
    });

    /** Accuses the source, unless the same rule has just done so. */
    const accuseSource = (
      source: SourceAccounts,
      outcome: Outcome,
      rule: string,
      points: number,
      evidence: string,
      quietKey = rule,
    ): Finding[] => {
      if (source.last < (source.quietUntil.get(quietKey) ?? -Infinity)) return [];
      source.quietUntil.set(quietKey, source.last + (points < ENOUGH_POINTS ? FORGED_QUIET_MS : QUIET_MS));
      return [{ ...accuseNobody(outcome, rule, points, evidence), accused: { kind: 'source' } }];
    };

    /** Accuses the source of a habit that is no proof: so it never bans. */
    const suspectSource = (source: SourceAccounts, outcome: Outcome, rule: string, evidence: string): Finding[] =>
      accuseSource(source, outcome, rule, ENOUGH_POINTS, evidence, `${rule} suspected`).map((finding) => ({
        ...finding,
        tier: 'spoofable',
      }));

    const onFailure = (outcome: Extract<Outcome, { type: 'auth' }>): Finding[] => {
      const { source, account } = open(outcome, outcome.user);
      // a server that came back before its database says no to everybody; the password is the same as before
      if (account.known && storm.raging) return [];
      const failures = failuresOf(account, outcome.tier);
      addFailure(failures, source.last, outcome.source.port, callMark(outcome.callId));
      if (outcome.result === 'unknown-user') failures.unknown = true;
      const findings: Finding[] = [];
      const shown = outcome.user.slice(0, MAX_SHOWN_USER_CHARS);
      const recent = countSince(failures.times, source.last - config.user_window);
      if (recent >= config.user_failures && failures.sinceAccused >= config.user_failures) {
        const port = accusePort(failures, source.last, config.user_window);
        const evidence = `${recent} failed attempts for user '${shown}' within ${config.user_window / 1_000} s, ${port === undefined ? 'several ports' : `port ${port}`}`;
        const accused = { kind: 'user' as const, user: outcome.user, ...(port === undefined ? {} : { port }) };
        findings.push({ ...accuseNobody(outcome, 'digest.wrong-password', ENOUGH_POINTS, evidence), accused });
      }
      const census = countAccounts(source, outcome.tier, source.last - config.spray_window);
      if (account.known || isOffice(census)) return findings;
      const guesses = countSince(failures.attempts, source.last - config.guess_window);
      if (guesses >= config.guess_failures && census.good === 0) {
        const evidence = `${guesses} failed attempts for user '${shown}' within ${config.guess_window / 1_000} s, no success`;
        findings.push(...accuseSource(source, outcome, 'digest.guessing', ENOUGH_POINTS, evidence));
      }
      // phones keep their Call-ID (RFC 3261 10.2.4), guessers do not; the user is slowed down before there are more
      const fresh = countSince(failures.freshCalls, source.last - config.guess_window);
      if (fresh >= config.fresh_failures && guesses < config.guess_failures && census.good === 0) {
        const evidence = `${fresh} failed attempts for user '${shown}' within ${config.guess_window / 1_000} s, each in a call of its own, no success`;
        findings.push(...suspectSource(source, outcome, 'digest.guessing', evidence));
      }
      const calls = countSince(failures.freshCalls, source.last - config.slow_window);
      if (calls >= config.slow_failures && census.good === 0) {
        const evidence = `${calls} failed attempts for user '${shown}' within ${config.slow_window / 60_000} min, each in a call of its own, no success`;
        findings.push(...suspectSource(source, outcome, 'digest.slow-guessing', evidence));
      }
      if (census.failing >= config.spray_users && census.failing > 2 * census.good) {
        const evidence = `${census.failing} users failed, ${census.good} succeeded`;
        findings.push(...accuseSource(source, outcome, 'digest.spraying', ENOUGH_POINTS, evidence));
      } else if (census.known === 0 && source.accounts.size >= config.spray_users) {
        // one user every few minutes: a house whose phones all have a wrong password shows them within spray_window
        const { failing } = countAccounts(source, outcome.tier, source.last - config.slow_window);
        if (failing >= config.spray_users) {
          const evidence = `${failing} users failed within ${config.slow_window / 60_000} min, none ever succeeded`;
          findings.push(...suspectSource(source, outcome, 'digest.spraying', evidence));
        }
      }
      if (census.unknown >= config.unknown_users && census.unknown > 2 * census.good) {
        const evidence = `${census.unknown} users that do not exist, ${census.good} succeeded`;
        findings.push(...accuseSource(source, outcome, 'digest.unknown-users', ENOUGH_POINTS, evidence));
      }
      return findings;
    };

    const onForged = (outcome: Extract<Outcome, { type: 'auth' }>): readonly Finding[] => {
      const { source, account } = open(outcome, outcome.user);
      const failures = failuresOf(account, outcome.tier);
      if (source.last - failures.lastForged > config.user_window) failures.forged = 0;
      failures.lastForged = source.last;
      failures.forged += 1;
      if (failures.forged < config.forged_nonces) return NO_FINDINGS;
      failures.forged = 0;
      const evidence = `${config.forged_nonces} times credentials on a nonce that is not ours, user '${outcome.user.slice(0, MAX_SHOWN_USER_CHARS)}'`;
      return accuseSource(source, outcome, 'digest.forged-nonce', FORGED_POINTS, evidence);
    };

    /** Different answers to one challenge are different passwords; looked at where one has failed already. */
    const onAnswer = (request: Request): readonly Finding[] => {
      const source = sources.peek(request.source.identity);
      const account = source?.accounts.get(request.sip.authUser.slice(0, MAX_USER_CHARS));
      if (source === undefined || account === undefined || account.known) return NO_FINDINGS;
      if (account.failures.proven === undefined && account.failures.spoofable === undefined) return NO_FINDINGS;
      account.answers = noteAnswer(request, account.answers);
      const passwords = account.answers?.given.length ?? 0;
      if (passwords < config.passwords || request.at < (source.quietUntil.get('passwords') ?? -Infinity))
        return NO_FINDINGS;
      source.quietUntil.set('passwords', request.at + QUIET_MS);
      const shown = request.sip.authUser.slice(0, MAX_SHOWN_USER_CHARS);
      return [
        {
          rule: 'digest.guessing',
          family: 'guess',
          accused: { kind: 'source' },
          tier: request.tier,
          points: ENOUGH_POINTS,
          evidence: `${passwords} different passwords for user '${shown}' in answer to one challenge`,
        },
      ];
    };

    const storm = new StormWatch(config);

    const notice = (event: Request, evidence: string, ends: boolean): readonly Finding[] => [
      {
        rule: 'digest.registration-storm',
        family: 'notice',
        accused: { kind: 'nobody' },
        tier: event.tier,
        points: 1,
        evidence,
        ends,
      },
    ];

    /** Phones of the house that want to be registered, all at once. */
    const onRegister = (request: Request): readonly Finding[] => {
      if (request.credentials === 'bound') return NO_FINDINGS;
      const change = storm.count(
        request.at,
        () => sources.peek(request.source.identity)?.accounts.get(request.sip.to.user)?.known === true,
      );
      if (change === undefined) return NO_FINDINGS;
      return notice(
        request,
        change.kind === 'began'
          ? `registration storm: ${change.phones} known phones register within 10 s, usually ${change.usual}; failures of known phones do not count until it is over`
          : `registration storm over after ${Math.round(change.lastedMs / 1_000)} s and ${change.phones} registrations`,
        change.kind === 'ended',
      );
    };

    return {
      id: 'digest-guessing',
      detect(event, facts) {
        if (event.kind !== 'outcome') {
          if (isExempt(facts)) return NO_FINDINGS;
          if (event.credentials === 'bound') return onAnswer(event);
          return event.sip.method === 'REGISTER' ? onRegister(event) : NO_FINDINGS;
        }
        if (event.type === 'registered') {
          if (event.expiresSeconds === 0) return NO_FINDINGS;
          storm.accepted();
          const { source, account } = open(event, event.user);
          const lifeMs = Math.min(MAX_GOOD_MS, event.expiresSeconds * REGISTRATION_SLACK);
          addSuccess(account, source.last + Math.max(config.success, lifeMs));
          return NO_FINDINGS;
        }
        if (event.type !== 'auth') return NO_FINDINGS;
        switch (event.result) {
          case 'ok': {
            const { source, account } = open(event, event.user);
            addSuccess(account, source.last + config.success);
            return NO_FINDINGS;
          }
          case 'wrong-password':
          case 'unknown-user':
          case 'user-mismatch':
            return isExempt(facts) ? NO_FINDINGS : onFailure(event);
          case 'forged-nonce':
            return isExempt(facts) ? NO_FINDINGS : onForged(event);
          case 'stale':
          case 'nonce-reused':
            return NO_FINDINGS;
        }
      },
      tables: () => ({ 'digest-guessing.sources': sources.stats }),
    };
  },
};
