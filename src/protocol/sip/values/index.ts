/**
 * Typed values of headers and bodies, made when somebody asks for them: URIs, addresses, Via, CSeq, digest, SDP.
 * In: a text (bytes as latin1 chars) and a range of it. Out: the value, or a `ValueFault` with our words and the offset.
 * Nothing throws, all is bounded, and the `write` of each value gives a text that reads back as the same value.
 */
export * from './address.ts';
export * from './challenges.ts';
export * from './credentials.ts';
export * from './cseq.ts';
export { decodeExtended, digestAlgorithm, isOtherScheme, type DigestAlgorithm, type OtherScheme } from './digest.ts';
export { isValueFault, type ValueFault } from './fault.ts';
export { parameterNamed, type Parameter } from './parameters.ts';
export * from './sdp.ts';
export { canonicalHost, canonicalUser, isSameUri, uriKey } from './uri-key.ts';
export {
  readSipUri,
  readTelUri,
  readUri,
  writeSipUri,
  writeTelUri,
  writeUri,
  type HostKind,
  type OtherUri,
  type SipUri,
  type TelUri,
  type Uri,
  type UriPart,
} from './uri.ts';
export * from './via.ts';
