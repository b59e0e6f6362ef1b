/** The methods that nearly every request has, as they are mostly written. */
const USUAL = ['REGISTER', 'INVITE', 'OPTIONS', 'ACK', 'BYE'] as const;

/** A method in capitals, as lenient servers mean it. Making capitals of capitals costs as much as a detector. */
export const canonicalMethod = (method: string): string =>
  (USUAL as readonly string[]).includes(method) ? method : method.toUpperCase();
