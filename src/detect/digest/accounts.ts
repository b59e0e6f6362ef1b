import type { EpochMs, ProofTier } from '../../model/index.ts';
import type { Answers } from './answers.ts';

/**
 * A call whose credentials were refused. Some clients answer the next challenge with the same password at once (baresip
 * fifteen times within 20 ms, each time it registers): one attempt, however many failures.
 */
interface Call {
  readonly mark: number;
  last: EpochMs;
  /** Answers that came at once. */
  loops: number;
}

/** What went wrong with one user name, as far as one tier of proof is concerned. */
export interface Failures {
  /** Times of the latest failures, oldest first. */
  times: EpochMs[];
  /** Failures since the name was last accused, and the port that all of them came from (undefined: several). */
  sinceAccused: number;
  port: number | undefined;
  /** Port of the last accusation that named one, and when it was. */
  accusedPort: number | undefined;
  accusedAt: EpochMs;
  last: EpochMs;
  /** The server does not know this name. */
  unknown: boolean;
  /** Times of the latest failures without those by which a client only goes on answering (see `Call`). */
  attempts: EpochMs[];
  /** Times of the latest failures that came in a call of their own, and the latest calls. */
  freshCalls: EpochMs[];
  calls: Call[];
  /** Credentials on nonces that are not ours, and when the last came. */
  forged: number;
  lastForged: EpochMs;
}

/**
 * What one source did with one user name. Failures are kept apart by proof, so that forged ones can neither add to the
 * proof nor weaken it. A success cannot be forged: it speaks for the name in both.
 */
export interface Account {
  readonly failures: Partial<Record<ProofTier, Failures>>;
  /** The name counts as successful until then; -Infinity without a success. */
  goodUntil: EpochMs;
  /** It has succeeded here once: a device of the house, whatever became of its password. */
  known: boolean;
  /** Answers to the latest challenge, once it has failed. */
  answers: Answers | undefined;
}

/** One source's accounts, the least recently used first. */
export interface SourceAccounts {
  readonly accounts: Map<string, Account>;
  last: EpochMs;
  /** When each rule may accuse the source again. */
  readonly quietUntil: Map<string, EpochMs>;
}

export const newSourceAccounts = (): SourceAccounts => ({
  accounts: new Map(),
  last: -Infinity,
  quietUntil: new Map(),
});

const newFailures = (): Failures => ({
  times: [],
  sinceAccused: 0,
  port: undefined,
  accusedPort: undefined,
  accusedAt: -Infinity,
  last: -Infinity,
  unknown: false,
  attempts: [],
  freshCalls: [],
  calls: [],
  forged: 0,
  lastForged: -Infinity,
});

export const failuresOf = (account: Account, tier: ProofTier): Failures => (account.failures[tier] ??= newFailures());

/** Accounts kept of one source. More than any rule needs; an office with more phones is known by its successes. */
const MAX_ACCOUNTS_OF_SOURCE = 256;

/** Failure times kept of one account. */
const MAX_FAILURES = 32;

/** Calls told apart: so many devices may share an account and an old password, each with a Call-ID that it keeps. */
const MAX_CALLS = 8;

/**
 * A client that goes on answering does so within this time, and so often; whoever does it longer guesses. Over longer ways
 * its user is slowed down (five failures, pushed within milliseconds) before it has failed too often.
 */
const LOOP_MS = 20;
const MAX_LOOPS = 16;

/** Makes room for one account: the least recently used that has no success, so that a flood forgets no customer. */
const forgetOne = (source: SourceAccounts): void => {
  let victim: string | undefined;
  for (const [user, account] of source.accounts) {
    victim ??= user;
    if (account.known) continue;
    victim = user;
    break;
  }
  if (victim !== undefined) source.accounts.delete(victim);
};

/**
 * The account of this name, made if there is none, as the most recently used.
 * @returns also by how many the source's number of accounts grew (1, 0)
 */
export const openAccount = (
  source: SourceAccounts,
  user: string,
): { readonly account: Account; readonly grown: number } => {
  const known = source.accounts.get(user);
  if (known !== undefined) {
    source.accounts.delete(user);
    source.accounts.set(user, known);
    return { account: known, grown: 0 };
  }
  const full = source.accounts.size >= MAX_ACCOUNTS_OF_SOURCE;
  if (full) forgetOne(source);
  const account: Account = { failures: {}, goodUntil: -Infinity, known: false, answers: undefined };
  source.accounts.set(user, account);
  return { account, grown: full ? 0 : 1 };
};

const remember = (times: EpochMs[], at: EpochMs): void => {
  times.push(at);
  if (times.length > MAX_FAILURES) times.shift();
};

/** @param callMark of its Call-ID, 0 when none was told */
export const addFailure = (failures: Failures, at: EpochMs, port: number, callMark: number): void => {
  failures.port = failures.sinceAccused === 0 || failures.port === port ? port : undefined;
  remember(failures.times, at);
  const call = callMark === 0 ? undefined : failures.calls.find(({ mark }) => mark === callMark);
  const loops = call !== undefined && at - call.last < LOOP_MS && call.loops < MAX_LOOPS;
  if (!loops) remember(failures.attempts, at);
  if (call !== undefined) {
    call.loops = at - call.last < LOOP_MS ? call.loops + 1 : 0;
    call.last = at;
  } else if (callMark !== 0) {
    failures.calls.push({ mark: callMark, last: at, loops: 0 });
    if (failures.calls.length > MAX_CALLS) failures.calls.shift();
    remember(failures.freshCalls, at);
  }
  failures.last = at;
  failures.sinceAccused += 1;
};

/**
 * The name is accused: at the one port that its failures came from, or, when they came from several, now or since the last
 * accusation within the window, at the whole source. The first step of the climb (ip, port, user) → (ip, user) → ip.
 */
export const accusePort = (failures: Failures, at: EpochMs, windowMs: number): number | undefined => {
  const { port, accusedPort } = failures;
  const moved = accusedPort !== undefined && accusedPort !== port && at - failures.accusedAt <= windowMs;
  failures.sinceAccused = 0;
  failures.accusedAt = at;
  failures.accusedPort = port ?? accusedPort;
  return moved ? undefined : port;
};

/** A success clears what this name did wrong; nothing else. */
export const addSuccess = (account: Account, goodUntil: EpochMs): void => {
  delete account.failures.proven;
  delete account.failures.spoofable;
  account.answers = undefined;
  account.goodUntil = Math.max(account.goodUntil, goodUntil);
  account.known = true;
};

export const countSince = (times: readonly EpochMs[], since: EpochMs): number =>
  times.reduce((count, at) => (at > since ? count + 1 : count), 0);

/** How many names of a source authenticated, ever did, failed, and do not exist. */
export interface AccountCensus {
  readonly good: number;
  readonly known: number;
  readonly failing: number;
  readonly unknown: number;
}

/** Counts names: good until their time is over, failing and unknown when their last failure is younger than `since`. */
export const countAccounts = (source: SourceAccounts, tier: ProofTier, since: EpochMs): AccountCensus => {
  let good = 0;
  let known = 0;
  let failing = 0;
  let unknown = 0;
  for (const account of source.accounts.values()) {
    if (account.goodUntil > source.last) good += 1;
    if (account.known) known += 1;
    const failures = account.failures[tier];
    if (account.known || failures === undefined || failures.last <= since) continue;
    failing += 1;
    if (failures.unknown) unknown += 1;
  }
  return { good, known, failing, unknown };
};
