/**
 * Netstrings (`5:hello,`), the framing of Kamailio's evapi: https://cr.yp.to/proto/netstrings.txt. A stream that broke the
 * rules once cannot be trusted to be in step again: the connection it came from has to be closed.
 */

/** Why a stream was given up. */
export type NetstringFault = 'length' | 'too-long' | 'end';

export interface NetstringSplitter {
  /** @returns the payloads that became whole; `fault` once, and nothing ever after */
  push(chunk: Buffer): { readonly frames: readonly Buffer[]; readonly fault?: NetstringFault };
}

const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const COMMA = 0x2c;

export const encodeNetstring = (payload: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${payload.length}:`, 'latin1'), payload, Buffer.from(',', 'latin1')]);

/**
 * Takes a stream apart. Keeps at most one frame of `maxBytes` between two chunks.
 * @param maxBytes longest payload
 */
export const createNetstringSplitter = (maxBytes: number): NetstringSplitter => {
  const maxDigits = String(maxBytes).length;
  let rest: Buffer[] = [];
  let restBytes = 0;
  /** Nothing can become whole before so many bytes are there. */
  let wanted = 1;
  let broken = false;

  const take = (bytes: Buffer, frames: Buffer[]): NetstringFault | number => {
    let at = 0;
    for (;;) {
      let length = 0;
      let end = at;
      while (end < bytes.length && bytes[end] !== COLON) {
        const digit = bytes[end] as number;
        if (digit < ZERO || digit > NINE || (end > at && length === 0)) return 'length';
        length = length * 10 + digit - ZERO;
        end += 1;
        if (end - at > maxDigits || length > maxBytes) return 'too-long';
      }
      if (end === bytes.length) {
        wanted = end - at + 1;
        return at;
      }
      if (end === at) return 'length';
      const comma = end + 1 + length;
      if (comma >= bytes.length) {
        wanted = comma + 1 - at;
        return at;
      }
      if (bytes[comma] !== COMMA) return 'end';
      frames.push(bytes.subarray(end + 1, comma));
      at = comma + 1;
    }
  };

  return {
    push(chunk) {
      if (broken) return { frames: [] };
      restBytes += chunk.length;
      rest.push(chunk);
      // a frame that comes byte by byte is put together once, not once a byte
      if (restBytes < wanted) return { frames: [] };
      const bytes = rest.length === 1 ? chunk : Buffer.concat(rest, restBytes);
      const frames: Buffer[] = [];
      const end = take(bytes, frames);
      if (typeof end === 'string') {
        broken = true;
        rest = [];
        return { frames, fault: end };
      }
      restBytes = bytes.length - end;
      rest = restBytes === 0 ? [] : [bytes.subarray(end)];
      if (restBytes === 0) wanted = 1;
      return { frames };
    },
  };
};
