import { MAX_CSEQ, numberOf, scanCSeq, scanDigits, skipSws } from '../grammar/index.ts';
import { faultAt, faultOf, type ValueFault } from './fault.ts';

export interface CSeq {
  /** 0 to 2^31 - 1 (RFC 3261 8.1.1.5). */
  readonly number: number;
  /** As written: methods are case-sensitive. */
  readonly method: string;
}

export const readCSeq = (text: string, from = 0, to = text.length): CSeq | ValueFault => {
  const scanned = scanCSeq(text, from, to);
  if (scanned !== to) return faultOf('not a CSeq', scanned);
  const start = skipSws(text, from, to);
  const digits = scanDigits(text, start, to);
  const number = numberOf(text, start, digits);
  if (number > MAX_CSEQ) return faultAt('sequence number of 2^31 or more', start);
  return { number, method: text.slice(skipSws(text, digits, to), to) };
};

export const writeCSeq = ({ number, method }: CSeq): string => `${number} ${method}`;
