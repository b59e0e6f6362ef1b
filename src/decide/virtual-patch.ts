import type { FittingExploit, Verdict } from '../model/index.ts';

/**
 * The message is stopped, whoever sent it: it would break the server for everybody, and a customer's broken phone can do
 * that too. What the sender is held for stays as it was judged.
 */
export const stopExploit = (verdict: Verdict, exploit: FittingExploit | undefined): Verdict =>
  exploit?.stopped !== true ? verdict : { ...verdict, answer: 'drop', reason: `virtual patch ${exploit.id}` };
