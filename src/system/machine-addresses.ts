import { networkInterfaces } from 'node:os';

/** Addresses of this machine, but for loopback, where an attacker on the machine itself may sit. */
export const machineAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? []).filter(({ internal }) => !internal).map(({ address }) => address),
  );
