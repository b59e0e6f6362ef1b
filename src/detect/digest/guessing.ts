import { z } from 'zod';
import { ENOUGH_POINTS, type Finding, type Outcome } from '../../model/index.ts';
import { NO_FINDINGS, type DetectorKind } from '../base/detector.ts';
import {
  accusePort,
  addFailure,
  addSuccess,
  countAccounts,
  countFailures,
  failuresOf,
  newSourceAccounts,
  openAccount,
  type Account,
  type AccountCensus,
  type SourceAccounts,
} from './accounts.ts';
import { durationSetting } from '../base/duration-setting.ts';
import { isExempt } from '../base/exempt.ts';
import { Memory } from '../base/memory.ts';

const count = (value: number) => z.int().min(2).max(30).default(value);

const configSchema = z.strictObject({
  enabled: z.boolean().default(true).describe('switch the detector off'),
  user_failures: count(5).describe('failures of one user at one source within user_window: that user is slowed down'),
  user_window: durationSetting('10m'),
  guess_failures: count(10).describe('failures of one user within guess_window, nobody else there authenticated'),
  guess_window: durationSetting('30s'),
  spray_users: count(5).describe('distinct failing users of one source within spray_window'),
  spray_window: durationSetting('10m'),
  unknown_users: count(4).describe('distinct users of one source within spray_window that do not exist'),
  forged_nonces: count(5).describe('credentials on a nonce that is not ours, for one user within user_window'),
  success: durationSetting('1h').describe('how long a success speaks for its source, at least'),
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
    ): Finding[] => {
      if (source.last < (source.quietUntil.get(rule) ?? -Infinity)) return [];
      source.quietUntil.set(rule, source.last + (points < ENOUGH_POINTS ? FORGED_QUIET_MS : QUIET_MS));
      return [{ ...accuseNobody(outcome, rule, points, evidence), accused: { kind: 'source' } }];
    };

    const onFailure = (outcome: Extract<Outcome, { type: 'auth' }>): Finding[] => {
      const { source, account } = open(outcome, outcome.user);
      const failures = failuresOf(account, outcome.tier);
      addFailure(failures, source.last, outcome.source.port);
      if (outcome.result === 'unknown-user') failures.unknown = true;
      const findings: Finding[] = [];
      const shown = outcome.user.slice(0, MAX_SHOWN_USER_CHARS);
      const recent = countFailures(failures, source.last - config.user_window);
      if (recent >= config.user_failures && failures.sinceAccused >= config.user_failures) {
        const port = accusePort(failures, source.last, config.user_window);
        const evidence = `${recent} failed attempts for user '${shown}' within ${config.user_window / 1_000} s, ${port === undefined ? 'several ports' : `port ${port}`}`;
        const accused = { kind: 'user' as const, user: outcome.user, ...(port === undefined ? {} : { port }) };
        findings.push({ ...accuseNobody(outcome, 'digest.wrong-password', ENOUGH_POINTS, evidence), accused });
      }
      const census = countAccounts(source, outcome.tier, source.last - config.spray_window);
      if (isOffice(census)) return findings;
      const guesses = countFailures(failures, source.last - config.guess_window);
      if (guesses >= config.guess_failures && census.good === 0) {
        const evidence = `${guesses} failed attempts for user '${shown}' within ${config.guess_window / 1_000} s, no success`;
        findings.push(...accuseSource(source, outcome, 'digest.guessing', ENOUGH_POINTS, evidence));
      }
      if (census.failing >= config.spray_users && census.failing > 2 * census.good) {
        const evidence = `${census.failing} users failed, ${census.good} succeeded`;
        findings.push(...accuseSource(source, outcome, 'digest.spraying', ENOUGH_POINTS, evidence));
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

    return {
      id: 'digest-guessing',
      detect(event, facts) {
        if (event.kind !== 'outcome') return NO_FINDINGS;
        if (event.type === 'registered') {
          if (event.expiresSeconds === 0) return NO_FINDINGS;
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
