/**
 * Captured traffic ↔ SIP messages: pcap, pcapng, HEP frames, JSONL timelines. In: the bytes of a file, in chunks of any
 * size. Out: one message after the other with its time and both ends. Bounded in memory whatever the file holds, never
 * throws on any bytes, never does I/O; what is not taken is named to the `Drop` that the caller hands in.
 */
export { readCapture } from './capture.ts';
export type { CapturedMessage, Drop, Endpoint } from './captured-message.ts';
