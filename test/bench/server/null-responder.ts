/**
 * The other end of the hook, as small as it can be: allows everything, knows nothing. Beside it one sees what is the hook's
 * cost, and what is companion's. Arguments: host, ask port, tell port, control port, downward secret.
 */
import { createSocket } from 'node:dgram';
import { encodeDown } from '../../../src/protocol/index.ts';

const [host = '', ask = '', tell = '', control = '', secret = ''] = process.argv.slice(2);
const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
const ear = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
const send = (body: string): void => socket.send(encodeDown(secret, body), Number(control), host);

// C1 <secret> A <node> <seq> <time> <tindex> <tlabel> …
socket.on('message', (frame) => {
  const fields = frame.toString('latin1', 0, 400).split(' ', 8);
  send(`V ${fields[6]} ${fields[7]} allow`);
});
ear.on('message', () => undefined);
socket.bind(Number(ask), host);
ear.bind(Number(tell), host);
setInterval(() => send(`H ${Math.floor(Date.now() / 1_000)}`), 400);
process.once('SIGTERM', () => process.exit());
