/**
 * Scanners for the whole value of each header (RFC 3261 25.1 and the RFCs of its extensions), and the table of them.
 * Each takes the range of one header line's value, white space before it included, and must consume all of it; white
 * space behind the value is the caller's to cut off when it wants to tolerate it, as the grammar mostly does not.
 */
export { scanAddress } from './address.ts';
export { scanCredentials } from './credentials.ts';
export { scanCSeq } from './numbers.ts';
export { scanAnyValue } from './prose.ts';
export { headerGrammar, isCoreHeader } from './table.ts';
export { isPlainVia, scanViaPart } from './via.ts';
