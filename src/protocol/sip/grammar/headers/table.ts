import type { Scanner } from '../terms/index.ts';
import { scanContact, scanIdentities, scanInfo, scanParty, scanRoute } from './address.ts';
import { scanAccept, scanAcceptEncoding, scanAcceptLanguage, scanLanguages, scanMediaType } from './content.ts';
import { scanAuthParameters, scanCredentials } from './credentials.ts';
import {
  scanCSeq,
  scanMimeVersion,
  scanNumber,
  scanRAck,
  scanRetryAfter,
  scanSeconds,
  scanTimestamp,
} from './numbers.ts';
import { scanDate, scanProducts, scanSubject, scanWarnings } from './prose.ts';
import {
  scanCallId,
  scanDialog,
  scanEvent,
  scanEvents,
  scanInReplyTo,
  scanOneToken,
  scanOptionalTokens,
  scanPrivacy,
  scanReasons,
  scanTokenParameters,
  scanTokens,
} from './tokens.ts';
import { scanVia } from './via.ts';

/** The headers of RFC 3261 20, by full name in lower case. */
const CORE: ReadonlyMap<string, Scanner> = new Map<string, Scanner>([
  ['accept', scanAccept],
  ['accept-encoding', scanAcceptEncoding],
  ['accept-language', scanAcceptLanguage],
  ['alert-info', scanInfo],
  ['allow', scanOptionalTokens],
  ['authentication-info', scanAuthParameters],
  ['authorization', scanCredentials],
  ['call-id', scanCallId],
  ['call-info', scanInfo],
  ['contact', scanContact],
  ['content-disposition', scanTokenParameters],
  ['content-encoding', scanTokens],
  ['content-language', scanLanguages],
  ['content-length', scanNumber],
  ['content-type', scanMediaType],
  ['cseq', scanCSeq],
  ['date', scanDate],
  ['error-info', scanInfo],
  ['expires', scanNumber],
  ['from', scanParty],
  ['in-reply-to', scanInReplyTo],
  ['max-forwards', scanNumber],
  ['min-expires', scanNumber],
  ['mime-version', scanMimeVersion],
  ['organization', scanSubject],
  ['priority', scanOneToken],
  ['proxy-authenticate', scanCredentials],
  ['proxy-authorization', scanCredentials],
  ['proxy-require', scanTokens],
  ['record-route', scanRoute],
  ['reply-to', scanParty],
  ['require', scanTokens],
  ['retry-after', scanRetryAfter],
  ['route', scanRoute],
  ['server', scanProducts],
  ['subject', scanSubject],
  ['supported', scanOptionalTokens],
  ['timestamp', scanTimestamp],
  ['to', scanParty],
  ['unsupported', scanTokens],
  ['user-agent', scanProducts],
  ['via', scanVia],
  ['warning', scanWarnings],
  ['www-authenticate', scanCredentials],
]);

/** Headers of later RFCs, which RFC 3261 alone knows as extension-header: free text. */
const EXTENSIONS: ReadonlyMap<string, Scanner> = new Map<string, Scanner>([
  ['allow-events', scanEvents],
  ['event', scanEvent],
  ['info-package', scanTokenParameters],
  ['join', scanDialog],
  ['max-breadth', scanNumber],
  ['min-se', scanSeconds],
  ['p-asserted-identity', scanIdentities],
  ['p-preferred-identity', scanIdentities],
  ['path', scanRoute],
  ['privacy', scanPrivacy],
  ['rack', scanRAck],
  ['reason', scanReasons],
  ['refer-to', scanParty],
  ['referred-by', scanParty],
  ['replaces', scanDialog],
  ['rseq', scanNumber],
  ['service-route', scanRoute],
  ['session-expires', scanSeconds],
  ['sip-etag', scanOneToken],
  ['sip-if-match', scanOneToken],
  ['subscription-state', scanTokenParameters],
  ['target-dialog', scanDialog],
]);

/**
 * Scanner of the whole value of a header, `undefined` for a name without a grammar of its own (its value is `scanAnyValue`'s).
 * @param name the full name in lower case, never a compact form
 */
export const headerGrammar = (name: string): Scanner | undefined => CORE.get(name) ?? EXTENSIONS.get(name);

/** True for the headers that RFC 3261 itself defines: a fault in another one is a fault against a later RFC. */
export const isCoreHeader = (name: string): boolean => CORE.has(name);
