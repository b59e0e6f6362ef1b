import { connect } from 'node:net';
import { chooseStateDirectory, controlSocketPaths, findControlSocket, processChoice } from '../../places/index.ts';

/** A shell waits for this at each press of the key: nothing is better than late. */
const DEADLINE_MS = 300;
const MAX_ANSWER_BYTES = 64 * 1024;

const KINDS: ReadonlySet<string> = new Set(['held', 'allow', 'deny', 'any']);

/** Only what an address is made of reaches the shell. */
const ADDRESS = /^[0-9a-f:./]{2,49}$/i;

const ask = async (path: string, kind: string, prefix: string): Promise<readonly string[]> =>
  new Promise((resolve) => {
    const socket = connect(path);
    let text = '';
    const end = (found: readonly string[]): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(found);
    };
    const timer = setTimeout(end, DEADLINE_MS, []);
    socket.on('error', () => end([]));
    socket.on('close', () => end([]));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.length > MAX_ANSWER_BYTES) end([]);
      if (!text.includes('\n')) return;
      const { result } = JSON.parse(text) as { result?: readonly unknown[] };
      end((result ?? []).map(String).filter((found) => ADDRESS.test(found)));
    });
    socket.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'complete', params: { kind, prefix } })}\n`);
  });

/**
 * `companion complete KIND PREFIX`, called by the scripts of `completion`: addresses of the running service that begin
 * so, a line each. Says nothing when there is no service or anything is wrong. Loads as little as it can.
 */
export const answerCompletion = async ([kind = 'any', prefix = '']: readonly string[]): Promise<number> => {
  const stateDirectory = chooseStateDirectory(processChoice());
  const path = findControlSocket(controlSocketPaths({ explicit: undefined, env: process.env, stateDirectory }));
  if (path === undefined || !KINDS.has(kind)) return 0;
  const found = await ask(path, kind, prefix.slice(0, 100)).catch(() => []);
  if (found.length > 0) process.stdout.write(`${found.join('\n')}\n`);
  return 0;
};
