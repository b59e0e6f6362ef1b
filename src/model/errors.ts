/**
 * Every error that a user can meet, with its stable code. A test checks that each code is in the README.
 * Messages say what was tried, what went wrong and what to do next.
 */
export const ERROR_CODES = {
  CONFIG_INVALID: 'the configuration file has problems',
  CONFIG_UNREADABLE: 'the configuration file cannot be read',
  ADDRESS_INVALID: 'not an IP address or CIDR',
  DURATION_INVALID: 'not a duration',
  BAN_REFUSED: 'a customer, a peer or an allow entry would be hit',
  NOT_FOUND: 'there is no such entry',
  PORT_IN_USE: 'a socket cannot be bound',
  SERVICE_UNREACHABLE: 'no companion answers on the control socket',
  REQUEST_INVALID: 'the request was not understood',
  UNAUTHORIZED: 'the token is missing or wrong',
  FORBIDDEN: 'the token is right, but has not the scope for this',
  GEO_INVALID: 'a file is not a usable .mmdb database',
  KAMAILIO_RPC: 'Kamailio refused or misunderstood a command',
  STORE_FAILED: 'the database cannot be opened or written',
  NODE_TOO_OLD: 'this Node.js is too old',
  CAPTURE_UNREADABLE: 'a capture cannot be read',
  INTERNAL: 'a bug in companion',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** An error with a stable code; `message` is a whole sentence for a human. */
export class CompanionError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'CompanionError';
    this.code = code;
  }
}
