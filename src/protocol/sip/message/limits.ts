/**
 * Bounds of the parser. Each is far above what phones, trunks and RFC 4475 send and low enough that no message costs more
 * than a few times what an honest one costs.
 */

/** The largest UDP datagram (RFC 768); a stream's message beyond it is refused by the framing. */
export const MAX_MESSAGE_BYTES = 65_535;

/** Header lines indexed. RFC 4475 `longreq` has 51; of what lies beyond, the first line of each known name is kept. */
export const MAX_HEADER_LINES = 256;

/** All bytes before the body on a stream. Kamailio's core refuses at 16,384 for requests (`MSG_MAX_SIZE`, measured on 5.6.3). */
export const MAX_STREAM_HEADER_BYTES = 32_768;

/** Characters kept of a method. RFC 4475 `intmeth` has 43, the longest registered one nine. */
export const MAX_METHOD_CHARS = 64;
