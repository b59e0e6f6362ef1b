import { spawnSync } from 'node:child_process';

const ip = (verb: 'add' | 'del', address: string): void => {
  const { status, stderr } = spawnSync('ip', ['-6', 'addr', verb, `${address}/128`, 'dev', 'lo'], { encoding: 'utf8' });
  if (status !== 0 && verb === 'add' && !/File exists/.test(stderr))
    throw new Error(`ip addr add ${address}: ${stderr}`);
};

/** Gives lo more IPv6 addresses. @returns the function that takes them away */
export const addAddresses = (addresses: readonly string[]): (() => void) => {
  const remove = (): void => {
    for (const address of addresses) ip('del', address);
  };
  try {
    for (const address of addresses) ip('add', address);
  } catch (error) {
    remove();
    throw error;
  }
  return remove;
};
