import { createSocket } from 'node:dgram';
import type { Lab } from '../../../src/lab/index.ts';
import { lineOf } from './door.ts';
import { requestText } from './sip-text.ts';

const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64');

/** Speaks to a lab's companion as its Kamailio does, secret included. */
export const createTeller = (lab: Lab) => {
  const { up, tell, host } = lineOf(lab);
  const socket = createSocket('udp4');
  const send = (kind: string, ...fields: readonly (string | number)[]): void => {
    const now = Date.now();
    const time = `${Math.floor(now / 1_000)}.${String((now % 1_000) * 1_000).padStart(6, '0')}`;
    socket.send(`C1 ${up} ${kind} kamailio 0 ${time} ${fields.join(' ')}`, tell, host);
  };
  return {
    send,
    registered(ip: string, port: number, user: string, seconds = 3_600) {
      send('G', 'udp', ip, port, seconds, base64(user));
    },
    /** A request as a stranger's. */
    request(transport: 'udp' | 'tcp', ip: string, agent: string, method = 'OPTIONS') {
      const uri = 'sip:100@127.0.0.1';
      const raw = requestText({ method, uri, from: `sip:100@${ip}`, to: uri, local: `${ip}:5060`, agent });
      send('T', 0, 0, transport, ip, 5060, '127.0.0.1', 5060, 'n', 'over-budget', raw.length, 0, base64(raw));
    },
    close() {
      socket.close();
    },
  };
};
