import type { EpochMs, Request } from '../../model/index.ts';
import { callMark } from '../enumeration/targets.ts';

/** Answers kept of one challenge: more than any rule needs. */
const MAX_ANSWERS = 8;

/** RFC 7616 3.4: the answer itself, in hex. Views hold no more than a kilobyte of a header. */
const RESPONSE = /\bresponse\s*=\s*"([0-9a-f]{1,128})"/i;
const CREDENTIALS = /^(?:proxy-)?authorization$/i;

/** Whoever types four wrong passwords into a phone that keeps its challenge takes longer. */
const AT_ONCE_MS = 20_000;

/** One challenge and the different answers that came to it. */
export interface Answers {
  /** When the first of them came. */
  readonly since: EpochMs;
  /** Stands for everything from which the answer is computed, except the password. */
  readonly challenge: number;
  readonly given: number[];
}

/**
 * Notes the answer of a request. The answer follows from nonce, URI, method, counter and password (RFC 7616 3.4.1): two
 * answers where all but the last are the same are two passwords, which no device tries. What came longer ago is forgotten.
 * @returns undefined when the request has no answer
 */
export const noteAnswer = ({ at, sip }: Request, before: Answers | undefined): Answers | undefined => {
  const { method, headers } = sip;
  const credentials = headers.find(({ name }) => CREDENTIALS.test(name))?.value;
  const response = credentials === undefined ? undefined : RESPONSE.exec(credentials)?.[1];
  if (credentials === undefined || response === undefined) return undefined;
  const challenge = callMark(`${method} ${credentials.replace(RESPONSE, '')}`);
  const given = callMark(response.toLowerCase());
  if (before?.challenge !== challenge || at - before.since > AT_ONCE_MS)
    return { since: at, challenge, given: [given] };
  if (!before.given.includes(given) && before.given.length < MAX_ANSWERS) before.given.push(given);
  return before;
};
