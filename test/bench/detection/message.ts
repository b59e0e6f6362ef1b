import type { Transport } from '../../../src/model/index.ts';

/** Where a message comes from. */
export interface Wire {
  readonly ip: string;
  readonly port: number;
  readonly transport: Transport;
}

/** A request as an actor means it. */
export interface Message {
  readonly method: 'REGISTER' | 'INVITE' | 'OPTIONS' | 'ACK' | 'BYE';
  /** From; REGISTER: To as well. */
  readonly user: string;
  /** User part of the Request-URI, where there is one. */
  readonly target: string;
  readonly callId: string;
  readonly cseq: number;
  readonly branch: string;
  readonly agent: string;
  readonly credentials?: { readonly user: string; readonly nonce: string; readonly password: string } | undefined;
  readonly toTag?: string | undefined;
}

const REALM = 'voip.example.net';

/** The message as a phone writes it. */
export const textOf = (message: Message, { ip, port, transport }: Wire): Buffer => {
  const { method, user, target, credentials } = message;
  const uri = target === '' ? `sip:${REALM}` : `sip:${target}@${REALM}`;
  const header = method === 'REGISTER' ? 'Authorization' : 'Proxy-Authorization';
  const to = method === 'REGISTER' ? `sip:${user}@${REALM}` : uri;
  return Buffer.from(
    [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/${transport.toUpperCase()} ${ip}:${port};branch=${message.branch};rport`,
      `From: "${user}" <sip:${user}@${REALM}>;tag=${message.callId.slice(0, 10)}`,
      `To: <${to}>${message.toTag === undefined ? '' : `;tag=${message.toTag}`}`,
      `Call-ID: ${message.callId}`,
      `CSeq: ${message.cseq} ${method}`,
      `Contact: <sip:${user}@${ip}:${port}>`,
      ...(credentials === undefined
        ? []
        : [
            `${header}: Digest username="${credentials.user}", realm="${REALM}", nonce="${credentials.nonce}", uri="${uri}", response="6629fae49393a05397450978507c4ef1", algorithm=MD5`,
          ]),
      ...(method === 'REGISTER' ? ['Expires: 3600'] : []),
      'Allow: INVITE, INFO, PRACK, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REGISTER, SUBSCRIBE, REFER, PUBLISH, UPDATE, MESSAGE',
      'Max-Forwards: 70',
      `User-Agent: ${message.agent}`,
      'Allow-Events: talk,hold,conference,refer,check-sync',
      'Content-Length: 0',
      '\r\n',
    ].join('\r\n'),
  );
};
