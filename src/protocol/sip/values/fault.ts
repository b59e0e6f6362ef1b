/** Why a text is no value. `fault` is our own wording and stays the same; `offset` is where in the given text. */
export interface ValueFault {
  readonly fault: string;
  readonly offset: number;
}

export const isValueFault = (read: unknown): read is ValueFault =>
  typeof read === 'object' && read !== null && 'fault' in read;

export const faultAt = (fault: string, offset: number): ValueFault => ({ fault, offset });

/** The fault of a scanner's result that did not reach `end`. */
export const faultOf = (fault: string, scanned: number): ValueFault => ({
  fault,
  offset: scanned < 0 ? ~scanned : scanned,
});
