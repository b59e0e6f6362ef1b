import { randomBytes } from 'node:crypto';

export interface RequestParts {
  readonly method: string;
  readonly uri: string;
  readonly from: string;
  readonly to: string;
  /** `ip:port` that the sender writes into Via and Contact. */
  readonly local: string;
  readonly transport?: 'UDP' | 'TCP';
  readonly cseq?: number;
  readonly callId?: string;
  readonly fromTag?: string;
  readonly toTag?: string;
  readonly branch?: string;
  readonly agent?: string;
  /** Whole header lines. */
  readonly more?: readonly string[];
  readonly body?: string;
}

export const token = (): string => randomBytes(8).toString('hex');

/** A User-Agent of a phone that is sold by the million. */
export const PHONE_AGENT = 'Yealink SIP-T46U 108.86.0.20';

/** A request as phones send it, unless told otherwise. */
export const requestText = (parts: RequestParts): string => {
  const { method, uri, from, to, local, transport = 'UDP', cseq = 1, callId = token(), fromTag = token() } = parts;
  const { toTag, branch = `z9hG4bK${token()}`, agent = PHONE_AGENT, more = [], body = '' } = parts;
  return [
    `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/${transport} ${local};rport;branch=${branch}`,
    'Max-Forwards: 70',
    `From: <${from}>;tag=${fromTag}`,
    `To: <${to}>${toTag === undefined ? '' : `;tag=${toTag}`}`,
    `Call-ID: ${callId}`,
    `CSeq: ${cseq} ${method}`,
    `Contact: <sip:phone@${local}${transport === 'TCP' ? ';transport=tcp' : ''}>`,
    ...(method === 'REGISTER' ? ['Expires: 60'] : []),
    ...(agent === '' ? [] : [`User-Agent: ${agent}`]),
    ...more,
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
};

/** 0 for what is no response. */
export const statusOf = (text: string): number => Number(/^SIP\/2\.0 (\d{3}) /.exec(text)?.[1] ?? 0);

/** First value of a header, by its full name. */
export const headerOf = (text: string, name: string): string =>
  new RegExp(`^${name}[ \\t]*:[ \\t]*([^\\r\\n]*)`, 'im').exec(text)?.[1] ?? '';

/** User part of To. */
export const targetOf = (text: string): string => /<?sips?:([^@>;]{1,64})@/.exec(headerOf(text, 'To'))?.[1] ?? '';

/**
 * A response without what differs in any two responses: nonce, tags, branch, and what was taken from the request
 * (Call-ID, the number of CSeq, the extension that was asked for). Whatever else differs tells an attacker something.
 */
export const masked = (text: string): string =>
  text
    .replace(/nonce="[^"]*"/g, (nonce) => `nonce="${'N'.repeat(nonce.length - 8)}"`)
    .replace(/(;tag=)[^;>\s"]+/g, '$1T')
    .replace(/(;branch=)[^;\s,]+/g, '$1B')
    .replace(/^(Call-ID:)[^\r\n]*/gim, '$1 C')
    .replace(/^(CSeq:[ \t]*)\d+/gim, '$1S')
    .replace(/^(Via:[^\r\n]*?;rport=)\d+/gim, '$1P')
    .replace(/^(Via: SIP\/2\.0\/\w+ [\d.a-f:[\]]*?:)\d+(?=;)/gim, '$1P')
    .replace(/^((?:From|To):[^\r\n]*?sips?:)[^@>]*/gim, '$1U')
    .replace(/^((?:From|To):)[ \t]*"[^"\r\n]*"/gim, '$1"D"');

/** The different shapes of a number of responses, each with the targets that got it. More than one is a leak. */
export const shapesOf = (responses: readonly string[]): Map<string, string[]> => {
  const shapes = new Map<string, string[]>();
  for (const text of responses) {
    const shape = masked(text);
    const targets = shapes.get(shape);
    if (targets === undefined) shapes.set(shape, [targetOf(text)]);
    else targets.push(targetOf(text));
  }
  return shapes;
};
