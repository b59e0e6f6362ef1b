import { once } from 'node:events';
import { connect } from 'node:net';
import type { CheckReport, StatusReport, WhyReport } from '../../../src/model/index.ts';

const DEADLINE_MS = 5_000;

/** One question over the control socket, as an operator's program asks it. Rejects with the answer's error. */
export const askControl = async (path: string, method: string, params: object = {}): Promise<unknown> => {
  const socket = connect(path);
  socket.setEncoding('utf8');
  socket.setTimeout(DEADLINE_MS, () => socket.destroy(new Error(`${method}: no answer within ${DEADLINE_MS} ms`)));
  socket.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })}\n`);
  let text = '';
  try {
    while (!text.includes('\n')) text += String(((await once(socket, 'data')) as [string])[0]);
  } finally {
    socket.destroy();
  }
  const answer = JSON.parse(text) as { result?: unknown; error?: { message: string; data?: unknown } };
  if (answer.error !== undefined) throw new Error(`${method}: ${JSON.stringify(answer.error)}`);
  return answer.result;
};

/** What operators ask for most. */
export const operatorOf = (path: string) => ({
  ask: async (method: string, params: object = {}) => askControl(path, method, params),
  check: async (ip: string) => (await askControl(path, 'check', { ip })) as CheckReport,
  why: async (ip: string) => (await askControl(path, 'why', { ip })) as WhyReport,
  status: async () => (await askControl(path, 'status')) as StatusReport,
});
