/** Random numbers that come again with the same seed (mulberry32). */
export const createRandom = (seed: number): ((below: number) => number) => {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
};

export type Random = ReturnType<typeof createRandom>;

/** Pieces on which parsers trip. */
const DICTIONARY = [
  '\r\n', '\n', '\r', '\r\n ', '\r\n\t', '\r\n\r\n', '\0', '"', '\\', '\\"', '<', '>', ';', ',', ':', '::', '=', '@',
  '[', ']', '[::1]', '%', '%00', '%0d%0a', '?', '&', '(', ')', '((((((((', ' ', '\t', '\x7f', '\xff', '\xc3\x28',
  'sip:', 'sips:', 'tel:', 'SIP/2.0', 'SIP/3.0', ';tag=', ';branch=z9hG4bK', ';lr', ';rport', 'Via: ', 'v: ', 'f: ',
  'From : ', 'To: ', 'Content-Length: ', 'l: ', '-1', '0', '4294967296', '99999999999999999999', 'CSeq: 1 ',
  'Digest ', 'username="', 'Contact: *', 'Max-Forwards: ', 'User-Agent: friendly-scanner',
] as const; // prettier-ignore

const MAX_BYTES = 65_535;

const splice = (bytes: Buffer, at: number, remove: number, put: Buffer): Buffer =>
  Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + remove)]).subarray(0, MAX_BYTES);

/** One change: a flipped byte, a piece put in, taken out, repeated, or brought over from another message. */
const change = (bytes: Buffer, random: Random, others: readonly Buffer[]): Buffer => {
  const at = random(bytes.length + 1);
  const length = 1 + random(1 + random(64));
  switch (random(7)) {
    case 0:
      return splice(bytes, at, 1, Buffer.from([random(256)]));
    case 1:
      return splice(bytes, at, 0, Buffer.from(DICTIONARY[random(DICTIONARY.length)]!, 'latin1'));
    case 2:
      return splice(bytes, at, random(8), Buffer.from(DICTIONARY[random(DICTIONARY.length)]!, 'latin1'));
    case 3:
      return splice(bytes, at, length, Buffer.alloc(0));
    case 4: {
      const piece = bytes.subarray(at, at + length);
      return splice(bytes, at, 0, Buffer.concat(Array.from({ length: 1 + random(64) }, () => piece)));
    }
    case 5: {
      const other = others[random(others.length)]!;
      const from = random(other.length + 1);
      return splice(bytes, at, random(32), other.subarray(from, from + length * 4));
    }
    default:
      return bytes.subarray(0, at);
  }
};

/** A message of the corpus with one to eight changes. */
export const mutate = (messages: readonly Buffer[], random: Random): Buffer => {
  let bytes = messages[random(messages.length)]!;
  for (let changes = 1 + random(8); changes > 0; changes -= 1) bytes = change(bytes, random, messages);
  return bytes;
};
