/** RFC 3261 25.1 sets no limit; the longest registered method has nine letters, RFC 4475 `intmeth` has 43. */
const MAX_METHOD_CHARS = 64;

/** `SIP/2.0`, with room for versions that the server refuses itself. */
const VERSION = /^SIP\/\d{1,3}\.\d{1,3}$/i;
const MAX_VERSION_CHARS = 11;

const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/;

export interface RequestLine {
  readonly method: string;
  readonly uri: string;
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

/** Reads `METHOD uri SIP/2.0`. Blanks in or around the URI are tolerated: what is invalid is for the server to refuse. */
export const readRequestLine = (line: string): RequestLine | undefined => {
  let methodEnd = 0;
  while (methodEnd < line.length && methodEnd <= MAX_METHOD_CHARS && !isBlank(line.charCodeAt(methodEnd)))
    methodEnd += 1;
  if (methodEnd === 0 || methodEnd > MAX_METHOD_CHARS) return undefined;
  let end = line.length;
  while (end > methodEnd && isBlank(line.charCodeAt(end - 1))) end -= 1;
  let versionStart = end;
  while (versionStart > methodEnd && !isBlank(line.charCodeAt(versionStart - 1))) versionStart -= 1;
  if (end - versionStart > MAX_VERSION_CHARS || !VERSION.test(line.slice(versionStart, end))) return undefined;
  const method = line.slice(0, methodEnd);
  const uri = line.slice(methodEnd, versionStart).trim();
  return uri !== '' && TOKEN.test(method) ? { method, uri } : undefined;
};
