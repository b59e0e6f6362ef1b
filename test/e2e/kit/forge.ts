import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const FORGE = fileURLToPath(new URL('../tools/forge.py', import.meta.url));

export interface Forging {
  readonly sent: number;
  readonly bytes: number;
  readonly seconds: number;
}

/**
 * Sends UDP datagrams from forged source addresses (see tools/forge.py). Needs root.
 * @param source `127.0.0.9:5060`, `random` or `random-in:127.9`
 * @param files what to send, byte for byte; without any, REGISTERs of many shapes, with `agent` as their User-Agent
 */
export const forge = async (
  destination: string,
  rate: number,
  seconds: number,
  source: string,
  { files = [], agent = '' }: { readonly files?: readonly string[]; readonly agent?: string } = {},
): Promise<Forging> => {
  const child = spawn('python3', [FORGE, destination, String(rate), String(seconds), source, ...files], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, FORGE_AGENT: agent },
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`forge.py ended with ${code}`);
  return JSON.parse(text) as Forging;
};
