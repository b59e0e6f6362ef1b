import type { Message, Wire } from './message.ts';
import type { Answer, Registrar } from './server.ts';
import type { Simulation } from './simulation.ts';

/** RFC 3261 17.1: T1, T2, and 64 × T1 after which a client gives up. */
const T1_MS = 500;
const T2_MS = 4_000;
const TIMEOUT_MS = 32_000;

/**
 * One client transaction: over UDP the request is repeated until it is answered. `done` gets undefined when nobody did.
 * @returns gives it up
 */
export const transact = (
  simulation: Simulation,
  registrar: Registrar,
  message: Message,
  wire: Wire,
  done: (answer: Answer | undefined) => void,
): (() => void) => {
  let over = false;
  const end = (answer: Answer | undefined): void => {
    if (over) return;
    over = true;
    done(answer);
  };
  const send = (wait: number): void => {
    if (over) return;
    registrar.send(message, wire, end);
    if (wire.transport !== 'udp') return;
    // an INVITE that nobody confirmed doubles its wait without end, the others only up to T2
    const next = message.method === 'INVITE' ? wait * 2 : Math.min(wait * 2, T2_MS);
    simulation.after(wait, () => {
      send(next);
    });
  };
  send(T1_MS);
  simulation.after(TIMEOUT_MS, () => {
    end(undefined);
  });
  return () => {
    over = true;
  };
};
