import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { LabError } from '../problem.ts';
import type { SipEndpoint } from './sip-endpoint.ts';

/** Below the range that Linux hands out by itself, so that a port is still free when its owner is restarted. */
const FIRST_PORT = 20_000;
const LAST_PORT = 31_999;
const MAX_TRIES = 200;

/** Where Kamailio and companion speak to each other. */
export interface LineAddresses {
  readonly host: string;
  /** Kamailio's side. */
  readonly control: number;
  readonly rpc: number;
  readonly evapi: number;
  /** Companion's side. */
  readonly ask: number;
  readonly tell: number;
  readonly http: number;
}

type Problem = NodeJS.ErrnoException['code'];

const udpProblem = async (address: string, port: number): Promise<Problem> => {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  try {
    const listening = once(socket, 'listening');
    socket.bind({ address, port, exclusive: true });
    await listening;
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  } finally {
    socket.close();
  }
};

const tcpProblem = async (host: string, port: number): Promise<Problem> => {
  const server = createServer();
  try {
    const listening = once(server, 'listening');
    server.listen({ host, port, exclusive: true });
    await listening;
    await new Promise((resolve) => server.close(resolve));
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
};

/**
 * Keeps a port for this process, as long as it lives: other labs that look for ports at the same time, or while a program of
 * this one is down for a restart, pass it over. An abstract socket goes with its process and its network namespace.
 */
const reserve = async (port: number): Promise<boolean> => {
  const keeper = createServer();
  keeper.unref();
  try {
    const listening = once(keeper, 'listening');
    keeper.listen(`\0companion-lab-port-${port}`);
    await listening;
    return true;
  } catch (error) {
    // elsewhere than on Linux there are none
    return (error as NodeJS.ErrnoException).code !== 'EADDRINUSE';
  }
};

/**
 * Sees to it that Kamailio will be able to listen.
 * @throws LabError
 */
export const requireFree = async ({ ip, port, host }: SipEndpoint): Promise<void> => {
  const problem = (await udpProblem(ip, port)) ?? (await tcpProblem(ip, port));
  const where = `${host}:${port}`;
  if (problem === undefined) return;
  if (problem === 'EADDRINUSE')
    throw new LabError(`Cannot use ${where} for SIP: another program listens there. Name another port with --sip.`);
  if (problem === 'EADDRNOTAVAIL')
    throw new LabError(
      `Cannot use ${where} for SIP: this machine (or network namespace) does not have that address. Name one that it has with --sip.`,
    );
  if (problem === 'EACCES')
    throw new LabError(`Cannot use ${where} for SIP: permission denied. Name a port above 1023 with --sip.`);
  throw new LabError(`Cannot use ${where} for SIP: ${problem}.`);
};

/**
 * Free ports on loopback for the line between the two programs.
 * @throws LabError where loopback is down: then no local address can be reached, not even by its owner
 */
export const chooseLineAddresses = async (): Promise<LineAddresses> => {
  const host = '127.0.0.1';
  const up = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === host));
  if (!up)
    throw new LabError(
      "The loopback interface is down here (a fresh network namespace?). Run 'ip link set lo up' in it first.",
    );
  const ports: number[] = [];
  for (let tries = 0; ports.length < 6; tries += 1) {
    if (tries === MAX_TRIES)
      throw new LabError(`Found no free ports between ${FIRST_PORT} and ${LAST_PORT} on ${host}.`);
    const port = randomInt(FIRST_PORT, LAST_PORT + 1);
    if (ports.includes(port) || !(await reserve(port))) continue;
    if ((await udpProblem(host, port)) === undefined && (await tcpProblem(host, port)) === undefined) ports.push(port);
  }
  const [control, rpc, evapi, ask, tell, http] = ports as [number, number, number, number, number, number];
  return { host, control, rpc, evapi, ask, tell, http };
};
