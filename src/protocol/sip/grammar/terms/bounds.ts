/** RFC 3261 8.1.1.5: a sequence number MUST be less than 2^31. */
export const MAX_CSEQ = 2_147_483_647;
/** RFC 3261 20.22. */
export const MAX_MAX_FORWARDS = 255;
/** RFC 3261 20.19: expirations are 0 to 2^32 - 1 seconds. RFC 3262 7.1 has the same for RSeq. */
export const MAX_DELTA_SECONDS = 4_294_967_295;
export const MAX_PORT = 65_535;
/** RFC 3261 18.4 and 25.1. */
export const MAX_TTL = 255;
/** RFC 3261 21: codes are 1xx to 6xx. */
export const MIN_STATUS = 100;
export const MAX_STATUS = 699;

/**
 * Value of digits that a scanner took; leading zeros do not count.
 * @returns a whole number, or Infinity above 2^53 - 1, so that nothing wraps around (RFC 4475 scalarlg, bigcode)
 */
export const numberOf = (text: string, at: number, end: number): number => {
  let value = 0;
  for (let next = at; next < end; next += 1) {
    value = value * 10 + (text.charCodeAt(next) - 0x30);
    if (value > Number.MAX_SAFE_INTEGER) return Infinity;
  }
  return value;
};

/** True when the digits are a number of at most `most`. */
export const isNumberWithin = (text: string, at: number, end: number, most: number): boolean =>
  numberOf(text, at, end) <= most;

export const isStatusWithin = (text: string, at: number, end: number): boolean => {
  const status = numberOf(text, at, end);
  return status >= MIN_STATUS && status <= MAX_STATUS;
};

const QVALUE = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;
const LONGEST_QVALUE_CHARS = 5;

/** qvalue of Contact and Accept: 0 to 1 with at most three decimals. The grammar takes any token in its place. */
export const isQvalue = (text: string, at: number, end: number): boolean =>
  end - at <= LONGEST_QVALUE_CHARS && QVALUE.test(text.slice(at, end));
