import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import type { NetConnectOpts } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { statusOf } from '../control.ts';
import type { SipEndpoint } from '../prepare/sip-endpoint.ts';

const POLL_MS = 50;
const RESEND_MS = 500;
/** Long enough for an answer; an operator's own deny list may leave the probe without one for ever. */
const SILENT_MS = 3_000;

/** Whether somebody listens. */
export const accepts = async (where: NetConnectOpts): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(where);
    const end = (result: boolean): void => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(1_000, () => {
      end(false);
    });
    socket.once('connect', () => {
      end(true);
    });
    socket.once('error', () => {
      end(false);
    });
  });

/** Waits until the companion says that its Kamailio is there. Ends only when it is: whoever waits sets the deadline. */
export const untilConnected = async (socketPath: string, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    const status = await statusOf(socketPath);
    if (status !== undefined && status.nodes.length > 0 && status.nodes.every(({ state }) => state === 'connected'))
      return;
    await sleep(POLL_MS);
  }
};

const keepAlive = (sip: SipEndpoint, localPort: number): string => {
  const token = randomBytes(6).toString('hex');
  const local = `${sip.host.startsWith('[') ? '[::1]' : '127.0.0.1'}:${localPort}`;
  return [
    `OPTIONS sip:${sip.host}:${sip.port} SIP/2.0`,
    `Via: SIP/2.0/UDP ${local};rport;branch=z9hG4bK${token}`,
    `From: <sip:lab@${sip.host}>;tag=${token}`,
    `To: <sip:${sip.host}:${sip.port}>`,
    `Call-ID: ${token}`,
    'CSeq: 1 OPTIONS',
    'Max-Forwards: 70',
    'Content-Length: 0\r\n\r\n',
  ].join('\r\n');
};

/**
 * Sends keep-alives until one is answered. Gives up with false after a while of silence; a port where nobody listens
 * refuses instead, and is tried on.
 */
export const untilSipAnswers = async (sip: SipEndpoint, signal: AbortSignal): Promise<boolean> => {
  const socket = createSocket(sip.ip.includes(':') ? 'udp6' : 'udp4');
  try {
    return await new Promise<boolean>((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      let silentSince = performance.now();
      const send = (): void => {
        if (signal.aborted || performance.now() - silentSince > SILENT_MS) {
          resolve(false);
          return;
        }
        socket.send(keepAlive(sip, socket.address().port));
        timer = setTimeout(send, RESEND_MS);
      };
      socket.on('error', () => {
        silentSince = performance.now();
      });
      socket.on('message', () => {
        clearTimeout(timer);
        resolve(true);
      });
      socket.connect(sip.port, sip.ip, send);
    });
  } finally {
    socket.close();
  }
};
