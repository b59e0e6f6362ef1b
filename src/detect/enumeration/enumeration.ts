import { z } from 'zod';
import { ENOUGH_POINTS, type Finding, type Outcome, type ProofTier, type Request } from '../../model/index.ts';
import { NO_FINDINGS, type DetectorKind } from '../base/detector.ts';
import { findHunted, readDialled, type Hunted } from './dial-prefixes.ts';
import { EnumerationSources } from './sources.ts';
import {
  addAnswered,
  addTarget,
  callMark,
  findRun,
  newTarget,
  seeAgain,
  takeCensus,
  type Seen,
  type SourceTargets,
  type Target,
} from './targets.ts';
import { canonicalMethod } from '../base/canonical-method.ts';
import { canonicalUser } from '../base/canonical-user.ts';
import { durationSetting } from '../base/duration-setting.ts';
import { isCustomer, isExempt } from '../base/exempt.ts';
import { Memory } from '../base/memory.ts';

const count = (value: number) => z.int().min(2).max(1_000).default(value);

const configSchema = z.strictObject({
  enabled: z.boolean().default(true).describe('switch the detector off'),
  exempt: z.array(z.string().min(1).max(128)).max(10_000).default([]).describe('extensions that never count'),
  window: durationSetting('5m').describe('how long an unanswered target counts'),
  grace: durationSetting('4s').describe(
    'time a phone has to answer its challenge before its name counts as unanswered',
  ),
  call_grace: durationSetting('3m').describe(
    'the same for calls of a source whose other calls were answered (RFC 3261 Timer C)',
  ),
  distinct: count(20).describe('unanswered distinct targets that are too many'),
  numbers: count(60).describe(
    'the same for calls to telephone numbers of nine digits and more: a trunk is told of some that they do not exist',
  ),
  answered_share: z
    .number()
    .min(0)
    .max(1)
    .default(0.08)
    .describe('where at least this share of them is answered, the others do not count'),
  sequence: count(8).describe('unanswered targets in a run of numbers that are too many'),
  rapid: count(80).describe('targets without credentials within rapid_window that are too many'),
  rapid_window: durationSetting('30s'),
  rapid_grace_ms: z
    .int()
    .min(0)
    .max(60_000)
    .default(300)
    .describe('time to answer a challenge under the rapid rule, milliseconds'),
  prefixes: count(3).describe('dial prefixes tried before one number that are too many, where nobody authenticated'),
  prefix_window: durationSetting('12h').describe('how long they count there: hunters have time'),
  answered_prefixes: count(8).describe('the same when all of them were answered: something answers every call'),
  customer_prefixes: count(5).describe(
    'the same where somebody did within the hour: people write one number in three ways',
  ),
  max_sources: z.int().min(1).max(1_000_000).default(100_000).describe('sources remembered'),
  max_targets: z.int().min(1).max(5_000_000).default(200_000).describe('targets remembered, over all sources'),
  max_users: z.int().min(1).max(5_000_000).default(200_000).describe('authenticated users remembered'),
});

/** Targets kept of one source; enough for every rule, whatever the flood. */
const MAX_TARGETS_OF_SOURCE = 512;

/** A busy trunk has more than any rule needs, all forgiven: it is not looked at with each of its events. */
const MANY_TARGETS = 128;

/** A finding is repeated at most this often while its cause lasts. */
const QUIET_MS = 10_000;

/** Somebody who authenticated within this time may dial numbers that do not exist. */
const CUSTOMER_MS = 3_600_000;

/** Requests inside or about another transaction have no target of their own. */
const NO_TARGET = new Set(['ACK', 'CANCEL', 'BYE', 'PRACK', 'UPDATE']);

/** Final replies that say: there is nobody of that name (RFC 3261 21.4.5, 21.4.21, 21.6.3). */
const NOBODY_THERE = new Set([404, 484, 604]);

/** Final replies that only somebody who exists causes: no answer, busy, cancelled, busy everywhere, declined. */
const SOMEBODY_THERE = new Set([480, 486, 487, 600, 603]);

/** Final replies to credentials that were not accepted. */
const DENIED = new Set([401, 403, 407]);

/** What is known of a user who authenticated: that it did. */
interface Customer {
  readonly authenticated: true;
}
const CUSTOMER: Customer = { authenticated: true };

const MAX_EVIDENCE_CHARS = 200;
const MAX_NAME_CHARS = 24;

/** Extensions and names, and telephone numbers that were called. */
const countKinds = (targets: readonly Target[]): { readonly names: number; readonly numbers: number } => {
  const numbers = targets.filter(({ dialled }) => dialled !== undefined).length;
  return { names: targets.length - numbers, numbers };
};

const showNames = (targets: readonly Target[]): string => {
  const names = targets.slice(-5).map(({ name }) => name.slice(0, MAX_NAME_CHARS));
  return names.join(', ');
};

/**
 * Somebody asks for one name after the other to learn which exist. A target counts when it never authenticated from
 * anywhere, did not answer its challenge within a grace time, and does not exist as far as the server told us. So an
 * office of phones that storms back is no scan: they answer. Credentials without result yet (a slow server) do not
 * count either; wrong ones are digest-guessing's matter. A caller's targets are forgotten as soon as the call's
 * credentials are accepted or the callee answers.
 *
 * Rules are evaluated at the next event of the same source, there are no timers. What a silent scanner (no credentials,
 * no name that exists) gets at r requests a second before it is noticed, with defaults: where the server still answers
 * 404, 8 probes in sequence or 20 of any kind; where it challenges everybody alike, 8 + 4r in sequence, 20 + 4r of any
 * kind, never more than 80 + 0.3r, and 100 through the density rule. It learns nothing from uniform challenges. Slower
 * than 20 names in 5 minutes, or 8 in sequence in 5 minutes, it goes unnoticed here.
 */
export const enumeration: DetectorKind<typeof configSchema> = {
  id: 'enumeration',
  configSchema,
  create(config) {
    const exempt = new Set(config.exempt);
    const users = new Memory<Customer>(config.max_users);
    const sources = new EnumerationSources(config.max_sources, config.max_targets);
    /** Whether a source has asked for enough to be looked at. */
    const isEnough = ({ targets, hunts }: SourceTargets): boolean => {
      if (targets.size >= Math.min(config.distinct, config.sequence, config.rapid)) return true;
      if ((hunts?.size ?? 0) >= Math.min(config.prefixes, config.customer_prefixes)) return true;
      if (targets.size < Math.min(config.prefixes, config.customer_prefixes)) return false;
      for (const { dialled } of targets.values()) if (dialled !== undefined) return true;
      return false;
    };

    const forget = (source: SourceTargets, name: string): void => {
      if (source.targets.delete(name)) sources.reweigh(-1);
    };

    const expire = (source: SourceTargets): void => {
      const { targets, last } = source;
      // a walk that finds nothing to forget took longer than the rest of this detector
      if (targets.size <= MAX_TARGETS_OF_SOURCE && source.oldest > last - config.window) return;
      for (const [name, { firstSeen }] of targets) {
        source.oldest = firstSeen;
        if (firstSeen > last - config.window && targets.size <= MAX_TARGETS_OF_SOURCE) return;
        forget(source, name);
      }
      source.oldest = last;
    };

    const counts = (name: string): boolean => name !== '' && !(exempt.size > 0 && exempt.has(name)) && !users.has(name);

    /** Notes a name that counts. */
    const note = (source: SourceTargets, name: string, seen: Seen): void => {
      const known = source.targets.get(name);
      if (known === undefined) sources.reweigh(addTarget(source, newTarget(name, source.last, seen)));
      else seeAgain(known, seen);
    };

    const ask = (source: SourceTargets, name: string, seen: Seen): void => {
      if (counts(name)) note(source, name, seen);
    };

    const onRequest = (request: Request): SourceTargets | undefined => {
      const { sip, source: from, at } = request;
      const method = canonicalMethod(sip.method);
      if (isCustomer(request) || NO_TARGET.has(method)) return undefined;
      const name = canonicalUser(method === 'REGISTER' ? sip.to.user : sip.requestUser);
      const seen: Seen = {
        call: method === 'INVITE',
        state: request.credentials === 'bound' ? 'tried' : 'asked',
        tier: request.tier,
        callMark: callMark(sip.callId),
      };
      const counted = counts(name);
      const source = sources.askOnly(from.identity, at, counted ? name : '', seen, config.window);
      if (source !== undefined && counted) note(source, name, seen);
      return source;
    };

    const onAccepted = (source: SourceTargets, names: readonly string[], callId: string): void => {
      source.lastAuthenticated = source.last;
      if (source.hunts !== undefined) {
        sources.reweigh(-source.hunts.size);
        source.hunts = undefined;
      }
      for (const name of names) {
        if (name !== '') users.take(name, () => CUSTOMER);
        forget(source, name);
      }
      if (callId === '') return;
      const mark = callMark(callId);
      for (const target of source.targets.values()) {
        if (target.callMark === mark) forget(source, target.name);
      }
    };

    /** The server did not accept the credentials as an answer to its challenge: as if none had been sent. */
    const askAgain = (source: SourceTargets, callId: string): void => {
      if (callId === '') return;
      const mark = callMark(callId);
      for (const target of source.targets.values()) {
        if (target.callMark === mark && target.state === 'tried') target.state = 'asked';
      }
    };

    const onReply = (source: SourceTargets, outcome: Extract<Outcome, { type: 'reply' }>): void => {
      const register = outcome.method === 'REGISTER';
      const name = canonicalUser(register ? outcome.user : outcome.target);
      const { code, tier, callId } = outcome;
      if (code >= 200 && code < 300 && register) {
        onAccepted(source, [name], callId);
      } else if ((code >= 200 && code < 300) || SOMEBODY_THERE.has(code)) {
        if (outcome.method === 'INVITE') {
          source.lastAnswered = source.last;
          const dialled = readDialled(name);
          if (dialled !== undefined) {
            source.hunts?.answered(dialled);
            sources.reweigh(addAnswered(source, name));
          }
        }
        forget(source, name);
      } else if (NOBODY_THERE.has(code)) {
        const customer = source.last - source.lastAuthenticated < CUSTOMER_MS;
        if (customer && source.targets.get(name)?.state !== 'asked') return;
        ask(source, name, { call: outcome.method === 'INVITE', state: 'refused', tier, callMark: callMark(callId) });
      } else if (DENIED.has(code)) {
        askAgain(source, callId);
      }
    };

    const onAuth = (source: SourceTargets, outcome: Extract<Outcome, { type: 'auth' }>): void => {
      const { result, method, tier, callId } = outcome;
      const user = canonicalUser(outcome.user);
      const claimed = canonicalUser(outcome.claimed);
      switch (result) {
        case 'ok':
          return onAccepted(source, method === 'REGISTER' ? [user, claimed] : [user], callId);
        case 'unknown-user':
        case 'user-mismatch':
          return ask(source, claimed, { call: false, state: 'refused', tier, callMark: callMark(callId) });
        case 'stale':
        case 'nonce-reused':
        case 'forged-nonce':
          return askAgain(source, callId);
        case 'wrong-password':
      }
    };

    const onOutcome = (outcome: Outcome): SourceTargets | undefined => {
      if (outcome.type === 'parse-error' || outcome.type === 'unacknowledged') return undefined;
      const source = sources.open(outcome.source.identity, outcome.at);
      if (outcome.type === 'registered') {
        onAccepted(source, [canonicalUser(outcome.user)], '');
      } else if (outcome.type === 'reply') {
        onReply(source, outcome);
      } else {
        onAuth(source, outcome);
      }
      return source;
    };

    const scan = (rule: string, tier: ProofTier, evidence: string): Finding => ({
      rule,
      family: 'scan',
      accused: { kind: 'source' },
      tier,
      points: ENOUGH_POINTS,
      evidence: evidence.slice(0, MAX_EVIDENCE_CHARS),
    });

    /** The number before which too many dial prefixes were tried. */
    const huntedOf = (source: SourceTargets, targets: readonly Target[], tier: ProofTier): Hunted | undefined => {
      const hunted = findHunted(targets.map(({ dialled }) => dialled));
      const customers = source.last - source.lastAuthenticated < CUSTOMER_MS;
      const many = customers ? config.customer_prefixes : config.prefixes;
      if (hunted !== undefined && hunted.prefixes.length >= many) return hunted;
      if (customers) return undefined;
      // a trunk of which some calls are answered works: its users write one number in three ways in the course of a day
      const works = source.last - source.lastAnswered < config.prefix_window;
      return source.hunts?.find({
        since: source.last - config.prefix_window,
        tier,
        unanswered: works ? config.customer_prefixes : config.prefixes,
        tried: config.answered_prefixes,
      });
    };

    /** So many telephone numbers may be unknown, as others were answered within the window. */
    const forgivenOf = ({ answered, last }: SourceTargets): number => {
      if (answered === undefined || config.answered_share === 0) return 0;
      let count = 0;
      for (const at of answered.values()) if (at > last - config.window) count += 1;
      return count / config.answered_share - count;
    };

    /** What these targets amount to. */
    const judge = (source: SourceTargets, tier: ProofTier): Finding[] => {
      const targets = [...source.targets.values()].filter((target) => tier === 'spoofable' || target.tier === 'proven');
      const answeredCalls = source.last - source.lastAnswered < config.call_grace;
      const { unanswered, rapid } = takeCensus(targets, source.last, {
        graceOf: ({ call }) => (call && answeredCalls ? config.call_grace : config.grace),
        rapidGraceOf: ({ call }) => (call && answeredCalls ? config.call_grace : config.rapid_grace_ms),
        rapidWindowMs: config.rapid_window,
      });
      const findings: Finding[] = [];
      const forgiven = forgivenOf(source);
      const { names, numbers } = countKinds(unanswered);
      const open = Math.max(0, numbers - forgiven);
      if (names / config.distinct + open / Math.max(config.distinct, config.numbers) >= 1) {
        const evidence = `${unanswered.length} names asked for, none authenticated: … ${showNames(unanswered)}`;
        findings.push(scan('enumeration.distinct', tier, evidence));
      }
      const fast = countKinds(rapid);
      if (fast.names + Math.max(0, fast.numbers - forgiven) >= config.rapid) {
        const evidence = `${rapid.length} names within ${config.rapid_window / 1_000} s: … ${showNames(rapid)}`;
        findings.push(scan('enumeration.rapid', tier, evidence));
      }
      const run = unanswered.length >= config.sequence ? findRun(unanswered) : { length: 0, step: 0 };
      if (run.length >= config.sequence) {
        const evidence = `${run.length} numbers in steps of ${run.step}: … ${showNames(unanswered)}`;
        findings.push(scan('enumeration.sequence', tier, evidence));
      }
      const hunted = huntedOf(source, targets, tier);
      if (hunted !== undefined) {
        const shown = hunted.prefixes.slice(-5).map((prefix) => prefix.slice(0, MAX_NAME_CHARS));
        const evidence = `${hunted.prefixes.length} dial prefixes tried before …${hunted.tail}: … ${shown.join(', ')}`;
        findings.push(scan('enumeration.prefixes', tier, evidence));
      }
      return findings;
    };

    return {
      id: 'enumeration',
      detect(event, facts) {
        const accepted =
          event.kind === 'outcome' && (event.type === 'registered' || (event.type === 'auth' && event.result === 'ok'));
        if (isExempt(facts) && !accepted) return NO_FINDINGS;
        const source = event.kind === 'request' ? onRequest(event) : onOutcome(event);
        if (source === undefined || accepted) return NO_FINDINGS;
        expire(source);
        if (!isEnough(source) || source.last < source.quietUntil) return NO_FINDINGS;
        if (source.unlooked > 0) {
          source.unlooked -= 1;
          return NO_FINDINGS;
        }
        // What rests on proven targets alone is proven, however many forged datagrams are mixed in.
        const proven = judge(source, 'proven');
        const findings = proven.length > 0 ? proven : judge(source, 'spoofable');
        if (findings.length > 0) source.quietUntil = source.last + QUIET_MS;
        else if (source.answered !== undefined && source.targets.size > MANY_TARGETS)
          source.unlooked = source.targets.size >> 4;
        return findings;
      },
      tables: () => ({ 'enumeration.sources': sources.stats, 'enumeration.users': users.stats }),
    };
  },
};
