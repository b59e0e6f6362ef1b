import { chooseStateDirectory, controlSocketPaths, processChoice } from '../places/index.ts';
import type { Client } from './client.ts';
import { connectClient } from './connect.ts';
import type { CommonOptions } from './options.ts';

/** Connects, asks, and closes whatever happens. */
export const ask = async <T>(options: CommonOptions, question: (client: Client) => Promise<T>): Promise<T> => {
  const paths = controlSocketPaths({
    explicit: options.socket,
    env: process.env,
    stateDirectory: chooseStateDirectory(processChoice()),
  });
  const client = await connectClient(paths);
  try {
    return await question(client);
  } finally {
    client.close();
  }
};
