import type { Exploit, Transport, Violation } from '../../model/index.ts';
import type { SipMessage } from './message/index.ts';
import { findPatches } from './patches/index.ts';
import { findViolations } from './validate/index.ts';

/** What is wrong with a message whatever anybody's policy makes of it: broken rules, and the patches that it fits. */
export interface Inspection {
  readonly violations: readonly Violation[];
  readonly exploits: readonly Exploit[];
}

/** WebSocket messages have an end of their own (RFC 7118 section 5): only TCP and TLS need a Content-Length. */
const isStream = (transport: Transport): boolean => transport === 'tcp' || transport === 'tls';

/** Looks a request over as it came. @param cut only its beginning is here */
export const inspectRequest = (message: SipMessage, transport: Transport, cut: boolean): Inspection => ({
  violations: findViolations(message, { stream: isStream(transport), cut }),
  exploits: findPatches(message, undefined, { cut }).map(({ patch: { id, title }, offset }) => ({ id, title, offset })),
});
